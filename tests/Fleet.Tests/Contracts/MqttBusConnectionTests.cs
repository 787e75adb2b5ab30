using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Fleet.Controller.Broker;
using Fleet.Tests.Controller;
using NUnit.Framework;
using static Fleet.Tests.Controller.BrokerFixture;

namespace Fleet.Tests.Contracts;

/// <summary>What happens to a bus while there is no broker, and when there is one again.</summary>
public sealed class MqttBusConnectionTests
{
    [Test]
    public void Reconnect_AfterBrokerRestartedOnSamePort_SubscriptionsAndKeptMessagesAreBack() => OnLoop(async loop =>
    {
        var first = await StartAsync();
        var options = new BrokerOptions { Port = first.Port };
        await using var bus = await ConnectAsync(Options(first, "device"), loop);
        var connections = new Connections(bus);
        var desired = new Inbox();
        var edges = new Inbox();
        bus.Subscribe("fleet/v1/lab/dev-1/cmd/+", desired.Add);
        bus.Subscribe(ReplyTo("dev-1").Path, edges.Add);

        await first.DisposeAsync();
        await connections.UntilAsync(false);
        Assert.That(bus.IsConnected, Is.False);
        bus.Publish(StateOf("dev-1"), State.Init);
        bus.Publish(StateOf("dev-1"), State.Ready);
        await using var second = await StartAsync(options);
        await connections.UntilAsync(false, true);
        await using var other = await ConnectAsync(Options(second, "other"), loop);
        var states = new Inbox();
        other.Subscribe(StateOf("dev-1").Path, states.Add);
        await states.UntilAsync(1);
        other.Publish(new Topic(TopicKind.Command, "lab", "dev-1", "c1"), Command("init"));
        other.Publish(ReplyTo("dev-1"), Reply(1));

        await desired.UntilAsync(1);
        await edges.UntilAsync(1);
        Assert.That(states.Messages, Is.EqualTo(new[] { State.Ready }), "the newest only");
        Assert.That(bus.Counters, Has.Property("Reconnects").EqualTo(1).And.Property("Superseded").EqualTo(1).And.Property("Dropped").EqualTo(0));
    });

    [Test]
    public void Reconnect_CutAgainAndAgainInTheMiddleOfABurst_StillReceivesAll() => OnLoop(async loop =>
    {
        const int devices = 500;
        await using var broker = await StartAsync();
        await using var cable = new Cable(broker.Port);
        using var writer = broker.ConnectInProcess(loop);
        for (var i = 0; i < devices; i++) writer.Publish(StateOf($"dev-{i}"), State.Ready);
        await using var bus = await ConnectAsync(Options(MqttAddress.Loopback(cable.Port)) with { UndeliveredMax = 4 }, loop);
        var inbox = new Inbox();
        bus.Subscribe("fleet/#", inbox.Add);
        bool AreAllThere(IReadOnlyList<(Topic Topic, Message Message)> entries) => entries.Select(entry => entry.Topic.Path).Distinct().Count() == devices;
        for (var cut = 1; cut <= 5; cut++)
        {
            // On a busy machine one read may bring all the rest: a session that goes on has nothing more to send then.
            var before = inbox.All.Count;
            await inbox.UntilAsync(entries => entries.Count >= before + 20 || AreAllThere(entries));
            var connections = new Connections(bus);
            cable.Pull();
            await connections.UntilAsync(false);
            cable.Plug();
            await connections.UntilAsync(false, true);
        }

        await inbox.UntilAsync(AreAllThere);

        Assert.That(bus.Counters.Reconnects, Is.EqualTo(5));
    });

    [Test]
    public void Publish_WhileDisconnected_KeepsWhatMattersWithinBounds() => OnLoop(async loop =>
    {
        var port = FreePort();
        var options = Options(MqttAddress.Loopback(port), "device") with { KeptMax = 3, TelemetryMax = 2 };
        await using var bus = await ConnectAsync(options, loop, failFast: false);
        var connections = new Connections(bus);

        for (var i = 0; i < 5; i++) bus.Publish(StateOf($"dev-{i}"), State.Ready);
        for (var i = 0; i < 4; i++) bus.Publish(BudgetOf("dev-1"), Budget(i));
        bus.Publish(ReplyTo("dev-1"), Reply(1));

        Assert.That(bus.IsConnected, Is.False);
        Assert.That(bus.Counters, Has.Property("Dropped").EqualTo(3).And.Property("Superseded").EqualTo(3), "two states too many and the reply; three older budgets");
        await using var broker = await StartAsync(new BrokerOptions { Port = port });
        await connections.UntilAsync(true);
        await using var other = await ConnectAsync(Options(broker, "other"), loop);
        var inbox = new Inbox();
        other.Subscribe("fleet/v1/lab/+/+", inbox.Add);
        await inbox.UntilAsync(4);
        Assert.That(inbox.All.Select(entry => entry.Topic.Path), Is.EquivalentTo(new[] { StateOf("dev-2").Path, StateOf("dev-3").Path, StateOf("dev-4").Path, BudgetOf("dev-1").Path }));
        Assert.That(inbox.Messages, Does.Contain(Budget(3)));
    });

