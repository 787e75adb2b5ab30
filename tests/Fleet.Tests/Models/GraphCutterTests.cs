using Fleet.Onnx;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Where graphs can be cut, and that the parts are the whole.</summary>
public sealed class GraphCutterTests
{
    [Test]
    public void CutPoints_OfABranch_LieOutsideIt() =>
        Assert.That(GraphCutter.CutPoints(Networks.Residual()).Select(cut => cut.Value), Is.EqualTo(["first", "sum", "active", "small", "y_pool", "y_flat"]));

    [Test]
    public void CutPoints_OfParallelBranches_LieBehindTheirJoin() =>
        Assert.That(GraphCutter.CutPoints(Networks.Inception()).Select(cut => cut.Value), Is.EqualTo(["joined", "y_pool", "y_flat"]));

    [TestCase(false)]
    [TestCase(true)]
    public void CutPoints_BehindAnExit_AreFoundWhereverItsNodesStand(bool exitsLast) => Assert.That(
        GraphCutter.CutPoints(Networks.MultiExit(exitsLast)).Select(cut => cut.Value),
        Is.EqualTo(["conv1", "stage1", "conv2", "stage2", "conv3", "stage3", "y3_pool", "y3_flat"]));

    [Test]
    public void CutPoints_OfExits_DivideTheOutputs()
    {
        var cuts = GraphCutter.CutPoints(Networks.MultiExit()).ToDictionary(cut => cut.Value);
        Assert.Multiple(() =>
        {
            Assert.That(cuts["conv1"].EarlierOutputs, Is.Empty);
            Assert.That(cuts["stage1"].EarlierOutputs, Is.EqualTo(["y1"]), "an exit that the file computes before it goes on");
            Assert.That(cuts["conv2"].EarlierOutputs, Is.EqualTo(["y1"]));
            Assert.That(cuts["stage2"].EarlierOutputs, Is.EqualTo(["y1", "y2"]));
            Assert.That(cuts["stage2"].LaterOutputs, Is.EqualTo(["y3"]));
        });
        var sorted = GraphCutter.CutPoints(Networks.MultiExit(exitsLast: true)).ToDictionary(cut => cut.Value);
        Assert.That(sorted["stage1"].LaterOutputs, Is.EqualTo(["y1", "y2", "y3"]), "an exit that the file computes later");
        Assert.That(sorted["conv2"].EarlierOutputs, Is.EqualTo(["y1"]), "an exit that does not need the value");
    }

    [Test]
    public void CutPoints_ValueThatOnlySomeOutputsNeedAlone_IsNone()
    {
        // The second output needs both "first" and what follows from it, so "second" carries all for nobody.
        var model = Networks.Residual();
        model.Graph.Output.Insert(0, Values.Float("second", 4, 8, 8));
        Assert.That(GraphCutter.CutPoints(model).Select(cut => cut.Value), Does.Contain("first").And.Contain("sum").And.Not.Contain("second"));
    }

    [TestCase("residual")]
    [TestCase("inception")]
    [TestCase("exits")]
    [TestCase("exits last")]
    public void Extract_PartsAtEveryCut_EqualTheWhole(string kind)
    {
        var whole = kind switch { "residual" => Networks.Residual(), "inception" => Networks.Inception(), "exits" => Networks.MultiExit(), _ => Networks.MultiExit(exitsLast: true) };
        var x = Networks.Weights(2 * 64);
        var expected = OnnxRun.Outputs(whole, x, 2, 1, 8, 8);
        var shapes = OnnxShapes.Of(whole, x, 2, 1, 8, 8);
        var cuts = GraphCutter.CutPoints(whole);
        Assert.That(cuts, Is.Not.Empty);
        foreach (var cut in cuts)
        {
            var value = Values.Tensor(cut.Value, TensorProto.Types.DataType.Float);
            var before = OnnxRun.Outputs(GraphCutter.Extract(whole, whole.Graph.Input, [value, .. Declared(whole, cut.EarlierOutputs)]), x, 2, 1, 8, 8);
            var after = OnnxRun.Outputs(GraphCutter.Extract(whole, [value], [.. Declared(whole, cut.LaterOutputs)]), before[cut.Value], [.. shapes[cut.Value].Extents]);
            foreach (var (output, numbers) in expected)
                Assert.That(cut.EarlierOutputs.Contains(output) ? before[output] : after[output], Is.EqualTo(numbers).Within(1e-6), $"{output} over {cut.Value}");
        }
    }

