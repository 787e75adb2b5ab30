namespace Fleet.Training;

/// <summary>A training image as the network sees it in one epoch: moved by up to a pixel each way, and mirrored half of the time.</summary>
public sealed class Augmentation(ImageSet images, Random random)
{
    private const int Shift = 1;

    private readonly byte[] moved = new byte[images.PixelCount];

    /// <summary>Writes the image, normalised, to <paramref name="target"/> ([side, side]); what is moved in is background (0).</summary>
    public void Fill(int index, Span<float> target)
    {
        var side = images.Side;
        var source = images.Image(index);
        var right = random.Next(-Shift, Shift + 1);
        var down = random.Next(-Shift, Shift + 1);
        var mirrored = random.Next(2) == 1;
        for (var y = 0; y < side; y++)
        {
            for (var x = 0; x < side; x++)
            {
                var fromX = (mirrored ? side - 1 - x : x) - right;
                var fromY = y - down;
                var inside = (uint)fromX < (uint)side && (uint)fromY < (uint)side;
                moved[y * side + x] = inside ? source[fromY * side + fromX] : (byte)0;
            }
        }
        ImageSet.Normalise(moved, target);
    }
}
