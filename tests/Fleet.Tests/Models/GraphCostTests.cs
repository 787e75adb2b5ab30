using Fleet.Contracts;
using Fleet.Onnx;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
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
    public void Of_AResidualBlock_CountsTheSumAndThePools()
    {
        var model = Networks.Residual();
        var cost = GraphCost.Of(model, OnnxShapes.Of(model, Networks.Weights(64), 1, 1, 8, 8));
        // Four channels: the sum of 8x8, its ReLU, which no convolution wrote, pooled to 4x4 and to one.
        Assert.That(cost.OtherElements, Is.EqualTo(4 * (64 + 64 + 16 + 1)));
    }

    [Test]
    public void Of_QuantisedNetwork_CountsItsMacsAsInt8InEitherForm()
    {
        var exact = OnnxFile.Read(Path.Combine(Zoo.Directory, "stage-1.onnx"));
        var coded = Quantiser.Quantise(exact, Quantiser.Observed(exact).ToDictionary(value => value, _ => new ValueRange(-1, 1)));
        var extents = Zoo.Card.Cuts[0].Shape;
        GraphCost Cost(ModelProto model) => GraphCost.Of(model, OnnxShapes.Of(model, new float[extents.Aggregate((a, b) => a * b)], [1, .. extents.Select(extent => (long)extent)]));
        var (fp32, pairs, fused) = (Cost(exact), Cost(coded), Cost(OnIntegers(coded)));
        Assert.That(fp32.Int8Macs, Is.Zero);
        Assert.That(pairs.Int8Macs, Is.EqualTo(fp32.Macs));
        Assert.That((fused.Macs, fused.Int8Macs), Is.EqualTo((fp32.Macs, fp32.Macs)));
    }

    [TestCase(4, 4, 0)]
    [TestCase(16, 8, 2)]
    [TestCase(16, 2, 8)]
    [TestCase(32, 2, 0)]
    [TestCase(16, 1, 0)]
    public void Of_GroupedConvolution_NarrowGroupsStandApart(int channels, int groups, int narrowWidth)
    {
        var graph = new GraphBuilder("grouped");
        var wide = graph.Conv(graph.Input("x", 1, 2, 2), "wide", Networks.Weights(channels), Networks.Weights(channels), new Window(1));
        graph.Conv(wide, "y", Networks.Weights(channels * channels / groups * 9), Networks.Weights(channels), new Window(3, 1, 1, Groups: groups));
        graph.Output("y", channels, 2, 2);
        var model = graph.Build("test");
        Assert.That(GraphCost.Of(model, OnnxShapes.Of(model, Networks.Weights(4), 1, 1, 2, 2)).NarrowConvMacs, Is.EqualTo(4 * channels * narrowWidth * 9));
    }

    /// <summary>As ONNX Runtime fuses pairs of QuantizeLinear and DequantizeLinear into operators on integers.</summary>
    private static ModelProto OnIntegers(ModelProto coded)
    {
        var path = Path.Combine(TestContext.CurrentContext.WorkDirectory, "integers.onnx");
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_EXTENDED, OptimizedModelFilePath = path };
        using (new InferenceSession(coded.ToByteArray(), options)) { }
        var model = OnnxFile.Read(path);
        File.Delete(path);
        Assert.That(model.Graph.Node.Select(node => node.OpType), Does.Contain("QLinearConv").And.Not.Contain("Conv"));
        return model;
    }

    [Test]
    public void Of_UnknownShape_NamesTheValue() => Assert.That(
        () => GraphCost.Of(Networks.Residual(), new Dictionary<string, ValueShape>()),
        Throws.TypeOf<InvalidDataException>().With.Message.Contains("\"first\""));
}
