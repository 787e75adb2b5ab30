using System.Text;
using Fleet.Contracts;
using Fleet.DeviceAgent.Heads;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

/// <summary>A store in a folder of its own, fed from a folder and from a web server on this machine.</summary>
public sealed class HeadStoreTests
{
    private HttpClient http = null!;
    private string root = "";

    [SetUp]
    public void MakeRoot()
    {
        http = new HttpClient();
        root = Directory.CreateTempSubdirectory("fleet-heads-").FullName;
    }

    [TearDown]
    public void RemoveRoot()
    {
        http.Dispose();
        Directory.Delete(root, recursive: true);
    }

    private string StorePath => Path.Combine(root, "store");

    private string Zoo => Path.Combine(root, "zoo");

    [Test]
    public async Task Install_FromTheAgentsOwnFolder_HasCardAndOnlyTheStagesOfTheHead()
    {
        var model = HeadStoreModel.Make(seed: 1).Put(Zoo);
        var head = await Store().Install(model.Assignment(head: 2), CancellationToken.None);
        Assert.That(head.CardSha256, Is.EqualTo(model.CardSha256));
        Assert.That(head.Card.StageCount, Is.EqualTo(3));
        Assert.That(head.Directory, Is.EqualTo(Path.Combine(StorePath, "tiny", model.CardSha256)));
        Assert.That(FilesIn(head.Directory), Is.EqualTo(new[] { "card.json", "stage1.onnx", "stage2.onnx" }));
        Assert.That(await File.ReadAllBytesAsync(Path.Combine(head.Directory, "stage2.onnx")), Is.EqualTo(model.Files["stage2.onnx"]));
        Assert.That(Temporaries(), Is.Empty);
    }

    [TestCase("")]
    [TestCase("file://")]
    public async Task Install_FromAnotherFolder_FindsItByPathOrFileUrl(string scheme)
    {
        var elsewhere = Path.Combine(root, "elsewhere");
        var model = HeadStoreModel.Make(seed: 1).Put(elsewhere);
        var head = await Store().Install(model.Assignment(head: 1, scheme + elsewhere), CancellationToken.None);
        Assert.That(FilesIn(head.Directory), Is.EqualTo(new[] { "card.json", "stage1.onnx" }));
    }

    [Test]
    public async Task Install_OverHttp_FetchesEachFileOnce()
    {
        var model = HeadStoreModel.Make(seed: 1);
        await using var server = await HeadStoreServer.Start(model);
        var store = Store();
        var head = await store.Install(model.Assignment(head: 2, server.Url + "/"), CancellationToken.None);
        Assert.That(await File.ReadAllBytesAsync(Path.Combine(head.Directory, "stage1.onnx")), Is.EqualTo(model.Files["stage1.onnx"]));
        await store.Install(model.Assignment(head: 2, server.Url), CancellationToken.None);
        Assert.That(server.Requests, Is.EqualTo(new[] { "/tiny/card.json", "/tiny/stage1.onnx", "/tiny/stage2.onnx" }));
    }

    [Test]
    public async Task Install_DeeperHeadOfTheSameCard_FetchesOnlyWhatIsMissing()
    {
        var model = HeadStoreModel.Make(seed: 1);
        await using var server = await HeadStoreServer.Start(model);
        await Store().Install(model.Assignment(head: 1, server.Url), CancellationToken.None);
        await Store().Install(model.Assignment(head: 3, server.Url), CancellationToken.None);
        Assert.That(server.Requests, Is.EqualTo(new[] { "/tiny/card.json", "/tiny/stage1.onnx", "/tiny/stage2.onnx", "/tiny/stage3.onnx" }));
    }

    [Test]
    public async Task Install_NewVersionWithAnUnchangedStage_CopiesItFromTheOtherVersion()
    {
        var old = HeadStoreModel.Make(seed: 1);
        var changed = old.With("stage2.onnx", [9, 9, 9]);
        await using var server = await HeadStoreServer.Start(old);
        await Store().Install(old.Assignment(head: 2, server.Url), CancellationToken.None);
        server.Serve(changed);
        server.Requests.Clear();
        var head = await Store().Install(changed.Assignment(head: 2, server.Url), CancellationToken.None);
        Assert.That(server.Requests, Is.EqualTo(new[] { "/tiny/card.json", "/tiny/stage2.onnx" }));
        Assert.That(await File.ReadAllBytesAsync(Path.Combine(head.Directory, "stage1.onnx")), Is.EqualTo(old.Files["stage1.onnx"]));
    }

