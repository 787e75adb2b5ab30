using System.Text.Json;
using Fleet.Contracts;
using Fleet.Onnx;
using Fleet.Tests.Models;
using Google.Protobuf;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Commands;

/// <summary>`fleet models split` on files of every kind.</summary>
[NonParallelizable]
public sealed class ModelSplitTests : CommandFixture
{
    private static readonly string Network = Path.Combine(ProjectFiles.Find("models/zoo"), "fmnist", "tail-0.onnx");

    [TestCase("models split", "MODEL.onnx")]
    [TestCase("models split no-such-file.onnx", "no-such-file.onnx")]
    public void Split_WrongArguments_NameTheCulprit(string line, string culprit) => Refused(culprit, line.Split(' '));

    [TestCase("not an ONNX file at all")]
    [TestCase("")]
    public void Split_UnreadableOnnx_SaysSo(string content)
    {
        var path = Path.Combine(Scratch, "broken.onnx");
        File.WriteAllText(path, content);
        Assert.That(Refused("broken.onnx", "models", "split", path, "--at", "list"), Does.Contain("ONNX model"));
    }

    [Test]
    public void Split_TruncatedOnnx_SaysSo()
    {
        var path = Path.Combine(Scratch, "half.onnx");
        File.WriteAllBytes(path, File.ReadAllBytes(Network)[..5000]);
        Refused("half.onnx", "models", "split", path);
    }

    [Test]
    public void Split_UnknownValue_ListsTheAllowedOnes()
    {
        var said = Refused("no_such_value", "models", "split", Network, "--at", "stage1_relu6,no_such_value", "--out", Scratch);
        Assert.That(said, Does.Contain("stage2_relu6"));
        Assert.That(Directory.EnumerateFiles(Scratch), Is.Empty);
    }

    [Test]
    public void Split_List_TellsShapesAndCosts()
    {
        var said = Fleet("models", "split", Network, "--at", "list");
        Assert.That(said.ExitCode, Is.Zero, said.Error);
        Assert.That(said.Out, Does.Match(@"float\[N,80,7,7\]\s+stage2_relu6\s+15,680\s+3,920\s+0\.113\s+4\.516\s+0\.590\s+0\.085"));
    }

    [Test]
    public void Split_Json_SaysTheSameForPrograms()
    {
        var cuts = Json("models", "split", Network, "--json").GetProperty("cuts").EnumerateArray().ToList();
        var cut = cuts.Single(found => found.GetProperty("value").GetString() == "stage2_relu6");
        Assert.Multiple(() =>
        {
            Assert.That(cuts, Has.Count.EqualTo(18));
            Assert.That(cut.GetProperty("uint8_bytes").GetInt64(), Is.EqualTo(80 * 7 * 7));
            Assert.That(cut.GetProperty("before").GetProperty("work").GetProperty("conv_macs").GetDouble(), Is.EqualTo(4_515_840));
            Assert.That(cut.GetProperty("after").GetProperty("work").GetProperty("conv_macs").GetDouble(), Is.EqualTo(12_754_944));
            Assert.That(cut.GetProperty("after").GetProperty("parameter_bytes").GetInt64(), Is.EqualTo(3_347_112));
        });
    }

