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
    [TestCase("models verify --data /no/such/data", "--data: is /no/such/data; there is no such directory")]
    [TestCase("models bench --frobnicate", "--frobnicate is no option of \"bench\"; allowed: --help, --json, --zoo")]
    [TestCase("models traces nobody", "the zoo holds: b-lenet")]
    [TestCase("models traces ddnn", "has no traces")]
    [TestCase("models traces b-lenet --only no.trace", "b-lenet has calibration.trace, test.trace, calibration-rotation-1.trace")]
    [TestCase("models split /tmp", "is a directory")]
    public void Models_WrongArguments_NameTheCulprit(string line, string culprit)
    {
        var said = Fleet(line.Split(' '));
        Assert.That(said.ExitCode, Is.EqualTo(2), said.Out);
        Assert.That(said.Error, Does.Contain(culprit));
    }

    [TestCase("list")]
    [TestCase("verify")]
    [TestCase("bench")]
    public void Models_EmptyZoo_IsAFault(string command)
    {
        var said = Fleet("models", command, "--zoo", Scratch);
        Assert.That(said.ExitCode, Is.EqualTo(2), said.Out);
        Assert.That(said.Error, Does.Contain("--zoo").And.Contain(Scratch).And.Contain("card.json"));
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
        Assert.That(said.Out, Does.Contain("all 20 figures agree"));
        var zoo = Copy("ddnn");
        var card = Path.Combine(zoo, "ddnn", "group.json");
        File.WriteAllText(card, File.ReadAllText(card).Replace("\"entropy_below\": 1.01", "\"entropy_below\": 1.02", StringComparison.Ordinal).Replace("\"accuracy_ratio\": 0.", "\"accuracy_ratio\": 0.0", StringComparison.Ordinal));
        said = Fleet("models", "verify", "ddnn", "--zoo", zoo);
        Assert.That(said.ExitCode, Is.EqualTo(1), said.Out + said.Error);
        Assert.That(said.Out, Does.Contain("10 of 20 figures differ"), "all accuracies, and not the share of the local exit");
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
        narrow.Write(narrow.Counted(narrow.Files.Card));
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
        var card = narrow.Counted(narrow.Files.Card);
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
    public void Verify_WorkThatTheFilesDoNotDo_IsFound()
    {
        using var narrow = new NarrowModel();
        var card = narrow.Counted(narrow.Files.Card);
        var stage = card.Stages[1];
        narrow.Write(card with
        {
            Stages = [card.Stages[0] with { PeakActivationBytes = 7 }, stage with { Work = stage.Work with { Conv = new Macs(5) } }],
            Tails = [card.Tails[0], card.Tails[1] with { Parameters = 3, FileBytes = 1 }],
        });
        var said = Fleet("models", "verify", "--zoo", narrow.Zoo, "--data", narrow.Data);
        Assert.That(said.ExitCode, Is.EqualTo(1), said.Out + said.Error);
        foreach (var what in (string[])["stage-1.onnx peak_activation_bytes +7", "stage-2.onnx conv_macs +5", "tail-1.onnx parameters +3", "tail-1.onnx file_bytes +1"])
            Assert.That(said.Out, Does.Match(what + " .*DIFFERS"));
        Assert.That(said.Out, Does.Contain("4 of "));
    }

    [Test]
    public void Traces_Checked_HoldWhatTheFilesAnswerOrAreFound()
    {
        using var narrow = new NarrowModel();
        var checkedOne = Fleet("models", "traces", "tiny-narrow", "--zoo", narrow.Zoo, "--data", narrow.Data, "--only", "test.trace", "--check");
        Assert.That(checkedOne.ExitCode, Is.Zero, checkedOne.Out + checkedOne.Error);
        Assert.That(checkedOne.Out, Does.Contain("all 1 traces hold what the files answer"));
        // It says that its images had drifted, and they had not.
        var drifted = Fleet("models", "traces", "tiny-narrow", "--zoo", narrow.Zoo, "--data", narrow.Data, "--only", "noise.trace", "--check");
        Assert.That(drifted.ExitCode, Is.EqualTo(1), drifted.Out + drifted.Error);
        Assert.That(drifted.Out, Does.Contain("logits").And.Contain("1 of 1 traces"));
    }

    [Test]
    public void Traces_MadeAnew_ReplaceOnlyWhatDiffers()
    {
        using var narrow = new NarrowModel();
        string[] command = ["models", "traces", "tiny-narrow", "--zoo", narrow.Zoo, "--data", narrow.Data, "--only", "test.trace", "--only", "noise.trace"];
        var (card, test) = (narrow.Files.CardSha256, File.ReadAllBytes(narrow.At("test.trace")));
        var said = Fleet(command);
        Assert.That(said.ExitCode, Is.Zero, said.Out + said.Error);
        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllBytes(narrow.At("test.trace")), Is.EqualTo(test), "the same answers keep their file and its header");
            Assert.That(narrow.Files.CardSha256, Is.Not.EqualTo(card));
            Assert.That(narrow.Files.ReadTrace(narrow.Files.Card.DriftTraces[0]).Text, Is.EqualTo("fleet models traces tiny-narrow; Fashion-MNIST (arXiv 1708.07747), test images"));
            Assert.That(Fleet(command).Out, Does.Contain("stays as it was"));
        });
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