    [Test]
    public async Task Install_OtherVersionsCopyIsDamaged_FetchesFromTheSource()
    {
        var old = HeadStoreModel.Make(seed: 1);
        var changed = old.With("stage2.onnx", [9, 9, 9]);
        await using var server = await HeadStoreServer.Start(old);
        var before = await Store().Install(old.Assignment(head: 1, server.Url), CancellationToken.None);
        Damage(Path.Combine(before.Directory, "stage1.onnx"));
        server.Serve(changed);
        var head = await Store().Install(changed.Assignment(head: 1, server.Url), CancellationToken.None);
        Assert.That(await File.ReadAllBytesAsync(Path.Combine(head.Directory, "stage1.onnx")), Is.EqualTo(old.Files["stage1.onnx"]));
    }

    [Test]
    public async Task Install_InstalledFileWentBad_IsFetchedAnew()
    {
        var model = HeadStoreModel.Make(seed: 1).Put(Zoo);
        var head = await Store().Install(model.Assignment(head: 1), CancellationToken.None);
        Damage(Path.Combine(head.Directory, "stage1.onnx"));
        Damage(Path.Combine(head.Directory, "card.json"));
        await Store().Install(model.Assignment(head: 1), CancellationToken.None);
        Assert.That(await File.ReadAllBytesAsync(Path.Combine(head.Directory, "stage1.onnx")), Is.EqualTo(model.Files["stage1.onnx"]));
        Assert.That(await File.ReadAllBytesAsync(Path.Combine(head.Directory, "card.json")), Is.EqualTo(model.Card));
    }

