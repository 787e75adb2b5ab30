using Fleet.Models;
using Fleet.Onnx;
using Google.Protobuf;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Eight-bit copies of the zoo's files, calibrated on some of the images that come with the code and judged on others.</summary>
public sealed class QuantiserTests
{
    private const int CalibrationCount = 200;
    private const int JudgedCount = 1000;

    private string scratch = "";

    [SetUp]
    public void CreateScratch() => scratch = Directory.CreateTempSubdirectory("fleet-quantiser").FullName;

    [TearDown]
    public void DeleteScratch() => Directory.Delete(scratch, recursive: true);

    [TestCase("tail-0.onnx", 0.35)]
    [TestCase("tail-1.onnx", 0.35)]
    public void Quantise_FilesOfTheZoo_ShrinkToAThird(string file, double ratioMax)
    {
        var exact = OnnxFile.Read(Path.Combine(Zoo.Directory, file));
        var coded = Quantiser.Quantise(exact, Quantiser.Observed(exact).ToDictionary(value => value, _ => new ValueRange(-1, 1)));
        Assert.That(coded.CalculateSize(), Is.LessThan(ratioMax * exact.CalculateSize()));
    }

    [Test]
    public void Quantise_TheWholeNetwork_KeepsItsAccuracy()
    {
        var (calibration, judged) = (Pixels(0, CalibrationCount), Pixels(CalibrationCount, JudgedCount));
        var model = OnnxFile.Read(Path.Combine(Zoo.Directory, Zoo.Card.Tails[0].File));
        var shape = Zoo.Card.Cuts[0].Shape;
        var coded = Quantiser.Quantise(model, Ranges(model, calibration, shape, histogram => histogram.Percentile(0.9999)));
        Assert.That(Accuracy(Run(coded, judged, shape)["logits"]), Is.GreaterThan(Accuracy(Run(model, judged, shape)["logits"]) - 0.01));
    }

    /// <summary>So that sums of two products fit 16 bits, as older x86 processors need it.</summary>
    [Test]
    public void Quantise_Weights_KeepToSevenBits()
    {
        var exact = OnnxFile.Read(Path.Combine(Zoo.Directory, "stage-1.onnx"));
        var coded = Quantiser.Quantise(exact, Quantiser.Observed(exact).ToDictionary(value => value, _ => new ValueRange(-1, 1)));
        var codes = coded.Graph.Initializer.Where(tensor => tensor.Name.EndsWith(".weight.codes", StringComparison.Ordinal)).SelectMany(tensor => tensor.RawData.ToByteArray()).Select(code => (int)(sbyte)code).ToList();
        Assert.That((codes.Min(), codes.Max(Math.Abs)), Is.EqualTo((-64, 64)));
    }

    [TestCase("stage-1.onnx")]
    [TestCase("tail-0.onnx")]
    public void Quantise_FilesOfTheZoo_AreFusedByOnnxRuntime(string file)
    {
        var exact = OnnxFile.Read(Path.Combine(Zoo.Directory, file));
        var coded = Quantiser.Quantise(exact, Quantiser.Observed(exact).ToDictionary(value => value, _ => new ValueRange(-1, 1)));
        var run = OnnxRun.OptimisedOperators(coded, scratch);
        int Count(string operation) => run.Count(found => found == operation);
        int Had(string operation) => exact.Graph.Node.Count(node => node.OpType == operation);
        Assert.Multiple(() =>
        {
            Assert.That(Had("Conv"), Is.Positive);
            Assert.That(Count("QLinearConv"), Is.EqualTo(Had("Conv")));
            Assert.That(Count("QLinearAdd"), Is.EqualTo(Had("Add")));
            Assert.That(Count("QLinearGlobalAveragePool"), Is.EqualTo(Had("GlobalAveragePool")));
            Assert.That(Count("QGemm"), Is.EqualTo(Had("Gemm")));
            Assert.That(run, Has.None.AnyOf("Conv", "Gemm", "Add", "Relu", "FusedConv"), "nothing may be left in fp32");
        });
    }

