using NUnit.Framework;
using SkiaSharp;

namespace Fleet.Training.Tests;

public sealed class RivalTests
{
    private readonly ImageSet images = FashionMnist.Read(SmallData.Directory, "t10k");

    [TestCase(SKEncodedImageFormat.Jpeg)]
    [TestCase(SKEncodedImageFormat.Webp)]
    public void Pass_LowerQuality_CostsFewerBytesAndMoreError(SKEncodedImageFormat format)
    {
        var (fine, rough) = (Sum(new ImageCompression(format, 90)), Sum(new ImageCompression(format, 10)));
        Assert.Multiple(() =>
        {
            Assert.That(rough.Bytes, Is.LessThan(fine.Bytes / 1.5));
            Assert.That(rough.Error, Is.GreaterThan(fine.Error));
        });
    }

    [Test]
    public void Pass_Png_ChangesNothing() => Assert.That(Sum(new ImageCompression(SKEncodedImageFormat.Png, 0)).Error, Is.Zero);

    [Test]
    public void Pass_Shrunk_CostsFewerBytes() =>
        Assert.That(Sum(new ImageCompression(SKEncodedImageFormat.Jpeg, 75, Shrink: 2)).Bytes, Is.LessThan(Sum(new ImageCompression(SKEncodedImageFormat.Jpeg, 75)).Bytes / 2));

    /// <summary>Of a blank image hardly anything but headers is left.</summary>
    [Test]
    public void Pass_Jpeg_LeavesItsHeadersOut()
    {
        using var bitmap = new SKBitmap(new SKImageInfo(28, 28, SKColorType.Gray8, SKAlphaType.Opaque));
        using var file = bitmap.Encode(SKEncodedImageFormat.Jpeg, 50);
        Assert.That(new ImageCompression(SKEncodedImageFormat.Jpeg, 50).Pass(new byte[28 * 28], 28), Is.Positive.And.LessThan(file.Size / 4));
    }

    private (int Bytes, long Error) Sum(ImageCompression way)
    {
        var (bytes, error) = (0, 0L);
        for (var i = 0; i < 20; i++)
        {
            var seen = images.Image(i).ToArray();
            bytes += way.Pass(seen, images.Side);
            error += seen.Zip(images.Image(i).ToArray(), (a, b) => (long)(a - b) * (a - b)).Sum();
        }
        return (bytes, error);
    }
}
