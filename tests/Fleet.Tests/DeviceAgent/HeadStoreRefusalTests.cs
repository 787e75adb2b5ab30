using System.Text;
using Fleet.Contracts;
using Fleet.DeviceAgent.Heads;
using Fleet.Models.Store;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

/// <summary>What is refused, and that the message names who is to blame.</summary>
public sealed class HeadStoreRefusalTests : HeadStoreFixture
{
    [Test]
    public async Task Install_WrongCardHash_NamesBothHashes()
    {
        var model = HeadStoreModel.Make(seed: 1);
        var other = HeadStoreModel.Make(seed: 2);
        await using var server = await HeadStoreServer.Start(model);
        Assert.That(() => Store().Install(other.Assignment(head: 1, server.Url), CancellationToken.None),
            Fault($"{server.Url}/tiny/card.json", $"SHA-256 is {model.CardSha256}; the assignment says {other.CardSha256}"));
        Assert.That(Directory.Exists(Path.Combine(StorePath, "tiny")), Is.False);
    }

    [Test]
    public async Task Install_WrongFileHash_NamesTheFileAndLeavesNoTrace()
    {
        var model = HeadStoreModel.Make(seed: 1);
        await using var server = await HeadStoreServer.Start(model);
        server.Bodies["/tiny/stage2.onnx"] = new byte[model.Files["stage2.onnx"].Length];
        Assert.That(() => Store().Install(model.Assignment(head: 2, server.Url), CancellationToken.None), Fault($"{server.Url}/tiny/stage2.onnx", "SHA-256 is ", "the card says "));
        Assert.That(FilesIn(Path.Combine(StorePath, "tiny", model.CardSha256)), Is.EqualTo(new[] { "card.json", "stage1.onnx" }));
        Assert.That(Temporaries(), Is.Empty);
    }

    [TestCase(-1, "has 299 bytes; the card says 300")]
    [TestCase(1, "has 301 bytes; the card says 300")]
    public async Task Install_FileOfAnotherLength_NamesBothLengths(int by, string expected)
    {
        var model = HeadStoreModel.Make(seed: 1).Put(Zoo);
        await using var server = await HeadStoreServer.Start(model);
        var wrong = new byte[model.Files["stage1.onnx"].Length + by];
        server.Bodies["/tiny/stage1.onnx"] = wrong;
        await File.WriteAllBytesAsync(Path.Combine(Zoo, "tiny", "stage1.onnx"), wrong);
        Assert.That(() => Store().Install(model.Assignment(head: 1, server.Url), CancellationToken.None), Fault($"{server.Url}/tiny/stage1.onnx", expected));
        Assert.That(() => Store().Install(model.Assignment(head: 1), CancellationToken.None), Fault(Path.Combine(Zoo, "tiny", "stage1.onnx"), expected));
    }

    [TestCase(100, "ends after 100 bytes; the card says 300: truncated")]
    [TestCase(1000, "is longer than the 300 bytes the card says")]
    public async Task Install_ServerSaysNoLengthAndSendsAnother_IsNoticedOnTheWay(int length, string expected)
    {
        var model = HeadStoreModel.Make(seed: 1);
        await using var server = await HeadStoreServer.Start(model);
        server.Bodies["/tiny/stage1.onnx"] = new byte[length];
        server.SaysLength = false;
        Assert.That(() => Store().Install(model.Assignment(head: 1, server.Url), CancellationToken.None), Fault($"{server.Url}/tiny/stage1.onnx", expected));
        Assert.That(Temporaries(), Is.Empty);
    }

    [Test]
    public async Task Install_ConnectionBreaksOff_IsAFaultOfTheFile()
    {
        var model = HeadStoreModel.Make(seed: 1);
        await using var server = await HeadStoreServer.Start(model);
        server.BreakOff = "/tiny/stage1.onnx";
        Assert.That(() => Store().Install(model.Assignment(head: 1, server.Url), CancellationToken.None), Fault($"{server.Url}/tiny/stage1.onnx"));
        Assert.That(Temporaries(), Is.Empty);
    }

    [Test]
    public async Task Install_MissingFile_SaysWhatTheServerAnswered()
    {
        var model = HeadStoreModel.Make(seed: 1).Put(Zoo);
        await using var server = await HeadStoreServer.Start(model);
        server.Bodies.Remove("/tiny/stage2.onnx");
        File.Delete(Path.Combine(Zoo, "tiny", "stage2.onnx"));
        Assert.That(() => Store().Install(model.Assignment(head: 2, server.Url), CancellationToken.None), Fault($"{server.Url}/tiny/stage2.onnx", "answered 404", "needed: 200"));
        Assert.That(() => Store().Install(model.Assignment(head: 2), CancellationToken.None), Fault(Path.Combine(Zoo, "tiny", "stage2.onnx"), "Could not find file"));
    }

