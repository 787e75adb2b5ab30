using System.Text;
using System.Text.Json.Nodes;
using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>A model on disk is what its card says, or is refused with what differs.</summary>
public sealed class ModelFilesTests
{
    private string folder = "";

    [SetUp]
    public void CopyModel()
    {
        folder = Directory.CreateTempSubdirectory("fleet-model-").FullName;
        foreach (var file in Directory.GetFiles(Zoo.Directory)) File.Copy(file, At(Path.GetFileName(file)));
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void Open_Zoo_ReadsACardWithoutFaultsWhoseHashIsThatOfItsBytes()
    {
        var model = ModelFiles.Open(folder);
        Assert.That(model.Card.Faults(), Is.Empty);
        Assert.That(model.CardSha256, Is.EqualTo(ModelFiles.Sha256(File.ReadAllBytes(At("card.json")))));
        Assert.That(model.CardSha256, Does.StartWith(model.Hash.ToString("x16", null)));
    }

    [Test]
    public void OpenAll_Zoo_FindsTheModelByName() => Assert.That(ModelFiles.OpenAll(Path.GetDirectoryName(Zoo.Directory)!).Keys, Has.Member("fmnist"));

    [Test]
    public void OpenAll_NoSuchDirectory_NamesIt() => Assert.That(() => ModelFiles.OpenAll(At("none")), Throws.TypeOf<FaultsException>().With.Message.Contains("no such directory"));

    [Test]
    public void EveryFile_OfTheZoo_HasTheCardsHashLengthAndShape()
    {
        var model = ModelFiles.Open(folder);
        foreach (var piece in model.Card.Stages.Concat(model.Card.Tails)) Assert.That(model.ReadChecked(piece.File, piece.Sha256), Has.Length.EqualTo(piece.FileBytes), piece.File);
        Assert.That(model.ReadCalibrationTrace().Samples, Is.EqualTo(model.Card.CalibrationTrace.Samples));
        Assert.That(model.ReadTestTrace().Samples, Is.EqualTo(model.Card.TestTrace.Samples));
    }

    [Test]
    public void Load_TamperedFile_NamesBothHashes()
    {
        var model = ModelFiles.Open(folder);
        foreach (var (piece, load) in (IEnumerable<(ModelPiece, Func<OnnxPiece>)>)[(model.Card.Stage(1), () => model.LoadStage(1)), (model.Card.Tail(2), () => model.LoadTail(2))])
        {
            var bytes = File.ReadAllBytes(At(piece.File));
            bytes[bytes.Length / 2] ^= 1;
            File.WriteAllBytes(At(piece.File), bytes);
            var e = Assert.Throws<FaultsException>(() => load().Dispose())!;
            Assert.That(e.Subject, Is.EqualTo(At(piece.File)));
            Assert.That(e.Faults.Single(), Does.Contain(piece.Sha256).And.Contain(ModelFiles.Sha256(bytes)));
        }
    }

    [Test]
    public void ReadTrace_Tampered_NamesBothHashes()
    {
        File.WriteAllBytes(At("test.trace"), [1, 2, 3]);
        Assert.That(() => ModelFiles.Open(folder).ReadTestTrace(), Throws.TypeOf<FaultsException>().With.Message.Contains(ModelFiles.Sha256([1, 2, 3])));
    }

    [Test]
    public void ReadTrace_OfAnotherNetwork_IsRefused()
    {
        Change(card => card["stages"]![0]!["sha256"] = new string('0', 64));
        Assert.That(() => ModelFiles.Open(folder).ReadTestTrace(), Throws.TypeOf<FaultsException>().With.Message.Contains("another network"));
    }

    [Test]
    public void ReadTrace_WithOtherCounts_IsRefused()
    {
        Change(card => card["test_trace"]!["samples"] = 9999);
        Assert.That(() => ModelFiles.Open(folder).ReadTestTrace(), Throws.TypeOf<FaultsException>().With.Message.Contains("the card says 3 and 9999"));
    }

    [Test]
    public void Load_FileThatIsNoNetworkButHasTheRightHash_SaysSo()
    {
        var bytes = Encoding.ASCII.GetBytes("not a network");
        File.WriteAllBytes(At("stage-1.onnx"), bytes);
        Change(card => card["stages"]![0]!["sha256"] = ModelFiles.Sha256(bytes));
        Assert.That(() => ModelFiles.Open(folder).LoadStage(1), Throws.TypeOf<FaultsException>().With.Message.Contains("ONNX Runtime cannot read it"));
    }

    [Test]
    public void Load_EmptyFileWithTheRightHash_SaysSo()
    {
        File.WriteAllBytes(At("tail-1.onnx"), []);
        Change(card => card["tails"]![1]!["sha256"] = ModelFiles.Sha256([]));
        Assert.That(() => ModelFiles.Open(folder).LoadTail(1), Throws.TypeOf<FaultsException>().With.Property(nameof(FaultsException.Subject)).EqualTo(At("tail-1.onnx")));
    }

    [Test]
    public void Load_TailInPlaceOfAStage_NamesWhatIsMissing()
    {
        File.Copy(At("tail-1.onnx"), At("stage-2.onnx"), overwrite: true);
        Change(card => card["stages"]![1]!["sha256"] = card["tails"]![1]!["sha256"]!.DeepClone());
        Assert.That(() => ModelFiles.Open(folder).LoadStage(2), Throws.TypeOf<FaultsException>().With.Message.Contains("has x -> logits; needed: x -> features, logits"));
    }

    [Test]
    public void Load_MissingFile_NamesIt()
    {
        File.Delete(At("stage-1.onnx"));
        Assert.That(() => ModelFiles.Open(folder).LoadStage(1), Throws.TypeOf<FaultsException>().With.Property(nameof(FaultsException.Subject)).EqualTo(At("stage-1.onnx")));
    }

    [Test]
    public void Open_NoCard_NamesIt()
    {
        File.Delete(At("card.json"));
        Assert.That(() => ModelFiles.Open(folder), Throws.TypeOf<FaultsException>().With.Property(nameof(FaultsException.Subject)).EqualTo(At("card.json")));
    }

    [Test]
    public void Open_CardWithManyFaults_ListsThemAll()
    {
        Change(card =>
        {
            card["input_std"] = 0;
            card["cuts"]![1]!["shape"] = new JsonArray(32, 14);
            card["stages"]![0]!["file"] = "../stage-1.onnx";
            card["routes"]![0]!["codec"] = "int8";
            card["exits"]!.AsArray().RemoveAt(2);
            card["note"] = "typo";
        });
        var e = Assert.Throws<FaultsException>(() => ModelFiles.Open(folder))!;
        Assert.That(e.Faults, Has.Count.EqualTo(6));
        foreach (var expected in (string[])["note is unknown", "input_std is 0", "cuts[1].shape is [32,14]", "plain name beside the card", "route cut 0 int8 does not exist", "exits has 2 entries"])
            Assert.That(e.Faults, Has.Exactly(1).Contains(expected));
    }

    private string At(string name) => Path.Combine(folder, name);

    private void Change(Action<JsonNode> change)
    {
        var card = JsonNode.Parse(File.ReadAllBytes(At("card.json")))!;
        change(card);
        File.WriteAllText(At("card.json"), card.ToJsonString());
    }
}