    [Test]
    public void Connect_LaterThanBroker_CountsNoReconnect() => OnLoop(async loop =>
    {
        await using var broker = await StartAsync();
        await using var bus = await ConnectAsync(Options(broker), loop, failFast: false);

        await new Connections(bus).UntilAsync(true);

        Assert.That(bus.Counters.Reconnects, Is.Zero);
        Assert.That(bus.LastFault, Is.Empty);
    });

    [TestCase(0)]
    [TestCase(0.005)]
    public void Connect_NobodyThere_SaysNotReachable(double linger) => OnLoop(async loop =>
    {
        var port = FreePort();
        var fault = await FaultOf(() => ConnectAsync(Options(MqttAddress.Loopback(port)) with { Linger = new Seconds(linger) }, loop));
        Assert.That(fault, Does.StartWith($"broker mqtt://127.0.0.1:{port}: not reachable"));
    });

    [Test]
    public void Connect_WrongPassword_SaysRefused() => OnLoop(async loop =>
    {
        await using var broker = await StartAsync(new BrokerOptions { Port = 0, User = "fleet", Password = "right" });
        await using var right = await ConnectAsync(Options(broker, "right"), loop);
        Assert.That(right.IsConnected);

        var wrong = await FaultOf(() => ConnectAsync(Options(broker.Address with { Password = "wrong" }), loop));
        var none = await FaultOf(() => ConnectAsync(Options(MqttAddress.Loopback(broker.Port)), loop));

        Assert.That(wrong, Does.Contain("wrong password").And.Contain("\"fleet\"").And.Not.Contain("right"));
        Assert.That(none, Does.Contain("wants a user and a password"));
    });

    [Test]
    public void Will_CableCut_IsPublishedAndRetained() => OnLoop(async loop =>
    {
        await using var broker = await StartAsync();
        await using var cable = new Cable(broker.Port);
        await using var watcher = await ConnectAsync(Options(broker, "watcher"), loop);
        var states = new Inbox();
        watcher.Subscribe("fleet/v1/lab/+/state", states.Add);
        await using var device = await ConnectAsync(Options(MqttAddress.Loopback(cable.Port), "device") with { Will = new MqttWill(StateOf("dev-1"), State.Lost) }, loop);
        var connections = new Connections(device);
        device.Publish(StateOf("dev-1"), State.Ready);
        await states.UntilAsync(State.Ready);

        cable.Pull();

        await states.UntilAsync(State.Lost);
        await connections.UntilAsync(false);
        cable.Plug();
        await connections.UntilAsync(false, true);
        Assert.That(device.Counters.Reconnects, Is.EqualTo(1));
    });

    [Test]
    public void Will_GracefulDispose_IsNotPublishedAndQueueIsSent() => OnLoop(async loop =>
    {
        await using var broker = await StartAsync();
        await using var watcher = await ConnectAsync(Options(broker, "watcher"), loop);
        var states = new Inbox();
        watcher.Subscribe("fleet/v1/lab/+/state", states.Add);
        var device = await ConnectAsync(Options(broker, "device") with { Will = new MqttWill(StateOf("dev-1"), State.Lost) }, loop);
        for (var i = 0; i < 200; i++) device.Publish(StateOf("dev-1"), State.Ready);
        device.Publish(StateOf("dev-1"), State.Disconnected);

        await device.DisposeAsync();
        await states.UntilAsync(State.Disconnected);
        watcher.Publish(StateOf("dev-2"), State.Ready);
        await using var later = await ConnectAsync(Options(broker, "later"), loop);
        var now = new Inbox();
        later.Subscribe("fleet/v1/lab/+/state", now.Add);
        await now.UntilAsync(State.Ready);

        Assert.That(now.Messages.Concat(states.Messages), Has.None.EqualTo(State.Lost));
        Assert.That(device.Counters.Published, Is.EqualTo(201));
    });