    [Test]
    public async Task Install_NoServer_IsAFaultOfTheUrl()
    {
        var model = HeadStoreModel.Make(seed: 1);
        string url;
        await using (var server = await HeadStoreServer.Start(model)) url = server.Url;
        Assert.That(() => Store().Install(model.Assignment(head: 1, url), CancellationToken.None), Fault($"{url}/tiny/card.json"));
    }

    [Test]
    public async Task Install_ServerNeverAnswers_EndsAtTheDeadline()
    {
        var model = HeadStoreModel.Make(seed: 1);
        await using var server = await HeadStoreServer.Start(model);
        server.Hang = "/tiny/stage1.onnx";
        var clock = new CameraClock();
        var install = new HeadStore(StorePath, Zoo, Http, clock, new Seconds(20)).Install(model.Assignment(head: 1, server.Url), CancellationToken.None);
        await server.Hanging;
        clock.Advance(TimeSpan.FromSeconds(20));
        Assert.That(() => install, Fault($"{server.Url}/tiny/stage1.onnx", "was not complete within 20 s"));
    }

    [TestCase("../escape.onnx")]
    [TestCase("sub/stage1.onnx")]
    [TestCase("..")]
    [TestCase(".hidden")]
    [TestCase("")]
    [TestCase("card.json")]
    [TestCase("a b.onnx")]
    [TestCase("a%2fb.onnx")]
    public void Install_CardNamesAFileOutsideItsFolder_IsRefused(string file)
    {
        var model = HeadStoreModel.Make(seed: 1).WithStageFile(1, file).Put(Zoo, filesToo: false);
        Assert.That(() => Store().Install(model.Assignment(head: 1), CancellationToken.None), Fault("card.json", $"file \"{file}\" must be"));
    }

    [TestCase(0L)]
    [TestCase(ModelStore.FileBytesMax + 1)]
    public void Install_CardPromisesATooLargeOrEmptyFile_IsRefused(long bytes)
    {
        var model = HeadStoreModel.Make(seed: 1).WithStageBytes(1, bytes).Put(Zoo);
        Assert.That(() => Store().Install(model.Assignment(head: 1), CancellationToken.None), Fault("card.json", $"file_bytes is {bytes}; allowed: 1 to {ModelStore.FileBytesMax}"));
    }

    [Test]
    public void Install_HeadDeeperThanTheModel_SaysHowDeepItIs()
    {
        var model = HeadStoreModel.Make(seed: 1).Put(Zoo);
        Assert.That(() => Store().Install(model.Assignment(head: 4), CancellationToken.None), Fault("head", "is 4; tiny has stages 1 to 3"));
    }

    [Test]
    public void Install_CardOfAnotherModel_IsRefused()
    {
        var model = HeadStoreModel.Make(seed: 1).Put(Zoo, name: "other");
        Assert.That(() => Store().Install(model.Assignment(head: 1) with { Model = "other" }, CancellationToken.None), Fault("card.json", "is the card of \"tiny\"; the assignment says \"other\""));
    }

    [Test]
    public void Install_CardIsNotACard_SaysWhere()
    {
        var model = HeadStoreModel.Make(seed: 1).WithCard(Encoding.UTF8.GetBytes("{\"name\":\"tiny\"}")).Put(Zoo);
        Assert.That(() => Store().Install(model.Assignment(head: 1), CancellationToken.None), Fault(Path.Combine(Zoo, "tiny", "card.json"), "task", "missing"));
    }

    [Test]
    public void Install_CardTooLong_IsRefused()
    {
        var model = HeadStoreModel.Make(seed: 1).WithCard(new byte[ModelStore.CardBytesMax + 1]).Put(Zoo);
        Assert.That(() => Store().Install(model.Assignment(head: 1), CancellationToken.None), Fault("card.json", $"is longer than {ModelStore.CardBytesMax} bytes"));
    }

    [TestCase("../../etc", "card", "model is \"../../etc\"")]
    [TestCase("tiny", "../../etc", "card_sha256 is \"../../etc\"; allowed: 64 lower-case hexadecimal digits")]
    public void Install_AssignmentThatWouldLeaveTheStore_IsRefused(string model, string hash, string expected)
    {
        var assignment = HeadStoreModel.Make(seed: 1).Assignment(head: 1) with { Model = model };
        if (hash != "card") assignment = assignment with { CardSha256 = hash };
        Assert.That(() => Store().Install(assignment, CancellationToken.None), Fault("assignment", expected));
        Assert.That(() => Store().Remember(assignment), Fault("assignment", expected));
    }

    [TestCase("models")]
    [TestCase("ftp://host/models")]
    [TestCase("http://host/models?x=1")]
    public void Install_ArtifactsUrlOfAnotherKind_SaysWhatIsAllowed(string url)
    {
        var model = HeadStoreModel.Make(seed: 1);
        Assert.That(() => Store().Install(model.Assignment(head: 1, url), CancellationToken.None), Fault("artifacts_url", $"is \"{url}\"; allowed: "));
    }
}
