using Fleet.Contracts;
using Fleet.Onnx;
using NUnit.Framework;

namespace Fleet.Tests.Models;

public sealed class GraphCostTests
{
    [Test]
    public void Of_FilesOfTheZoo_CountsWhatTheCardSays()
    {
        foreach (var piece in Zoo.Card.Stages.Concat(Zoo.Card.Tails))
        {
            var model = OnnxFile.Read(Path.Combine(Zoo.Directory, piece.File));
            var extents = Zoo.Card.Cuts[piece.File.StartsWith("stage", StringComparison.Ordinal) ? piece.Index - 1 : piece.Index].Shape;
            long[] shape = [1, .. extents.Select(extent => (long)extent)];
            var cost = GraphCost.Of(model, OnnxShapes.Of(model, new float[extents.Aggregate((a, b) => a * b)], shape));
            double[] counted = [cost.FirstConvMacs, cost.ConvMacs, cost.PointwiseMacs, cost.DepthwiseMacs, cost.DenseMacs, cost.OutputElements, cost.Layers, cost.Parameters, cost.LayerActivationBytes];
            var said = piece.Work;
            Assert.That(counted, Is.EqualTo(new[] { said.FirstConv.Value, said.Conv.Value, said.Pointwise.Value, said.Depthwise.Value, said.Dense.Value, said.OutputElements, said.Layers, piece.Parameters, piece.PeakActivationBytes }), piece.File);
            if (piece.Precision is not Precision.Float32) continue;
            Assert.That(cost.ParameterBytes, Is.EqualTo(sizeof(float) * piece.Parameters), piece.File);
            // The card's peak is one layer's; a graph's also holds what later nodes read.
            Assert.That(cost.PeakActivationBytes, Is.GreaterThanOrEqualTo(piece.PeakActivationBytes), piece.File);
        }
    }

    [Test]
    public void Of_AResidualBlock_HoldsWhatIsAddedLater()
    {
        var model = Networks.Residual();
        var cost = GraphCost.Of(model, OnnxShapes.Of(model, Networks.Weights(64), 1, 1, 8, 8));
        const int first = 4 * 64;
        Assert.Multiple(() =>
        {
            Assert.That(cost.FirstConvMacs, Is.EqualTo(first * 9));
            Assert.That(cost.DepthwiseMacs, Is.EqualTo(first * 9));
            Assert.That(cost.DenseMacs, Is.EqualTo(12));
            Assert.That(cost.PeakActivationBytes, Is.EqualTo(4 * (3 * first)), "two summands and their sum, which ReLU then overwrites");
            Assert.That(cost.ParameterBytes, Is.EqualTo(4 * (2 * (36 + 4) + 12 + 3)));
        });
    }

    [Test]
    public void Of_UnknownShape_NamesTheValue() => Assert.That(
        () => GraphCost.Of(Networks.Residual(), new Dictionary<string, ValueShape>()),
        Throws.TypeOf<InvalidDataException>().With.Message.Contains("\"first\""));
}
