using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>The latent means of a set of images.</summary>
public sealed class Latents
{
    /// <summary>Of the magnitudes; what is larger is clipped when it crosses.</summary>
    private const double Quantile = 0.9999;

    /// <summary>Encodes all images; leaves the split in evaluation mode.</summary>
    public Latents(VariationalSplit split, ImageSet images)
    {
        Labels = images.Labels;
        split.eval();
        using var noGradient = no_grad();
        var parts = new List<Tensor>();
        foreach (var (_, make) in images.Batches(250))
        {
            using var scope = NewDisposeScope();
            parts.Add(split.Encode(make()).Mean.contiguous().MoveToOuterDisposeScope());
        }
        Values = cat(parts);
        foreach (var part in parts) part.Dispose();
    }

    /// <summary>[image].</summary>
    public byte[] Labels { get; }

    /// <summary>[image, d].</summary>
    public Tensor Values { get; }

    /// <summary>The int8 scale under which these values cross.</summary>
    public float Scale
    {
        get
        {
            var magnitudes = Network.Elements(Values.abs());
            Array.Sort(magnitudes);
            return Math.Max(magnitudes[(int)Math.Round(Quantile * (magnitudes.Length - 1))], 1e-6f) / sbyte.MaxValue;
        }
    }

    /// <summary>The values as they come out of int8: round(value / scale) within -127..127, times scale.</summary>
    public Tensor Crossed(float scale) => Values.div(scale).round().clamp(-sbyte.MaxValue, sbyte.MaxValue).mul(scale);
}
