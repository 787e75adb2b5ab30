using Fleet.Contracts;
using Fleet.DeviceAgent.Heads;
using Fleet.Tests.Models;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

/// <summary>What is installed, what is fetched for it, and what a restart finds.</summary>
public sealed class HeadStoreTests : HeadStoreFixture
{
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

    [Test]
    public async Task Install_AssignmentWithABottleneck_HasItsEncoderAndTablesAndNoOthers()
    {
        using var narrow = new NarrowModel();
        var store = new HeadStore(StorePath, narrow.Zoo, Http, TimeProvider.System);
        var assignment = new Assignment { Version = 1, Epoch = 1, Model = "tiny-narrow", CardSha256 = narrow.Files.CardSha256, Head = 1, Cut = 1, Bottleneck = "narrow", FeatureDType = FeatureCodec.Coded, OffloadTo = "edge-1" };
        var head = await store.Install(assignment, CancellationToken.None);
        Assert.That(FilesIn(head.Directory), Is.EqualTo(new[] { "card.json", "narrow-encoder.onnx", "narrow.tables", "stage-1.onnx" }));
        await store.Install(assignment with { Bottleneck = "plain", FeatureDType = FeatureCodec.Int8 }, CancellationToken.None);
        Assert.That(FilesIn(head.Directory), Has.Member("plain-encoder.onnx").And.No.Member("plain-tail.onnx"));
        Assert.That(() => store.Install(assignment with { Bottleneck = "wide" }, CancellationToken.None), Fault("assignment", "bottleneck is \"wide\"; tiny-narrow has narrow, plain"));
        Damage(Path.Combine(narrow.Folder, "narrow.tables"));
        Damage(Path.Combine(head.Directory, "narrow.tables"));
        Assert.That(() => store.Install(assignment, CancellationToken.None), Fault("narrow.tables", "tampered"));
    }

    [TestCase("")]
    [TestCase("file://")]
    public async Task Install_FromAnotherFolder_FindsItByPathOrFileUrl(string scheme)
    {
        var elsewhere = Path.Combine(Root, "elsewhere");
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
        stop.Cancel();
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
}
