using Fleet.Models;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>
/// Training images made to look like a site's: each keeps its phases and gets the site's amplitudes, by the ratio of the two sets' mean power at
/// every spatial frequency (after Yang and Soatto, FDA: Fourier domain adaptation, CVPR 2020, who swap the amplitudes of single images). Blur and contrast
/// are such ratios; nothing is known of the site but its images.
/// </summary>
public sealed class RenderedImages : ITrainingImages, IDisposable
{
    private readonly ITrainingImages origin;
    private readonly Tensor gain;

    /// <param name="origin">What the network was trained on.</param>
    /// <param name="site">The site's samples.</param>
    /// <param name="count">Of the training images, an epoch.</param>
    public RenderedImages(ITrainingImages origin, ImageSet site, int count)
    {
        (this.origin, Count) = (origin, Math.Min(count, origin.Count));
        var image = new byte[Side * Side];
        using var scope = NewDisposeScope();
        var theirs = Power(i => site.Image(i), site.Count);
        var ours = Power(
            i =>
            {
                origin.Draw(0, i, image);
                return image;
            },
            Math.Min(site.Count, origin.Count));
        gain = (theirs / ours).sqrt().MoveToOuterDisposeScope();
    }

    public int Count { get; }

    public int Side => origin.Side;

    public Normalisation Normalisation => origin.Normalisation;

    public long Draw(int epoch, int index, Span<byte> pixels)
    {
        var label = origin.Draw(epoch, index, pixels);
        using var scope = NewDisposeScope();
        var seen = fft.irfft2(Spectrum(pixels) * gain, [Side, Side]).clamp(0, byte.MaxValue).round().to_type(ScalarType.Byte);
        seen.data<byte>().ToArray().CopyTo(pixels);
        return label;
    }

    public void Dispose() => gain.Dispose();

    private delegate ReadOnlySpan<byte> Source(int index);

    /// <summary>Mean squared magnitude at every frequency.</summary>
    private Tensor Power(Source source, int count)
    {
        var total = zeros(Side, Side / 2 + 1);
        for (var i = 0; i < count; i++)
        {
            using var scope = NewDisposeScope();
            total.add_(Spectrum(source(i)).abs().square());
        }
        return total / count;
    }

    private Tensor Spectrum(ReadOnlySpan<byte> pixels) => fft.rfft2(tensor(pixels.ToArray(), [Side, Side]).to_type(ScalarType.Float32));
}
