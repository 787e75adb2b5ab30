namespace Fleet.Training;

/// <summary>A site's few samples to learn from, each moved by <paramref name="shift"/> pixels at most and mirrored half of the time.</summary>
/// <param name="site">The images.</param>
/// <param name="labels">Of each; not always the true ones.</param>
/// <param name="seed">Of the moves.</param>
/// <param name="shift">In pixels.</param>
internal sealed class SiteImages(ImageSet site, byte[] labels, int seed, int shift) : ITrainingImages
{
    private readonly AugmentedImages moved = new(site, seed) { ErasingShare = 0, Shift = shift };

    public int Count => site.Count;

    public int Side => site.Side;

    public Normalisation Normalisation => site.Normalisation;

    public long Draw(int epoch, int index, Span<byte> pixels)
    {
        moved.Draw(epoch, index, pixels);
        return labels[index];
    }
}