    [Test]
    public void Dispose_WithoutBroker_EndsAtOnce() => OnLoop(async loop =>
    {
        var bus = await ConnectAsync(Options(MqttAddress.Loopback(FreePort())) with { Backoff = new Backoff(new Seconds(1000), new Seconds(1000)) }, loop, failFast: false);
        bus.Publish(StateOf("dev-1"), State.Ready);
        await bus.DisposeAsync().AsTask().WaitAsync(Patience);
        Assert.That(bus.IsConnected, Is.False);
    });

    [Test]
    public void Connect_SecondClientWithSameId_FirstSaysWhy() => OnLoop(async loop =>
    {
        await using var broker = await StartAsync();
        // A broker closes the connection right behind its goodbye, and a busy client may learn of the closing first.
        const int Tries = 5;
        var faults = new List<string?>();
        while (faults.Count < Tries && !faults.Any(fault => fault?.Contains("same client id") is true))
        {
            await using var first = await ConnectAsync(Options(broker, "twin") with { Backoff = new Backoff(new Seconds(1000), new Seconds(1000)) }, loop);
            var connections = new Connections(first);

            await using var second = await ConnectAsync(Options(broker, "twin"), loop);

            await connections.UntilAsync(false);
            faults.Add(first.LastFault);
        }
        Assert.That(faults, Has.Some.Contains("same client id"));
    });

    [Test]
    public void Tls_CertificateOfOwnAuthority_RoundTripAndRefusalWithoutIt() => OnLoop(async loop =>
    {
        var folder = Directory.CreateTempSubdirectory("fleet-tls-");
        try
        {
            var (certificate, key) = SelfSigned(folder.FullName);
            await using var broker = await StartAsync(new BrokerOptions { Port = 0, CertificateFile = certificate, KeyFile = key });
            await using var bus = await ConnectAsync(Options(broker) with { Tls = new MqttTls { CaFile = certificate } }, loop);
            await using var careless = await ConnectAsync(Options(broker, "careless") with { Tls = new MqttTls { AllowUntrusted = true }, Linger = new Seconds(0.005) }, loop);
            var inbox = new Inbox();
            careless.Subscribe("fleet/#", inbox.Add);
            bus.Publish(StateOf("dev-1"), State.Ready);
            await inbox.UntilAsync(1);

            var fault = await FaultOf(() => ConnectAsync(Options(broker, "distrustful"), loop));

            Assert.That(fault, Does.StartWith("broker mqtts://").And.Contain("TLS"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    });

    [TestCase("mqtt://host", "host", 1883, false, "", "")]
    [TestCase("mqtts://host", "host", 8883, true, "", "")]
    [TestCase("mqtt://me:p%40ss@10.0.0.1:1999/", "10.0.0.1", 1999, false, "me", "p@ss")]
    [TestCase("mqtt://[::1]:5", "::1", 5, false, "", "")]
    public void Address_Valid_IsRead(string text, string host, int port, bool tls, string user, string password)
    {
        var address = MqttAddress.Parse(text);
        Assert.That(address, Is.EqualTo(new MqttAddress { Host = host, Port = port, Tls = tls, User = user, Password = password }));
        Assert.That(address.ToString(), Does.Not.Contain("p@ss"));
    }

    [TestCase("host")]
    [TestCase("")]
    [TestCase("http://host")]
    [TestCase("mqtt://")]
    [TestCase("mqtt://host:99999")]
    [TestCase("mqtt://host/path")]
    [TestCase("mqtt://:secret@host")]
    public void Address_Invalid_FaultNamesTheAllowedForms(string text)
    {
        var fault = Assert.Throws<FaultsException>(() => MqttAddress.Parse(text));
        Assert.That(fault!.Message, Does.Contain("allowed: mqtt://[user:password@]host[:1883]").And.Not.Contain("secret"));
    }

    private static async Task<string> FaultOf(Func<Task<MqttBus>> connect)
    {
        try
        {
            await using var bus = await connect();
        }
        catch (FaultsException e)
        {
            return e.Message;
        }
        return "connected";
    }

    internal static (string Certificate, string Key) SelfSigned(string folder)
    {
        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var (file, key) = (Path.Combine(folder, "broker.pem"), Path.Combine(folder, "broker-key.pem"));
        File.WriteAllText(file, certificate.ExportCertificatePem());
        File.WriteAllText(key, rsa.ExportPkcs8PrivateKeyPem());
        return (file, key);
    }
}
