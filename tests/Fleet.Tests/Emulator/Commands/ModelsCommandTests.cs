using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Commands;

[NonParallelizable]
public sealed class ModelsCommandTests : CommandFixture
{
    private static readonly string Zoo = ProjectFiles.Find("models/zoo");

    private static readonly string Network = Path.Combine(Zoo, "fmnist", "tail-0.onnx");

    [TestCase("models verify --no-such", "--no-such")]
    [TestCase("models list --zoo /no/such/zoo", "/no/such/zoo")]
    [TestCase("models verify no-such-model", "no-such-model")]
    [TestCase("models split", "FILE.onnx")]
    [TestCase("models split no-such-file.onnx", "no-such-file.onnx")]
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
    public void Verify_MissingFile_NamesIt()
    {
        var zoo = Copy();
        File.Delete(Path.Combine(zoo, "fmnist", "tail-1.onnx"));
        var said = Fleet("models", "verify", "fmnist", "--zoo", zoo);
        Assert.That(said.ExitCode, Is.EqualTo(2), said.Out);
        Assert.That(said.Error, Does.Contain("tail-1.onnx"));
    }

    [TestCase("not an ONNX file at all")]
    [TestCase("")]
    public void Split_UnreadableOnnx_SaysSo(string content)
    {
        var path = Path.Combine(Scratch, "broken.onnx");
        File.WriteAllText(path, content);
        var said = Fleet("models", "split", path, "--at", "list");
        Assert.That(said.ExitCode, Is.EqualTo(2), said.Out);
        Assert.That(said.Error, Does.Contain("broken.onnx").And.Contain("ONNX model"));
    }

    [Test]
    public void Split_TruncatedOnnx_SaysSo()
    {
        var path = Path.Combine(Scratch, "half.onnx");
        File.WriteAllBytes(path, File.ReadAllBytes(Network)[..5000]);
        var said = Fleet("models", "split", path);
        Assert.That(said.ExitCode, Is.EqualTo(2), said.Out);
        Assert.That(said.Error, Does.Contain("half.onnx"));
    }

    [Test]
    public void Split_UnknownValue_ListsTheAllowedOnes()
    {
        var said = Fleet("models", "split", Network, "--at", "no_such_value", "--out", Scratch);
        Assert.That(said.ExitCode, Is.EqualTo(2), said.Out);
        Assert.That(said.Error, Does.Contain("no_such_value").And.Contain("stage2_relu6"));
        Assert.That(Directory.EnumerateFiles(Scratch), Is.Empty);
    }

    [Test]
    public void Split_List_TellsShapes()
    {
        var said = Fleet("models", "split", Network, "--at", "list");
        Assert.That(said.ExitCode, Is.Zero, said.Error);
        Assert.That(said.Out, Does.Match(@"float\[N,64,7,7\]\s+stage2_relu6"));
    }

    [Test]
    public void Split_AtValue_WritesPartsThatCanBeSplitAgain()
    {
        var said = Fleet("models", "split", Network, "--at", "stage2_relu6", "--out", Scratch);
        Assert.That(said.ExitCode, Is.Zero, said.Error);
        Assert.That(said.Out, Does.Contain("head + tail"));
        Assert.That(File.Exists(Path.Combine(Scratch, "tail-0-tail.onnx")), Is.True);
        var again = Fleet("models", "split", Path.Combine(Scratch, "tail-0-head.onnx"), "--at", "stage1_relu10", "--out", Path.Combine(Scratch, "deeper"));
        Assert.That(again.ExitCode, Is.Zero, again.Error);
    }

    private string Copy()
    {
        var directory = Directory.CreateDirectory(Path.Combine(Scratch, "zoo", "fmnist")).FullName;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Zoo, "fmnist"))) File.Copy(file, Path.Combine(directory, Path.GetFileName(file)));
        return Path.GetDirectoryName(directory)!;
    }
}
