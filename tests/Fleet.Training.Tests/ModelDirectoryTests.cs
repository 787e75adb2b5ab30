using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Training.Tests;

/// <summary>A model takes the place of another, and of nothing else.</summary>
public sealed class ModelDirectoryTests
{
    private string directory = "";

    [SetUp]
    public void MakeDirectory() => directory = Directory.CreateTempSubdirectory("fleet-model-").FullName;

    [TearDown]
    public void Forget() => Directory.Delete(directory, recursive: true);

    [Test]
    public void Write_DirectoryOfSomebodysFiles_IsRefusedAndLeavesThem()
    {
        File.WriteAllText(At("thesis.tex"), "years of work");
        Assert.That(() => Write("stage-1.onnx"), Throws.TypeOf<FaultsException>().With.Message.Contains(directory).And.Message.Contains("card.json"));
        Assert.That(Names(), Is.EqualTo(["thesis.tex"]));
    }

    [Test]
    public void Write_DirectoryWithAnotherCard_IsRefused()
    {
        File.WriteAllText(At("card.json"), "{}");
        Assert.That(() => Write("stage-1.onnx"), Throws.TypeOf<FaultsException>().With.Message.Contains("card.json"));
        Assert.That(Names(), Is.EqualTo(["card.json"]));
    }

    [Test]
    public async Task Write_OverAModel_DeletesOnlyWhatItsCardNames()
    {
        await Write("old-stage.onnx", "stage-1.onnx");
        File.WriteAllText(At("notes.txt"), "mine");
        await Write("stage-1.onnx");
        Assert.That(Names(), Is.EqualTo(["card.json", "notes.txt", "stage-1.onnx"]));
    }

    [Test]
    public async Task Write_ThatFails_LeavesTheModelThatStood()
    {
        await Write("stage-1.onnx");
        var card = File.ReadAllText(At("card.json"));
        Assert.That(() => ModelDirectory.Write<int>(directory, unfinished =>
        {
            File.WriteAllText(Path.Combine(unfinished, "stage-1.onnx"), "half");
            throw new IOException("the disk is full");
        }), Throws.TypeOf<IOException>());
        Assert.Multiple(() =>
        {
            Assert.That(Names(), Is.EqualTo(["card.json", "stage-1.onnx"]));
            Assert.That(File.ReadAllText(At("card.json")), Is.EqualTo(card));
            Assert.That(File.ReadAllText(At("stage-1.onnx")), Is.EqualTo("stage-1.onnx"));
        });
    }

    private string At(string file) => Path.Combine(directory, file);

    private string[] Names() => [.. Directory.EnumerateFileSystemEntries(directory).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    /// <summary>A card of one stage that names these files, the first as its stage.</summary>
    private Task<int> Write(params string[] files) => ModelDirectory.Write(directory, unfinished =>
    {
        foreach (var file in files) File.WriteAllText(Path.Combine(unfinished, file), file);
        ModelPiece Piece(int index, string file) => new() { Index = index, File = file, Sha256 = "", FileBytes = 0, Parameters = 0, PeakActivationBytes = 0, Work = new KernelWork() };
        ModelFiles.WriteCard(unfinished, new ModelCard
        {
            Name = "a",
            Task = "",
            Classes = ["a", "b"],
            InputMean = 0,
            InputStd = 1,
            Parameters = 0,
            Cuts = [new CutPoint { Cut = 0, Shape = [1, 1, 1] }],
            Stages = [Piece(1, files[0])],
            Tails = [Piece(0, files[^1])],
            Exits = [new ExitCard { Exit = 1, Temperature = 1, Accuracy = 0, CalibrationAccuracy = 0, EceBefore = 0, EceAfter = 0 }],
            Routes = [],
            CalibrationTrace = new CardFile { File = "calibration.trace", Sha256 = "", Samples = 0 },
            TestTrace = new CardFile { File = "test.trace", Sha256 = "", Samples = 0 },
            Provenance = new Provenance { Command = "", Data = "", Seed = 1, Epochs = 1, TrainedAccuracy = [] },
        });
        return Task.FromResult(0);
    });
}
