using Fleet.Contracts;
using Fleet.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>What the devices of a distributed network make of every image of a set, once; the exits are asked about any choice of them.</summary>
public sealed class DdnnOutcomes : IDisposable
{
    private const int Batch = 500;

    private readonly Ddnn net;
    private readonly ImageSet images;
    private readonly Tensor bits;
    private readonly Tensor vectors;

    private DdnnOutcomes(Ddnn net, ImageSet images, Tensor bits, Tensor vectors) => (this.net, this.images, this.bits, this.vectors) = (net, images, bits, vectors);

    /// <summary>Leaves the network in evaluation mode.</summary>
    public static DdnnOutcomes Of(Ddnn net, ImageSet images)
    {
        net.eval();
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var made = images.Batches(Batch).Select(batch => net.Devices.forward(net.Views(batch.Make()))).ToList();
        return new DdnnOutcomes(net, images,
            cat([.. made.Select(batch => batch.Bits)]).MoveToOuterDisposeScope(), cat([.. made.Select(batch => batch.Vectors)]).MoveToOuterDisposeScope());
    }

    public int Views => net.Grid.Views;

    /// <summary>What one device sends a sample in the mean.</summary>
    public Bytes Cost(double localExits) =>
        CommunicationCost.Mean(net.Devices.Classes, localExits, net.Shape.Filters, net.Devices.Map.Elements / net.Shape.Filters);

    public static bool[] AllPresent(int views) => [.. Enumerable.Repeat(true, views)];

    /// <summary>Class vectors [image, view, class], flattened.</summary>
    public float[] Vectors => Network.Elements(vectors);

    /// <summary>Signs [image, view, map element], flattened.</summary>
    public float[] Bits => Network.Elements(bits);

    /// <summary>Accuracy of the own exit of view 1...</summary>
    public double OwnAccuracy(int view) => Calibration.Accuracy(Network.Elements(vectors.select(1, view - 1)), images.Labels, net.Devices.Classes);

    /// <summary>What the exits say when only some devices are there.</summary>
    public GroupExits With(IReadOnlyList<bool> present)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var presence = tensor(present.Select(view => view ? 1f : 0f).ToArray(), [1, present.Count]);
        var (local, edge, cloud) = (new List<float>(), new List<float>(), new List<float>());
        for (long first = 0; first < bits.shape[0]; first += Batch)
        {
            using var inner = NewDisposeScope();
            var last = Math.Min(first + Batch, bits.shape[0]);
            var logits = net.Finish(bits[TensorIndex.Slice(first, last)], vectors[TensorIndex.Slice(first, last)], presence);
            local.AddRange(Network.Elements(logits.Local));
            edge.AddRange(Network.Elements(logits.Edge));
            cloud.AddRange(Network.Elements(logits.Cloud));
        }
        return new GroupExits(images.Labels, net.Devices.Classes, [.. local], [.. edge], [.. cloud]);
    }

    public void Dispose()
    {
        bits.Dispose();
        vectors.Dispose();
    }
}