    [Test]
    public void Split_AtValues_WritesPartsThatCanBeSplitAgain()
    {
        var said = Fleet("models", "split", Network, "--at", "stage2_relu6,stage1_relu6", "--out", Scratch);
        Assert.That(said.ExitCode, Is.Zero, said.Error);
        Assert.That(said.Out, Does.Match(@"on 3 random inputs stages \+ tail differ from the whole by at most \S+ in an output of magnitude \d"));
        Assert.That(Directory.EnumerateFiles(Scratch).Select(Path.GetFileName), Is.EquivalentTo(["tail-0-stage-1.onnx", "tail-0-stage-2.onnx", "tail-0-tail-1.onnx", "tail-0-tail-2.onnx"]));
        var again = Fleet("models", "split", Path.Combine(Scratch, "tail-0-stage-2.onnx"), "--at", "stage1_relu10", "--out", Path.Combine(Scratch, "deeper"));
        Assert.That(again.ExitCode, Is.Zero, again.Error);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Split_ANetworkWithExits_ComputesEveryOutputOnce(bool exitsLast)
    {
        var report = Json("models", "split", Save(Networks.MultiExit(exitsLast)), "--at", "stage1,stage2", "--out", Scratch, "--json");
        var comparison = report.GetProperty("comparison");
        Assert.That(comparison.GetProperty("difference_ratio").GetDouble(), Is.LessThanOrEqualTo(1e-4));
        Assert.That(comparison.GetProperty("compared").GetInt64(), Is.EqualTo(3 * 2 * 9), "three draws, two tails, three outputs of three elements");
        var outputs = report.GetProperty("files").EnumerateArray().Select(file => OnnxFile.Read(file.GetProperty("file").GetString()!).Graph.Output.Select(output => output.Name)).ToList();
        Assert.That(outputs, Is.EqualTo(exitsLast
            ? new[] { new[] { "stage1" }, ["stage2", "y1"], ["y1", "y2", "y3"], ["y2", "y3"] }
            : [["stage1", "y1"], ["stage2", "y2"], ["y2", "y3"], ["y3"]]));
    }

    [Test]
    public void Split_ANetworkThatIgnoresItsInput_ProvesNothing()
    {
        var model = Networks.Residual();
        var weights = model.Graph.Initializer.Single(tensor => tensor.Name == "y.weight");
        weights.RawData = ByteString.CopyFrom(new byte[weights.RawData.Length]);
        Assert.That(Refused("network.onnx", "models", "split", Save(model), "--at", "active", "--out", Path.Combine(Scratch, "parts")), Does.Contain("the same outputs on 3 different inputs"));
        Assert.That(Directory.Exists(Path.Combine(Scratch, "parts")), Is.False);
    }

    [Test]
    public void Split_WhereNoRankCanBeInferred_DeclaresWhatTheRunShowed()
    {
        var model = Networks.Residual();
        // The axes go through a node, so that nobody knows beforehand how many extents remain.
        model.Graph.Initializer.Add(new TensorProto { Name = "given", DataType = (int)TensorProto.Types.DataType.Int64, Dims = { 2 }, Int64Data = { 2, 3 } });
        var flatten = model.Graph.Node.Single(node => node.OpType == "Flatten");
        model.Graph.Node.Insert(0, new NodeProto { OpType = "Abs", Input = { "given" }, Output = { "axes" } });
        (flatten.OpType, flatten.Name) = ("Squeeze", "squeeze");
        flatten.Attribute.Clear();
        flatten.Input.Add("axes");
        var said = Fleet("models", "split", Save(model), "--at", "y_flat", "--out", Scratch);
        Assert.That(said.ExitCode, Is.Zero, said.Error);
        var shape = OnnxFile.Read(Path.Combine(Scratch, "network-tail-1.onnx")).Graph.Input[0].Type.TensorType.Shape.Dim;
        Assert.That(shape.Select(dimension => dimension.DimValue), Is.EqualTo([0L, 4L]), "the batch stays open");
    }

    [Test]
    public void Split_ARecurrentNetwork_IsRefusedByName()
    {
        var said = Refused("network.onnx", "models", "split", Save(Networks.With(new NodeProto { OpType = "LSTM", Name = "memory" })));
        Assert.That(said, Does.Contain("cannot be cut: node \"memory\" (LSTM) is recurrent"));
    }

    [Test]
    public void Split_WeightsInAnotherFile_AreRefused()
    {
        var model = Networks.Residual();
        model.Graph.Initializer[0].DataLocation = TensorProto.Types.DataLocation.External;
        Assert.That(Refused("network.onnx", "models", "split", Save(model)), Does.Contain("lies in another file"));
    }

    [Test]
    public void Split_OpenDimensions_AskForAShape()
    {
        var model = Networks.Residual();
        var shape = model.Graph.Input[0].Type.TensorType.Shape;
        (shape.Dim[2].DimParam, shape.Dim[3].DimParam) = ("height", "");
        var path = Save(model);
        Assert.That(Refused("network.onnx", "models", "split", path), Does.Contain("dimension 2 (height)").And.Contain("dimension 3 (?)").And.Contain("--input-shape 1,1,224,224"));
        var listed = Json("models", "split", path, "--input-shape", "2,1,8,8", "--json");
        Assert.That(listed.GetProperty("cuts")[0].GetProperty("fp32_bytes").GetInt64(), Is.EqualTo(2 * 4 * 8 * 8 * 4));
    }

    [TestCase("1,2,8,8", "the file says N,1,8,8")]
    [TestCase("1,1,8", "the file says N,1,8,8")]
    [TestCase("1,1,8,0", "whole numbers above 0")]
    [TestCase("z=1,1,8,8", "names none of the inputs: x")]
    public void Split_WrongInputShape_IsRefused(string shape, string why) =>
        Assert.That(Refused("--input-shape", "models", "split", Save(Networks.Residual()), "--input-shape", shape), Does.Contain(why));

    private string Save(ModelProto model)
    {
        var path = Path.Combine(Scratch, "network.onnx");
        OnnxFile.Write(model, path);
        return path;
    }

    private static JsonElement Json(params string[] args)
    {
        var said = Fleet(args);
        Assert.That(said.ExitCode, Is.Zero, said.Error);
        return JsonDocument.Parse(said.Out).RootElement;
    }

    private static string Refused(string culprit, params string[] args)
    {
        var said = Fleet(args);
        Assert.That(said.ExitCode, Is.EqualTo(2), said.Out);
        Assert.That(said.Error, Does.Contain(culprit));
        return said.Error;
    }
}
