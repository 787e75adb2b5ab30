using Fleet.Contracts;
using Fleet.Tests.Models;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Commands;

[NonParallelizable]
public sealed class ModelsCommandTests : CommandFixture
{
    private static readonly string Zoo = ProjectFiles.Find("models/zoo");

    [TestCase("models verify --no-such", "--no-such")]
    [TestCase("models list --zoo /no/such/zoo", "/no/such/zoo")]
    [TestCase("models verify no-such-model", "no-such-model")]
    public void Models_WrongArguments_NameTheCulprit(string line, string culprit)
    {
        var said = Fleet(line.Split(' '));
        Assert.That(said.ExitCode, Is.EqualTo(2), said.Out);
        Assert.That(said.Error, Does.Contain(culprit));
    }

    [Test]
    public void List_Zoo_TellsExitsAndRoutes()
    {
        var said = Fleet("models", "list");
        Assert.That(said.ExitCode, Is.Zero, said.Error);
        Assert.That(said.Out, Does.Contain("fmnist").And.Contain("cut 2 int8").And.Contain("temperature"));
    }

    [Test]
    public void List_Zoo_TellsGroupsToo()
    {
        var said = Fleet("models", "list");
        Assert.That(said.Out, Does.Contain("ddnn: ").And.Contain("6 views of 1x10x14").And.Contain("own, view 6").And.Contain("18 B more"));
    }

    [Test]
    public void Verify_Group_FindsItsFiguresOrTheOneThatDiffers()
    {
        var said = Fleet("models", "verify", "ddnn");
        Assert.That(said.ExitCode, Is.Zero, said.Out + said.Error);
        Assert.That(said.Out, Does.Contain("all 11 figures agree"));
        var zoo = Copy("ddnn");
        var card = Path.Combine(zoo, "ddnn", "group.json");
        File.WriteAllText(card, File.ReadAllText(card).Replace("\"entropy_below\": 1.01", "\"entropy_below\": 1.02", StringComparison.Ordinal).Replace("\"accuracy_ratio\": 0.", "\"accuracy_ratio\": 0.0", StringComparison.Ordinal));
        said = Fleet("models", "verify", "ddnn", "--zoo", zoo);
        Assert.That(said.ExitCode, Is.EqualTo(1), said.Out + said.Error);
        Assert.That(said.Out, Does.Contain("10 of 11 figures differ"), "all accuracies, and not the share of the local exit");
    }

    [Test]
    public void Verify_TamperedFiles_ListsThemAll()
    {
        var zoo = Copy();
        foreach (var file in new[] { "stage-2.onnx", "test.trace" })
        {
            var path = Path.Combine(zoo, "fmnist", file);
            var bytes = File.ReadAllBytes(path);
            bytes[bytes.Length / 2] ^= 1;
            File.WriteAllBytes(path, bytes);
        }
        var said = Fleet("models", "verify", "--zoo", zoo);
        Assert.That(said.ExitCode, Is.EqualTo(2), said.Out);
        Assert.That(said.Error, Does.Contain("stage-2.onnx").And.Contain("test.trace").And.Contain("tampered"));
    }

    [Test]
    public void ListAndVerify_ModelWithBottlenecks_TellThemAndReplayTheirRoutes()
    {
        using var narrow = new NarrowModel();
        var listed = Fleet("models", "list", "--zoo", narrow.Zoo);
        Assert.That(listed.ExitCode, Is.Zero, listed.Error);
        Assert.That(listed.Out, Does.Contain("2x2x2").And.Contain("cut 1 narrow coded").And.Contain("entropic, encoder frozen"));
        var verified = Fleet("models", "verify", "--zoo", narrow.Zoo, "--data", narrow.Data);
        Assert.That(verified.ExitCode, Is.Zero, verified.Out + verified.Error);
        Assert.That(verified.Out, Does.Contain("12 files have the hashes").And.Not.Contain("DIFFERS"));
        foreach (var what in (string[])["cut 1 bottleneck 1 coded accuracy", "cut 1 bottleneck 1 coded payload", "cut 1 bottleneck 2 int8 accuracy", "test trace cut 1 bottleneck 1 fp16"])
            Assert.That(verified.Out, Does.Contain(what));
    }

    [Test]
    public void Verify_BottleneckThatIsNotWhatTheCardSays_IsFound()
    {
        using var narrow = new NarrowModel();
        var card = narrow.Files.Card;
        narrow.Write(card with { Bottlenecks = [card.Bottlenecks[0] with { Scale = 3 }, card.Bottlenecks[1]] });
        var said = Fleet("models", "verify", "--zoo", narrow.Zoo, "--data", narrow.Data);
        Assert.That(said.ExitCode, Is.EqualTo(1), said.Out + said.Error);
        Assert.That(said.Out, Does.Match("test trace cut 1 bottleneck 1 coded .*DIFFERS").And.Not.Match("bottleneck 2 .*DIFFERS"));
        narrow.Write(card);
        foreach (var file in (string[])["narrow.tables", "plain-encoder.onnx", "noise.trace"]) File.AppendAllText(narrow.At(file), "more");
        said = Fleet("models", "verify", "--zoo", narrow.Zoo, "--data", narrow.Data);
        Assert.That(said.ExitCode, Is.EqualTo(2), said.Out);
        Assert.That(said.Error, Does.Contain("narrow.tables").And.Contain("plain-encoder.onnx").And.Contain("noise.trace"));
    }

    [Test]
    public void Verify_MissingFile_NamesIt()
    {
        var zoo = Copy();
        File.Delete(Path.Combine(zoo, "fmnist", "tail-1.onnx"));
        var said = Fleet("models", "verify", "fmnist", "--zoo", zoo);
        Assert.That(said.ExitCode, Is.EqualTo(2), said.Out);
        Assert.That(said.Error, Does.Contain("tail-1.onnx"));
    }

    private string Copy(string model = "fmnist")
    {
        var directory = Directory.CreateDirectory(Path.Combine(Scratch, "zoo", model)).FullName;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Zoo, model))) File.Copy(file, Path.Combine(directory, Path.GetFileName(file)));
        return Path.GetDirectoryName(directory)!;
    }
}
