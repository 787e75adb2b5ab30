using System.Text.Json;
using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models.Distributed;

public sealed class GroupCardTests
{
    private string scratch = "";

    [SetUp]
    public void CreateScratch() => scratch = Directory.CreateTempSubdirectory("fleet-group").FullName;

    [TearDown]
    public void DeleteScratch() => Directory.Delete(scratch, recursive: true);

    [Test]
    public void OpenAll_TheZoo_FindsTheGroupAndNoOtherModel()
    {
        var groups = GroupFiles.OpenAll(ProjectFiles.Find("models/zoo"));
        Assert.That(groups.Keys, Is.EqualTo(["ddnn"]));
        Assert.That(ModelFiles.OpenAll(ProjectFiles.Find("models/zoo")).Keys, Has.None.EqualTo("ddnn"));
    }

    [Test]
    public void Open_CardOfTheZoo_IsNamedByItsBytes()
    {
        var model = GroupZoo.Model;
        Assert.That(model.CardSha256, Is.EqualTo(ModelFiles.Sha256(File.ReadAllBytes(Path.Combine(GroupZoo.Directory, GroupFiles.CardName)))));
        Assert.That(model.CardSha256, Does.StartWith(model.Hash.ToString("x16", null)));
    }

    [Test]
    public void Load_DamagedPiece_NamesTheFile()
    {
        foreach (var file in Directory.EnumerateFiles(GroupZoo.Directory)) File.Copy(file, Path.Combine(scratch, Path.GetFileName(file)));
        var path = Path.Combine(scratch, GroupZoo.Card.Views[2].Piece.File);
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
        var model = GroupFiles.Open(scratch);
        Assert.That(() => model.LoadView(3), Throws.TypeOf<FaultsException>().With.Message.Contains("view-3.onnx").And.Message.Contains("damaged"));
        Assert.That(() => model.LoadView(2).Dispose(), Throws.Nothing);
    }

    [Test]
    public void Faults_ManyAtOnce_AreAllTold()
    {
        var card = GroupZoo.Card with
        {
            Views = [.. GroupZoo.Card.Views.Skip(1)],
            InputStd = 0,
            MapShape = [4, 5],
            Local = GroupZoo.Card.Local with { Temperature = 0, EntropyBelow = -1 },
            Cloud = GroupZoo.Card.Cloud with { Piece = GroupZoo.Card.Cloud.Piece with { File = "../cloud.onnx" } },
        };
        File.WriteAllText(Path.Combine(scratch, GroupFiles.CardName), JsonSerializer.Serialize(card, Json.File.Info<GroupCard>()));
        Assert.That(() => GroupFiles.Open(scratch), Throws.TypeOf<FaultsException>()
            .With.Message.Contains("views has 5 entries; 3 rows of 2 need 6").And.Message.Contains("input_std is 0").And.Message.Contains("map_shape is [4,5]")
            .And.Message.Contains("temperature is 0").And.Message.Contains("entropy_below is -1").And.Message.Contains("\"../cloud.onnx\"").And.Message.Contains("views[0].piece.index is 2"));
    }

    [Test]
    public void OfView_EachDevice_HasOneStageOfItsOwn()
    {
        var cards = Enumerable.Range(1, 6).Select(GroupZoo.Card.OfView).ToList();
        Assert.That(cards.Select(card => card.Stage(1).File), Is.EqualTo(Enumerable.Range(1, 6).Select(view => $"view-{view}.onnx")));
        Assert.That(cards.Select(card => (card.StageCount, card.Cuts[0].Elements, card.Cuts[1].Elements)), Is.All.EqualTo((2, 140, 140)));
    }
}