    [Test]
    public void Quantise_EveryStructure_StaysNearTheExactResult()
    {
        var graph = new GraphBuilder("forms");
        var x = graph.Input("x", 3, 8, 8);
        var shared = graph.Relu(graph.Conv(x, "shared.sum", Weights(8 * 27), Weights(8), new Window(3, 1, 1)), "shared");
        // Its weights are so small and its bias so large that 32 bits would not hold the bias at their scale.
        var flat = graph.Conv(shared, "flat", [.. Weights(8 * 8).Select(weight => weight * 1e-12f)], Weights(8), new Window(1));
        var signed = graph.Add(flat, graph.MaxPool(shared, "largest", new Window(3, 1, 1)), "signed");
        var features = graph.Relu(signed, "features");
        var exit = graph.Gemm(graph.Flatten(graph.GlobalAveragePool(features, "mean"), "vector"), "hidden", Weights(8 * 5), Weights(5));
        graph.Gemm(graph.Relu(exit, "active"), "logits", Weights(5 * 4), Weights(4));
        graph.Output("features", 8, 8, 8);
        graph.Output("logits", 4);
        var exact = graph.Build("test");

        var inputs = Weights(20 * 3 * 64);
        var coded = Quantiser.Quantise(exact, Ranges(exact, inputs, [3, 8, 8], histogram => histogram.MinMax()));
        var (wanted, found) = (Run(exact, inputs, [3, 8, 8]), Run(coded, inputs, [3, 8, 8]));
        foreach (var output in new[] { "features", "logits" })
            Assert.That(found[output], Is.EqualTo(wanted[output]).Within(0.03 * wanted[output].Max(Math.Abs)), output);
        Assert.That(coded.Graph.Input.Single(), Is.EqualTo(exact.Graph.Input.Single()));
        Assert.That(coded.Graph.Output, Is.EqualTo(exact.Graph.Output));
        Assert.That(OnnxRun.OptimisedOperators(coded, scratch), Has.None.AnyOf("Conv", "FusedConv", "Gemm", "Add", "Relu"));
    }

    [Test]
    public void Quantise_MissingRange_IsNamed()
    {
        var exact = OnnxFile.Read(Path.Combine(Zoo.Directory, "stage-1.onnx"));
        var ranges = Quantiser.Observed(exact).Where(value => value != "x").ToDictionary(value => value, _ => new ValueRange(0, 1));
        Assert.That(() => Quantiser.Quantise(exact, ranges), Throws.TypeOf<InvalidDataException>().With.Message.EndsWith("no range is given for x"));
    }

    [Test]
    public void Quantise_Twice_IsRefused()
    {
        var exact = OnnxFile.Read(Path.Combine(Zoo.Directory, "stage-1.onnx"));
        var ranges = Quantiser.Observed(exact).ToDictionary(value => value, _ => new ValueRange(0, 1));
        var coded = Quantiser.Quantise(exact, ranges);
        Assert.That(() => Quantiser.Quantise(coded, ranges), Throws.TypeOf<InvalidDataException>().With.Message.Contains("quantised already"));
    }

    [Test]
    public void Quantise_OldOperators_AreRefused()
    {
        var exact = OnnxFile.Read(Path.Combine(Zoo.Directory, "stage-1.onnx"));
        exact.OpsetImport[0].Version = 12;
        Assert.That(() => Quantiser.Observed(exact), Throws.TypeOf<InvalidDataException>().With.Message.Contains("operator set 12"));
    }

    /// <summary>Repeatable numbers in -1..1.</summary>
    private static float[] Weights(int count) => [.. Enumerable.Range(0, count).Select(i => (i * 7919 % 2003 - 1001) / 1001f)];

    private static Dictionary<string, ValueRange> Ranges(ModelProto model, float[] inputs, IReadOnlyList<int> shape, Func<ValueHistogram, ValueRange> range)
    {
        var observed = Quantiser.Observed(model);
        var histograms = observed.ToDictionary(value => value, _ => new ValueHistogram());
        var seen = Run(Exposure.Of(model, observed.Where(value => value != "x")), inputs, shape);
        seen["x"] = inputs;
        foreach (var (value, histogram) in histograms) histogram.Add(seen[value]);
        return histograms.ToDictionary(pair => pair.Key, pair => range(pair.Value));
    }

    private static Dictionary<string, float[]> Run(ModelProto model, float[] inputs, IReadOnlyList<int> shape)
    {
        var elements = shape.Aggregate((a, b) => a * b);
        return OnnxRun.Outputs(model, inputs, [inputs.Length / elements, .. shape.Select(extent => (long)extent)]);
    }

    private static float[] Pixels(int first, int count) =>
        [.. Enumerable.Range(first, count).SelectMany(i => Zoo.Images.Image(i).ToArray()).Select(pixel => (float)((pixel / 255.0 - Zoo.Card.InputMean) / Zoo.Card.InputStd))];

    private static double Accuracy(float[] logits) =>
        Calibration.Accuracy(logits, [.. Enumerable.Range(CalibrationCount, JudgedCount).Select(i => (byte)Zoo.Images.Label(i))], Zoo.Card.Classes.Count);
}
