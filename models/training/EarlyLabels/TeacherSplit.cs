using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>A trained network that is imitated up to <see cref="VariationalSplit.Cut"/>, and whose tail goes on from there; nothing of it is trained.</summary>
public sealed class TeacherSplit
{
    private const int Batch = 250;

    private readonly Network net;
    private readonly List<Layer> head;
    private readonly Piece tail;

    /// <param name="net">Put into evaluation mode here; leave it there.</param>
    public TeacherSplit(Network net)
    {
        this.net = net;
        tail = net.Architecture.Tail(VariationalSplit.Cut);
        head = [.. net.Architecture.Tail(0).Layers.Except(tail.Layers)];
        net.eval();
    }

    public Network Network => net;

    public int Classes => net.Architecture.ClassCount;

    /// <summary>Images [N, 1, side, side] to the features at the cut, without gradients.</summary>
    public Tensor Features(Tensor images)
    {
        using var noGradient = no_grad();
        return net.Values(net.Architecture.Input, images, head)[tail.Input];
    }

    /// <summary>What the tail says about decoded latents [N, d]: [image, class], flattened. Leaves the split in evaluation mode.</summary>
    public float[] TailLogits(VariationalSplit split, Tensor latents)
    {
        var logits = new float[latents.shape[0] * Classes];
        split.eval();
        using var noGradient = no_grad();
        for (long first = 0; first < latents.shape[0]; first += Batch)
        {
            using var scope = NewDisposeScope();
            var features = split.Decode(latents.narrow(0, first, Math.Min(Batch, latents.shape[0] - first)));
            Network.Elements(net.Values(tail.Input, features, tail.Layers)[net.Architecture.Exits[^1]]).CopyTo(logits, first * Classes);
        }
        return logits;
    }
}
