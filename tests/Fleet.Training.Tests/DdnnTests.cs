using Fleet.Contracts;
using Fleet.Models;
using Fleet.Onnx;
using Google.Protobuf;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace Fleet.Training.Tests;

/// <summary>A small distributed network, trained briefly and exported.</summary>
public sealed class DdnnTests
{
    private static readonly DdnnShape Shape = new(2, Aggregation.MaxPooling, Aggregation.Concatenation);
    private static readonly DdnnRecipe Recipe = new(new Recipe { Seed = 3, Epochs = 2, BatchSize = 64, LearningRate = 1e-3, WeightDecay = 0 }, 0.3);

    private readonly TaskData task = SmallData.Load();
    private readonly string directory = Directory.CreateTempSubdirectory("fleet-ddnn-").FullName;
    private Ddnn net = null!;
    private IReadOnlyList<EpochReport> reports = null!;
    private DdnnReport export = null!;

    [OneTimeSetUp]
    public async Task TrainAndExport()
    {
        net = Fresh(Shape);
        reports = DdnnTraining.Run(net, new PlainImages(task.Sets.Train), task.Sets.Calibration, Recipe, progress: null, TimeProvider.System, _ => { });
        export = await new DdnnExport(net, task, directory).Run(new TrainingRecord("ddnn", "a test", 3, 2, 1280));
    }

