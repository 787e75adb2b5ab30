using Fleet.Onnx;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Reading, building and cutting ONNX graphs; no torch here.</summary>
public sealed class OnnxTests
{
    private static readonly Random Random = new(5);

    [Test]
    public void CutPoints_OfABranch_LieOutsideIt() =>
        Assert.That(GraphCutter.CutPoints(Network()).Select(cut => cut.Value), Is.EqualTo(["first", "sum", "active", "small", "pool", "flat"]));

    [Test]
    public void Extract_HeadAndTailAtEveryCut_EqualTheWhole()
    {
        var whole = Network();
        var x = Enumerable.Range(0, 2 * 8 * 8).Select(_ => Random.NextSingle() - 0.5f).ToArray();
        var expected = Run(whole, x, [2, 1, 8, 8]).Values;
        foreach (var cut in GraphCutter.CutPoints(whole))
        {
            var value = Values.Tensor(cut.Value, TensorProto.Types.DataType.Float);
            var (features, shape) = Run(GraphCutter.Extract(whole, whole.Graph.Input, [value]), x, [2, 1, 8, 8]);
            var tail = Run(GraphCutter.Extract(whole, [value], whole.Graph.Output), features, shape).Values;
            Assert.That(tail, Is.EqualTo(expected).Within(1e-6), cut.Value);
        }
    }

    [Test]
    public void Extract_TwoValuesNeeded_SaysWhichIsMissing()
    {
        var whole = Network();
        var value = Values.Tensor("second", TensorProto.Types.DataType.Float);
        Assert.That(() => GraphCutter.Extract(whole, [value], whole.Graph.Output), Throws.TypeOf<InvalidDataException>().With.Message.Contains("\"x\""));
    }

    [Test]
    public void Extract_UnknownOutput_IsNamed()
    {
        var whole = Network();
        var value = Values.Tensor("nothing", TensorProto.Types.DataType.Float);
        Assert.That(() => GraphCutter.Extract(whole, whole.Graph.Input, [value]), Throws.TypeOf<InvalidDataException>().With.Message.Contains("\"nothing\""));
    }

    [TestCase("", "no IR version")]
    [TestCase("08 08", "no operator set")]
    [TestCase("08 08 42 02 10 11", "no nodes")]
    [TestCase("3C 68 74 6D 6C 3E", "not an ONNX model")]
    public void Parse_WrongBytes_NamesTheFileAndWhy(string hex, string why) => Assert.That(
        () => OnnxFile.Parse(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), "a.onnx"),
        Throws.TypeOf<InvalidDataException>().With.Message.StartsWith("a.onnx: ").And.Message.Contains(why));

    [Test]
    public void Parse_TruncatedModel_NeverGivesAModelSilently()
    {
        var bytes = Network().ToByteArray();
        for (var length = 0; length < bytes.Length; length++)
            Assert.That(() => OnnxFile.Parse(bytes.AsSpan(0, length), "a.onnx"), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void Parse_FieldsUnknownToTheSchema_SurviveRewriting()
    {
        // Field 25 (functions) of ModelProto, which the schema does not list.
        var bytes = Network().ToByteArray().Concat(Convert.FromHexString("CA0103010203")).ToArray();
        Assert.That(OnnxFile.Parse(bytes, "a.onnx").ToByteArray(), Is.EqualTo(bytes));
    }

    [Test]
    public void Fold_BatchNormalisation_EqualsTheFormula()
    {
        var norm = new BatchNormalization([2f, -1f], [0.5f, 0.25f], [0.1f, -0.2f], [4f, 0.25f], 1e-5);
        var (weights, bias) = norm.Fold([1f, 2f, 3f, 4f]);
        // With x = (x0, x1): gamma (w x - mean) / sqrt(variance + epsilon) + beta.
        double Expected(int channel, double wx) => norm.Gamma[channel] * (wx - norm.Mean[channel]) / Math.Sqrt(norm.Variance[channel] + 1e-5) + norm.Beta[channel];
        Assert.Multiple(() =>
        {
            Assert.That(weights[0] * 0.3 + weights[1] * 0.7 + bias[0], Is.EqualTo(Expected(0, 0.3 + 2 * 0.7)).Within(1e-6));
            Assert.That(weights[2] * 0.3 + weights[3] * 0.7 + bias[1], Is.EqualTo(Expected(1, 3 * 0.3 + 4 * 0.7)).Within(1e-6));
        });
    }

    [Test]
    public void Build_ValueNobodyMade_IsRefused() =>
        Assert.That(() => new GraphBuilder("g").Relu("ghost", "y"), Throws.ArgumentException.With.Message.Contains("ghost"));

    /// <summary>x [N,1,8,8] -> first -> (second + projected from x's neighbour) -> pool -> 3 numbers.</summary>
    private static ModelProto Network()
    {
        var graph = new GraphBuilder("test");
        var x = graph.Input("x", 1, 8, 8);
        var first = graph.Conv(x, "first", Weights(4 * 9), Weights(4), new Window(3, 1, 1));
        var second = graph.Conv(first, "second", Weights(4 * 9), Weights(4), new Window(3, 1, 1, Groups: 4));
        var active = graph.Relu(graph.Add(second, first, "sum"), "active");
        var pool = graph.GlobalAveragePool(graph.MaxPool(active, "small", new Window(2, 2)), "pool");
        graph.Gemm(graph.Flatten(pool, "flat"), "y", Weights(12), Weights(3));
        graph.Output("y", 3);
        return graph.Build("test");
    }

    private static float[] Weights(int count) => [.. Enumerable.Range(0, count).Select(i => (i * 37 % 19 - 9) / 10f)];

    private static (float[] Values, long[] Shape) Run(ModelProto model, float[] input, long[] shape)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(model.ToByteArray(), options);
        using var run = new RunOptions();
        using var value = OrtValue.CreateTensorValueFromMemory(input, shape);
        using var outputs = session.Run(run, session.InputNames, [value], session.OutputNames);
        return (outputs[0].GetTensorDataAsSpan<float>().ToArray(), outputs[0].GetTensorTypeAndShape().Shape);
    }
}
