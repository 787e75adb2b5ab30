using Fleet.Contracts;
using Fleet.Models;
using Fleet.Onnx;
using NUnit.Framework;

namespace Fleet.Training.Tests;

/// <summary>Exits on the features of a network that is not ours: two convolutions over a colour image, weights drawn at random.</summary>
public sealed class ForeignTests
{
    private static readonly string[] Cuts = ["early", "late"];

    private readonly string directory = Directory.CreateTempSubdirectory("fleet-foreign-").FullName;
    private readonly TaskData task = SmallData.Load();
    private string file = "";

    [OneTimeSetUp]
    public void MakeNetwork()
    {
        var random = new Random(5);
        float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
        var graph = new GraphBuilder("foreign");
        graph.Input("image", 3, 20, 24);
        var x = graph.Relu(graph.Conv("image", "a", Draw(16 * 3 * 9), new float[16], new Window(3, 2, 1)), "early");
        x = graph.Relu(graph.Conv(x, "b", Draw(32 * 16 * 9), new float[32], new Window(3, 2, 1)), "late");
        graph.Gemm(graph.Flatten(graph.GlobalAveragePool(x, "mean"), "flat"), "answer", Draw(32 * 4), new float[4]);
        graph.Output("answer", 4);
        file = Path.Combine(directory, "foreign.onnx");
        OnnxFile.Write(graph.Build("a stranger"), file);
    }

    [OneTimeTearDown]
    public void Forget() => Directory.Delete(directory, recursive: true);

    [Test]
    public async Task Attach_TwoExits_MakesAModelWhoseTailsAgreeWithItsStages()
    {
        var model = Path.Combine(directory, "attached");
        var card = await Attach(Cuts, model);
        Assert.Multiple(() =>
        {
            Assert.That(ModelFiles.Open(model).Card.StageCount, Is.EqualTo(2));
            Assert.That(card.Cuts.Select(cut => cut.Shape), Is.EqualTo(new int[][] { [1, 28, 28], [16, 10, 12] }));
            // A tenth would be chance; random features need not get better with depth.
            Assert.That(card.Exits.Select(exit => exit.Accuracy), Is.All.GreaterThan(0.35));
            // Over routes that lose nothing a tail says what the last stage says.
            Assert.That(card.Routes.First(route => route.Codec is FeatureCodec.Raw).Accuracy, Is.EqualTo(card.Exits[^1].Accuracy));
            Assert.That(card.Routes.First(route => route.Codec is FeatureCodec.Float16).Accuracy, Is.EqualTo(card.Exits[^1].Accuracy).Within(0.01));
            // The second convolution, 16 to 32 channels on 5x6, and the exit.
            Assert.That(card.Stage(2).Work.Total.Value, Is.EqualTo(32 * 16 * 9 * 5 * 6 + 32 * 10));
        });
    }

    [Test]
    public void Attach_IntoTheNetworksOwnDirectory_IsRefusedAndLeavesIt()
    {
        Assert.That(() => Attach(Cuts, directory), Throws.TypeOf<FaultsException>().With.Message.Contains("is not empty and holds no model"));
        Assert.That(file, Does.Exist);
    }

    [Test]
    public void Attach_UnknownValue_NamesItAndWhatThereIs() =>
        Assert.That(() => Attach(["early", "nowhere"], directory), Throws.TypeOf<FaultsException>().With.Message.Contains("nowhere").And.Message.Contains("late"));

    [Test]
    public void Attach_OneValue_IsRefused() =>
        Assert.That(() => Attach(["late"], directory), Throws.TypeOf<FaultsException>().With.Message.Contains("at least 2"));

    [Test]
    public void Attach_MissingFile_IsNamed() => Assert.That(
        () => new ForeignNetwork(Path.Combine(directory, "no.onnx"), Cuts, [3, 20, 24], 28), Throws.TypeOf<FaultsException>().With.Message.Contains("no.onnx"));

    private Task<ModelCard> Attach(string[] cuts, string model) =>
        new AttachedExits(new AttachOptions(file, cuts, [3, 20, 24], "attached", Images: 640, Epochs: 20, Seed: 1), task, model).Write("a test");
}