    [Test]
    public async Task Install_SourceGone_WhatIsInstalledNeedsNone()
    {
        var model = HeadStoreModel.Make(seed: 1).Put(Zoo);
        await Store().Install(model.Assignment(head: 2), CancellationToken.None);
        Directory.Delete(Zoo, recursive: true);
        var head = await Store().Install(model.Assignment(head: 2), CancellationToken.None);
        Assert.That(head.Card.Name, Is.EqualTo("tiny"));
    }

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
        var install = new HeadStore(StorePath, Zoo, http, clock, new Seconds(20)).Install(model.Assignment(head: 1, server.Url), CancellationToken.None);
        await server.Hanging;
        clock.Advance(TimeSpan.FromSeconds(20));
        Assert.That(() => install, Fault($"{server.Url}/tiny/stage1.onnx", "was not complete within 20 s"));
    }

    [Test]
    public async Task Install_Cancelled_KeepsWhatRanBeforeAndCompletesNextTime()
    {
        var old = HeadStoreModel.Make(seed: 1);
        var next = HeadStoreModel.Make(seed: 2);
        await using var server = await HeadStoreServer.Start(old);
        var store = Store();
        await store.Install(old.Assignment(head: 2, server.Url), CancellationToken.None);
        store.Remember(old.Assignment(head: 2, server.Url));
        server.Serve(next);
        server.Hang = "/tiny/stage2.onnx";
        using var stop = new CancellationTokenSource();
        var install = store.Install(next.Assignment(head: 2, server.Url), stop.Token);
        await server.Hanging;
        await stop.CancelAsync();
        Assert.That(() => install, Throws.InstanceOf<OperationCanceledException>());

        var restarted = Store();
        Assert.That(restarted.Last(out _)!.CardSha256, Is.EqualTo(old.CardSha256));
        Assert.That(FilesIn(Path.Combine(StorePath, "tiny", old.CardSha256)), Is.EqualTo(new[] { "card.json", "stage1.onnx", "stage2.onnx" }));
        Assert.That(FilesIn(Path.Combine(StorePath, "tiny", next.CardSha256)), Is.EqualTo(new[] { "card.json", "stage1.onnx" }));
        server.Hang = "";
        server.Requests.Clear();
        await restarted.Install(next.Assignment(head: 2, server.Url), CancellationToken.None);
        Assert.That(server.Requests, Is.EqualTo(new[] { "/tiny/stage2.onnx" }));
    }

    [Test]
    public void HeadStore_ProcessWasKilledDuringAnInstall_RemovesTheHalfFiles()
    {
        var incoming = Directory.CreateDirectory(Path.Combine(StorePath, ".incoming"));
        File.WriteAllText(Path.Combine(incoming.FullName, "stage1.onnx"), "half");
        Assert.That(Store().Last(out var fault), Is.Null);
        Assert.That(fault, Is.Empty);
        Assert.That(incoming.Exists && Directory.Exists(incoming.FullName), Is.False);
    }

    [Test]
    public async Task Remember_Restart_GivesTheWholeAssignment()
    {
        var model = HeadStoreModel.Make(seed: 1).Put(Zoo);
        var assignment = model.Assignment(head: 2) with { Version = 12, Epoch = 3, OffloadTo = "edge-1", Cut = 2, Deadline = new Seconds(0.25), Reason = "cheapest" };
        Store().Remember(assignment);
        var last = Store().Last(out var fault);
        Assert.That(fault, Is.Empty);
        Assert.That(last, Is.EqualTo(assignment));
        var head = await Store().Install(last!, CancellationToken.None);
        Assert.That(head.CardSha256, Is.EqualTo(model.CardSha256));
    }

    [Test]
    public async Task Remember_ThirdVersion_KeepsThePreviousAndRemovesTheOldest()
    {
        var store = Store();
        var models = new[] { 1, 2, 3 }.Select(HeadStoreModel.Make).ToList();
        foreach (var model in models)
        {
            model.Put(Zoo);
            await store.Install(model.Assignment(head: 1), CancellationToken.None);
            store.Remember(model.Assignment(head: 1));
            store.Remember(model.Assignment(head: 1) with { Version = 9 });
        }
        var kept = Directory.GetDirectories(Path.Combine(StorePath, "tiny")).Select(Path.GetFileName);
        Assert.That(kept, Is.EquivalentTo(new[] { models[1].CardSha256, models[2].CardSha256 }));
        Directory.Delete(Zoo, recursive: true);
        Assert.That(async () => await Store().Install(models[1].Assignment(head: 1), CancellationToken.None), Throws.Nothing, "going back needs no source");
    }

    [Test]
    public async Task Remember_FoldersOfOthersInTheStore_AreLeftAlone()
    {
        var store = Store();
        var others = Directory.CreateDirectory(Path.Combine(StorePath, "documents", "letters"));
        foreach (var seed in new[] { 1, 2, 3 })
        {
            var model = HeadStoreModel.Make(seed).Put(Zoo);
            await store.Install(model.Assignment(head: 1), CancellationToken.None);
            store.Remember(model.Assignment(head: 1));
        }
        Assert.That(Directory.Exists(others.FullName), Is.True);
    }

    [TestCase("", "current.json")]
    [TestCase("null", "is null")]
    [TestCase("{\"version\": 1", "current.json")]
    [TestCase("{\"version\":1,\"epoch\":0,\"model\":\"../x\",\"card_sha256\":\"00\",\"head\":0,\"offload_to\":\"e\"}", "model is \"../x\"")]
    public void Last_DamagedNote_IsAFaultNotACrash(string text, string expected)
    {
        var store = Store();
        File.WriteAllText(Path.Combine(StorePath, "current.json"), text);
        Assert.That(store.Last(out var fault), Is.Null);
        Assert.That(fault, Does.Contain("current.json").And.Contain(expected));
    }

    [Test]
    public void Last_NoteOfANewerAgent_IsReadAllTheSame()
    {
        var store = Store();
        store.Remember(HeadStoreModel.Make(seed: 1).Assignment(head: 1));
        var path = Path.Combine(StorePath, "current.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("{", "{ \"colour\": 3,", StringComparison.Ordinal));
        Assert.That(store.Last(out var fault), Is.Not.Null, fault);
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
    [TestCase(HeadStore.FileBytesMax + 1)]
    public void Install_CardPromisesATooLargeOrEmptyFile_IsRefused(long bytes)
    {
        var model = HeadStoreModel.Make(seed: 1).WithStageBytes(1, bytes).Put(Zoo);
        Assert.That(() => Store().Install(model.Assignment(head: 1), CancellationToken.None), Fault("card.json", $"file_bytes is {bytes}; allowed: 1 to {HeadStore.FileBytesMax}"));
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
        Assert.That(() => Store().Install(model.Assignment(head: 1), CancellationToken.None), Fault(Path.Combine(Zoo, "tiny", "card.json"), "missing required properties"));
    }

    [Test]
    public void Install_CardTooLong_IsRefused()
    {
        var model = HeadStoreModel.Make(seed: 1).WithCard(new byte[HeadStore.CardBytesMax + 1]).Put(Zoo);
        Assert.That(() => Store().Install(model.Assignment(head: 1), CancellationToken.None), Fault("card.json", $"is longer than {HeadStore.CardBytesMax} bytes"));
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

    private HeadStore Store() => new(StorePath, Zoo, http, TimeProvider.System);

    private static NUnit.Framework.Constraints.IResolveConstraint Fault(string culprit, params string[] words)
    {
        var constraint = Throws.TypeOf<FaultsException>().With.Message.Contains(culprit);
        foreach (var word in words) constraint = constraint.And.Message.Contains(word);
        return constraint;
    }

    private static void Damage(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private static List<string> FilesIn(string folder) => [.. Directory.GetFiles(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private List<string> Temporaries()
    {
        var incoming = Path.Combine(StorePath, ".incoming");
        return Directory.Exists(incoming) ? FilesIn(incoming) : [];
    }
}
