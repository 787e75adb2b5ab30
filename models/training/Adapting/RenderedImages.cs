using Fleet.Models;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>
/// Training images made to look like a site's: each keeps its phases and gets the site's amplitudes, by the ratio of the two sets' mean power at
/// every spatial frequency (after Yang and Soatto, FDA: Fourier domain adaptation, CVPR 2020, who swap the amplitudes of single images). Blur and contrast
/// are such ratios; nothing is known of the site but its images. Powers are of images that fade to their mean at the borders: the jump from one border
/// to the other is no part of what is seen, and blurs do not smooth it.
/// </summary>
public sealed class RenderedImages : ITrainingImages, IDisposable
{
    private readonly ITrainingImages origin;
    private readonly Tensor gain;
    private readonly Tensor window;

    /// <param name="origin">What the network was trained on.</param>
    /// <param name="site">The site's samples.</param>
    /// <param name="count">Of the training images, an epoch.</param>
    public RenderedImages(ITrainingImages origin, ImageSet site, int count)
    {
        (this.origin, Count) = (origin, Math.Min(count, origin.Count));
        var image = new byte[Side * Side];
        using var scope = NewDisposeScope();
        var fade = hann_window(Side, periodic: false);
        window = fade.outer(fade).MoveToOuterDisposeScope();
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
        var image = Values(pixels);
        var mean = image.mean();
        var seen = (fft.irfft2(fft.rfft2(image - mean) * gain, [Side, Side]) + mean).clamp(0, byte.MaxValue).round().to_type(ScalarType.Byte);
        seen.data<byte>().ToArray().CopyTo(pixels);
        return label;
    }

    public void Dispose()
    {
        gain.Dispose();
        window.Dispose();
    }

    private delegate ReadOnlySpan<byte> Source(int index);

    /// <summary>Mean squared magnitude at every frequency.</summary>
    private Tensor Power(Source source, int count)
    {
        var total = zeros(Side, Side / 2 + 1);
        for (var i = 0; i < count; i++)
        {
            using var scope = NewDisposeScope();
            var image = Values(source(i));
            total.add_(fft.rfft2((image - image.mean()) * window).abs().square());
        }
        return total / count;
    }

    private Tensor Values(ReadOnlySpan<byte> pixels) => tensor(pixels.ToArray(), [Side, Side]).to_type(ScalarType.Float32);
}
