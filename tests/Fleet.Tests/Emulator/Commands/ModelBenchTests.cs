using System.Text.Json;
using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Commands;

[NonParallelizable]
public sealed class ModelBenchTests : CommandFixture
{
    [Test]
    public void Bench_BothPrecisionsOfAPiece_ComparesThem()
    {
        var model = Path.Combine(Scratch, "fmnist");
        Directory.CreateDirectory(model);
        foreach (var file in Directory.EnumerateFiles(ProjectFiles.Find("models/zoo/fmnist"))) File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        // Whatever runs in its stead: the whole network takes many times as long as its first stage.
        File.Copy(Path.Combine(model, "tail-0.onnx"), Path.Combine(model, "stage-1.int8.onnx"));
        var said = Fleet("models", "bench", "--zoo", Scratch, "--json");
        Assert.That(said.ExitCode, Is.Zero, said.Error);
        using var told = JsonDocument.Parse(said.Out);
        var files = told.RootElement.GetProperty("files").EnumerateArray().ToList();
        var card = ModelFiles.Open(model).Card;
        Assert.That(files.Where(file => file.GetProperty("shipped").GetBoolean()).Select(file => file.GetProperty("file").GetString()), Is.EqualTo(card.Pieces.Select(piece => piece.File)));
        Assert.That(files.Select(file => file.GetProperty("time_s").GetDouble()), Is.All.GreaterThan(0));
        Assert.That(files.Single(file => !file.GetProperty("shipped").GetBoolean()).GetProperty("precision").GetString(), Is.EqualTo("int8"));
        var pair = told.RootElement.GetProperty("pairs").EnumerateArray().Single();
        Assert.That(pair.GetProperty("piece").GetString(), Is.EqualTo("stage 1"));
        Assert.That(pair.GetProperty("faster").GetString(), Is.EqualTo("fp32"), said.Out);
        Assert.That(pair.GetProperty("int8_over_fp32_time_ratio").GetDouble(), Is.GreaterThan(1));
    }

    [Test]
    public void Bench_Model_PrintsEachPiece()
    {
        var said = Fleet("models", "bench", "fmnist");
        Assert.That(said.ExitCode, Is.Zero, said.Error);
        Assert.That(said.Out, Does.Contain("stage 1").And.Contain("tail 0").And.Contain("GMAC/s"));
        Assert.That(said.Error, Is.Empty, "no bar where nobody looks");
    }

    [Test]
    public void Bench_PiecesWhosePrecisionWasChosen_TellsWhatTheExportMeasured()
    {
        var said = Fleet("models", "bench", "fmnist");
        Assert.That(said.Out, Does.Match(@"stage 3 ships as int8; at export int8 was: .*times as fast as fp32").And.Match("tail 0 ships as fp32; at export int8 was: "));
        Assert.That(said.Out, Does.Not.Contain("encoder tiny ships"), "of encoders nothing was to choose");
    }

    [Test]
    public void Bench_Group_TimesEveryNetwork()
    {
        var said = Fleet("models", "bench", "ddnn");
        Assert.That(said.ExitCode, Is.Zero, said.Error);
        Assert.That(said.Out, Does.Contain("view 1").And.Contain("view 6").And.Contain("cloud"));
    }

    [Test]
    public void Bench_NoSuchModel_NamesThoseThereAre()
    {
        var said = Fleet("models", "bench", "nobody");
        Assert.That(said.ExitCode, Is.EqualTo(2));
        Assert.That(said.Error, Does.Contain("nobody").And.Contain("fmnist"));
    }
}
