using Fleet.Contracts;
using Fleet.Onnx;
using NUnit.Framework;

namespace Fleet.Training.Tests;

public sealed class QuantisedPiecesTests
{
    private string scratch = "";

    [SetUp]
    public void CreateScratch() => scratch = Directory.CreateTempSubdirectory("fleet-quantised").FullName;

    [TearDown]
    public void DeleteScratch() => Directory.Delete(scratch, recursive: true);

    [Test]
    public void Candidates_OfAPiece_DifferInWhatTheyClip()
    {
        var candidates = QuantisedPieces.Candidates(Piece(), Inputs(60), [2, 6, 6]);
        Assert.That(candidates.Select(candidate => candidate.Ranges), Is.EqualTo(["min-max", "99.99 %", "99.9 %"]));
        var scales = candidates.Select(candidate => Scale(candidate.Model, "x.scale")).ToList();
        Assert.That(scales[0], Is.EqualTo(2 * 3f / 255).Within(1e-4), "inputs lie in -1..1 but for one of 3 and one of -3");
        Assert.That(scales[2], Is.LessThan(scales[0] / 2));
    }

    [Test]
    public void Observe_RowsOfAnotherShape_AreRefused() => Assert.That(
        () => QuantisedPieces.Candidates(Piece(), new float[71], [2, 6, 6]),
        Throws.TypeOf<FaultsException>().With.Message.Contains("no rows of 72"));

    [Test]
    public void Candidates_OfNoModel_NameTheFile()
    {
        var path = Path.Combine(scratch, "note.onnx");
        File.WriteAllText(path, "not a model");
        Assert.That(() => QuantisedPieces.Candidates(path, [], [1]), Throws.TypeOf<FaultsException>().With.Message.Contains("note.onnx"));
    }

    private string Piece()
    {
        var graph = new GraphBuilder("piece");
        var features = graph.Relu(graph.Conv(graph.Input("x", 2, 6, 6), "sum", Numbers(4 * 18), Numbers(4), new Window(3, 1, 1)), "features");
        graph.Gemm(graph.Flatten(graph.GlobalAveragePool(features, "mean"), "vector"), "logits", Numbers(12), Numbers(3));
        graph.Output("features", 4, 6, 6);
        graph.Output("logits", 3);
        var path = Path.Combine(scratch, "piece.onnx");
        OnnxFile.Write(graph.Build("test"), path);
        return path;
    }

    private static float[] Inputs(int rows)
    {
        var inputs = Numbers(rows * 72);
        (inputs[100], inputs[2000]) = (3, -3);
        return inputs;
    }

    private static float Scale(ModelProto model, string name) => BitConverter.ToSingle(model.Graph.Initializer.Single(tensor => tensor.Name == name).RawData.Span);

    /// <summary>Repeatable numbers in -1..1.</summary>
    private static float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(i => (i * 7919 % 2003 - 1001) / 1001f)];
}