    [Test]
    public void Extract_TwoValuesNeeded_SaysWhichIsMissing()
    {
        var whole = Networks.Residual();
        var value = Values.Tensor("second", TensorProto.Types.DataType.Float);
        Assert.That(() => GraphCutter.Extract(whole, [value], whole.Graph.Output), Throws.TypeOf<InvalidDataException>().With.Message.Contains("\"x\""));
    }

    [Test]
    public void Extract_UnknownOutput_IsNamed()
    {
        var whole = Networks.Residual();
        var value = Values.Tensor("nothing", TensorProto.Types.DataType.Float);
        Assert.That(() => GraphCutter.Extract(whole, whole.Graph.Input, [value]), Throws.TypeOf<InvalidDataException>().With.Message.Contains("\"nothing\""));
    }

    [Test]
    public void Refusal_OfWhatCanBeCut_IsNone() =>
        Assert.That(new[] { Networks.Residual(), Networks.Inception(), Networks.MultiExit() }.Select(GraphCutter.Refusal), Has.All.Null);

    [TestCase("LSTM")]
    [TestCase("GRU")]
    [TestCase("RNN")]
    [TestCase("Loop")]
    [TestCase("Scan")]
    [TestCase("If")]
    public void Refusal_OfState_NamesTheNode(string operation) => Assert.That(
        GraphCutter.Refusal(Networks.With(new NodeProto { OpType = operation, Name = "culprit" })),
        Does.StartWith($"node \"culprit\" ({operation}) ").And.Contain(operation == "If" ? "chooses between networks" : "is recurrent"));

    [Test]
    public void Refusal_OfStateInsideABranch_NamesBoth()
    {
        var body = new GraphProto { Node = { new NodeProto { OpType = "LSTM", Name = "memory", Output = { "h" } } } };
        var node = new NodeProto { OpType = "If", Name = "rate", Attribute = { new AttributeProto { Name = "then_branch", G = body } } };
        Assert.That(GraphCutter.Refusal(Networks.With(node)), Does.StartWith("node \"memory\" (LSTM, inside If \"rate\") is recurrent"));
    }

    [Test]
    public void Refusal_OfStateBehindAChoice_NamesTheState()
    {
        var model = Networks.With(new NodeProto { OpType = "If", Name = "rate", Attribute = { new AttributeProto { Name = "then_branch", G = new GraphProto { Node = { new NodeProto { OpType = "If", Name = "first" } } } } } });
        model.Graph.Node.Add(new NodeProto { OpType = "GRU", Name = "memory", Output = { "h" } });
        Assert.That(GraphCutter.Refusal(model), Does.StartWith("node \"memory\" (GRU) is recurrent"));
    }

    [Test]
    public void Refusal_NoSingleValue_NamesTheNarrowestPlace() => Assert.That(
        GraphCutter.Refusal(Networks.Conditioned()),
        Does.Contain("nowhere does a single value").And.Match(@"after \d of 8 nodes, where 2 cross: x, \w+"));

    [Test]
    public void CutPoints_NodesOutOfOrder_AreRefused()
    {
        var model = Networks.Residual();
        var last = model.Graph.Node[^1];
        model.Graph.Node.RemoveAt(model.Graph.Node.Count - 1);
        model.Graph.Node.Insert(0, last);
        Assert.That(() => GraphCutter.CutPoints(model), Throws.TypeOf<InvalidDataException>().With.Message.Contains("computed behind it"));
    }

    private static IEnumerable<ValueInfoProto> Declared(ModelProto model, IEnumerable<string> outputs) => outputs.Select(name => model.Graph.Output.Single(output => output.Name == name));
}