    [OneTimeTearDown]
    public void Forget()
    {
        net?.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    [Test]
    public void Training_TwoEpochs_LossFallsAndSharedExitsBeatGuessing()
    {
        Assert.That(reports[1].Loss, Is.LessThan(reports[0].Loss));
        Assert.That(reports[1].Figures[2], Is.GreaterThan(0.3), "one of ten is guessed right");
    }

    [Test]
    public void Export_AllNetworks_EqualTorch()
    {
        Assert.That(export.LargestDifference, Is.GreaterThan(0).And.LessThanOrEqualTo(ModelExport.DifferenceMax));
        Assert.That(export.FlippedBits, Is.LessThanOrEqualTo(DdnnExport.FlippedMax));
    }

    [Test]
    public async Task Export_WithoutSomeDevices_EqualsTorch()
    {
        bool[] present = [true, false, true, true, false, true];
        using var trained = DdnnOutcomes.Of(net, task.Sets.Test);
        var (expected, found) = (trained.With(present), await (await DdnnExport.Replay(export.Files, task.Sets.Test)).With(present));
        Assert.Multiple(() =>
        {
            Assert.That(found.Local, Is.EqualTo(expected.Local).Within(ModelExport.DifferenceMax));
            Assert.That(found.Edge, Is.EqualTo(expected.Edge).Within(ModelExport.DifferenceMax));
            Assert.That(found.Cloud, Is.EqualTo(expected.Cloud).Within(ModelExport.DifferenceMax));
            Assert.That(found.Local, Is.Not.EqualTo(trained.With(DdnnOutcomes.AllPresent(6)).Local).Within(1e-3));
        });
    }

    [Test]
    public void Views_OfAPicture_AreWhatTheGridCuts()
    {
        var pixels = new float[task.Sets.Test.PixelCount];
        task.Sets.Test.Normalise(5, pixels);
        var views = Network.Elements(net.Views(tensor(pixels, [1, 1, 28, 28])));
        var expected = Enumerable.Range(1, 6).SelectMany(view =>
        {
            var normalised = new float[ViewGrid.Six.Pixels];
            task.Normalisation.Apply(ViewGrid.Six.Cut(task.Sets.Test.Image(5), view), normalised);
            return normalised;
        });
        Assert.That(views, Is.EqualTo(expected).Within(1e-6));
    }

    [Test]
    public void Presence_ManyDraws_LeaveOneAndDropTheShareAskedFor()
    {
        manual_seed(1);
        var presence = Network.Elements(DdnnTraining.Presence(4000, 6, 0.3));
        Assert.That(presence, Is.All.EqualTo(0f).Or.EqualTo(1f));
        Assert.That(presence.Average(), Is.EqualTo(0.7).Within(0.02));
        Assert.That(Network.Elements(DdnnTraining.Presence(200, 6, 1)).Chunk(6).Select(row => row.Sum()), Is.All.EqualTo(1f));
    }

    [Test]
    public void Devices_Weights_AreUsedAsTheirSigns()
    {
        var model = net.Devices.Export(4);
        var kernels = model.Graph.Initializer.Single(weights => weights.Name == "conv.weight");
        Assert.That(Enumerable.Range(0, 18).Select(i => BitConverter.ToSingle(kernels.RawData.Span[(4 * i)..])), Is.All.EqualTo(1f).Or.EqualTo(-1f));
        net.Devices.Clip();
        Assert.That(net.Devices.parameters().Take(2).SelectMany(weights => Network.Elements(weights)), Is.All.InRange(-1f, 1f));
    }

    private static IEnumerable<TestCaseData> Poolings => [new(Aggregation.MaxPooling, new[] { 5f, -2f }), new(Aggregation.AveragePooling, new[] { 3f, -6f })];

    /// <summary>Three devices of two scores, the middle one absent: its zeros count neither in a maximum nor in a mean.</summary>
    [TestCaseSource(nameof(Poolings))]
    public void Aggregating_AnAbsentDevice_CountsNot(Aggregation scheme, float[] expected)
    {
        float[] parts = [1, -2, 0, 0, 5, -10];
        using var inTorch = Aggregating.Of(tensor(parts, [1, 6, 1, 1]), 3, scheme);
        var graph = new GraphBuilder("aggregate");
        var x = graph.Input("x", 6, 1, 1);
        Aggregating.Export(graph, x, "y", new AggregateLayer("x", "y", 3, scheme, new Extent(2, 1, 1)));
        graph.Output("y", 2, 1, 1);
        Assert.That(Network.Elements(inTorch), Is.EqualTo(expected));
        Assert.That(Run(graph.Build("test"), parts, 1, 6, 1, 1), Is.EqualTo(expected));
    }

    [TestCase(Aggregation.MaxPooling)]
    [TestCase(Aggregation.AveragePooling)]
    [TestCase(Aggregation.Concatenation)]
    public void Upper_AnyAggregation_ExportsAsTorchComputes(Aggregation scheme)
    {
        using var other = Fresh(new DdnnShape(2, scheme, scheme));
        other.eval();
        var random = new Random(1);
        var maps = Enumerable.Range(0, 12 * 35).Select(i => i / 70 == 2 ? 0f : random.Next(2) * 2f - 1).ToArray();
        var piece = PieceExporter.Export(other.Upper, other.Upper.Architecture.Tail(0));
        var expected = Network.Elements(other.Upper.forward(tensor(maps, [1, 12, 5, 7]))[1]);
        Assert.That(Run(piece, maps, 1, 12, 5, 7), Is.EqualTo(expected).Within(1e-4));
        var vectors = Enumerable.Range(0, 60).Select(i => i / 10 == 4 ? 0f : (float)random.NextDouble() - 2).ToArray();
        var local = PieceExporter.Export(other.Local, other.Local.Architecture.Stage(1));
        Assert.That(Run(local, vectors, 1, 60, 1, 1), Is.EqualTo(Network.Elements(other.Local.forward(tensor(vectors, [1, 60, 1, 1]))[0])).Within(1e-4));
    }

    private Ddnn Fresh(DdnnShape shape) => new(shape, ViewGrid.Six, task.Normalisation, task.Classes.Count, seed: 3);

    private static float[] Run(ModelProto model, float[] input, params long[] shape)
    {
        using var session = new Microsoft.ML.OnnxRuntime.InferenceSession(model.ToByteArray());
        using var value = Microsoft.ML.OnnxRuntime.OrtValue.CreateTensorValueFromMemory(input, shape);
        using var options = new Microsoft.ML.OnnxRuntime.RunOptions();
        using var outputs = session.Run(options, ["x"], [value], session.OutputNames);
        return outputs[^1].GetTensorDataAsSpan<float>().ToArray();
    }
}
