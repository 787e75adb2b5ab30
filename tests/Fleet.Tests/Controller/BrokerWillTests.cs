using System.Diagnostics;
using Fleet.Contracts;
using Fleet.Controller.Broker;
using MQTTnet;
using MQTTnet.Protocol;
using NUnit.Framework;
using static Fleet.Tests.Controller.BrokerFixture;

namespace Fleet.Tests.Controller;

/// <summary>Wills, expiry, and what outlives a broker that is killed.</summary>
public sealed class BrokerWillTests
{
    [Test]
    public async Task Will_ClientCutOff_IsPublished()
    {
        await using var broker = await StartAsync();
        await using var cable = new Cable(broker.Port);
        await using var viewer = await ViewerAsync(broker);
        await using var client = await RawClient.ConnectAsync(broker, "client", options => { WithWill(options, delay: 0); Through(cable, options); });

        cable.Pull();

        Assert.That((await viewer.NextAsync()).ConvertPayloadToString(), Is.EqualTo("gone"));
    }

    [Test]
    public async Task Will_Goodbye_IsNotPublished()
    {
        await using var broker = await StartAsync();
        await using var viewer = await ViewerAsync(broker);
        var client = await RawClient.ConnectAsync(broker, "client", options => WithWill(options, delay: 0));

        await client.DisposeAsync();

        Assert.That(await viewer.UntilMarkAsync(), Is.Empty);
    }

    [Test]
    public async Task Will_GoodbyeThatAsksForIt_IsPublished()
    {
        await using var broker = await StartAsync();
        await using var viewer = await ViewerAsync(broker);
        await using var client = await RawClient.ConnectAsync(broker, "client", options => WithWill(options, delay: 0));

        await client.DisconnectAsync(MqttClientDisconnectOptionsReason.DisconnectWithWillMessage);

        Assert.That((await viewer.NextAsync()).Topic, Is.EqualTo("t/will"));
    }

    [TestCase(0u, 600u, false, true, TestName = "Will_SessionTakenOverWithoutDelay_IsPublished")]
    [TestCase(600u, 600u, false, false, TestName = "Will_SessionTakenOverWithinDelay_IsNotPublished")]
    [TestCase(600u, 600u, true, true, TestName = "Will_SessionTakenOverByCleanStart_IsPublished")]
    [TestCase(600u, 0u, false, true, TestName = "Will_SessionThatEndsWithItsConnectionTakenOver_IsPublished")]
    public async Task Will_SessionTakenOver(uint delay, uint expiry, bool cleanStart, bool isPublished)
    {
        await using var broker = await StartAsync();
        await using var viewer = await ViewerAsync(broker);
        await using var first = await RawClient.ConnectAsync(broker, "client", options => { WithWill(options, delay); options.SessionExpiryInterval = expiry; options.CleanSession = false; });

        await using var second = await RawClient.ConnectAsync(broker, "client", options => options.CleanSession = cleanStart);

        if (isPublished) Assert.That((await viewer.NextAsync()).Topic, Is.EqualTo("t/will"));
        else Assert.That(await viewer.UntilMarkAsync(), Is.Empty);
    }

    [Test]
    public async Task Will_DelayLongerThanTheSession_IsPublishedAtItsEnd()
    {
        await using var broker = await StartAsync();
        await using var cable = new Cable(broker.Port);
        await using var viewer = await ViewerAsync(broker);
        await using var client = await RawClient.ConnectAsync(broker, "client", options => { WithWill(options, delay: 3600); options.SessionExpiryInterval = 1; options.CleanSession = false; Through(cable, options); });

        cable.Pull();

        Assert.That((await viewer.NextAsync()).Topic, Is.EqualTo("t/will"));
    }

    [Test]
    public async Task Will_ClientBackWithinItsDelay_IsNotPublished()
    {
        await using var broker = await StartAsync();
        await using var cable = new Cable(broker.Port);
        await using var viewer = await ViewerAsync(broker);
        await using var back = await RawClient.ConnectAsync(broker, "back", options => { WithWill(options, delay: 1); options.CleanSession = false; Through(cable, options); });
        await using var away = await RawClient.ConnectAsync(broker, "away", options => { WithWill(options, delay: 2); options.WillTopic = "t/later"; Through(cable, options); });

        cable.Pull();
        await UntilAsync(() => broker.Counters.Clients == 1);
        await using var again = await RawClient.ConnectAsync(broker, "back", options => options.CleanSession = false);

        Assert.That((await viewer.NextAsync()).Topic, Is.EqualTo("t/later"), "the first one's would have come before");
    }

    [Test]
    public async Task Retained_PastItsExpiry_IsGoneAndForgotten()
    {
        var folder = Directory.CreateTempSubdirectory("fleet-broker-");
        try
        {
            var options = new BrokerOptions { Port = 0, StateDirectory = folder.FullName };
            await using (var broker = await StartAsync(options))
            {
                await using var client = await RawClient.ConnectAsync(broker, "client");
                await client.PublishAsync("t/soon", [1], retain: true, expiry: 1);
                await client.PublishAsync("t/late", [1], retain: true, expiry: 3600);
                await UntilAsync(() => broker.Counters.Retained == 1);
            }
            await using var again = await StartAsync(options);
            await using var viewer = await RawClient.ConnectAsync(again, "viewer");
            await viewer.SubscribeAsync("t/#");
            var message = await viewer.NextAsync();
            Assert.That(message.Topic, Is.EqualTo("t/late"));
            Assert.That(message.MessageExpiryInterval, Is.InRange(3000, 3600), "what is left of it");
            Assert.That(again.Counters.Retained, Is.EqualTo(1));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Test]
    public async Task Retained_ControllerProcessKilled_AreThereInTheNext()
    {
        const int topics = 200;
        var folder = Directory.CreateTempSubdirectory("fleet-broker-");
        try
        {
            var port = FreePort();
            using (var process = StartController(port, folder.FullName))
            {
                await using var client = await RawClient.ConnectUntilAsync(port, "client");
                await Task.WhenAll(Enumerable.Range(0, topics).Select(i => client.PublishAsync($"t/{i}", "x", retain: true)));
                // Written within a tenth of a second; the file tells when.
                await UntilAsync(() => Rows(folder.FullName) >= topics);
                process.Kill();
                await process.WaitForExitAsync();
            }
            await using var next = await StartAsync(new BrokerOptions { Port = 0, StateDirectory = folder.FullName });
            await using var viewer = await RawClient.ConnectAsync(next, "viewer");
            await viewer.SubscribeAsync("t/#");
            Assert.That((await viewer.UntilMarkAsync()).Select(message => message.Topic), Is.EquivalentTo(Enumerable.Range(0, topics).Select(i => $"t/{i}")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Test]
    public async Task Retained_FileDamaged_IsToldWithItsName()
    {
        var folder = Directory.CreateTempSubdirectory("fleet-broker-");
        try
        {
            var options = new BrokerOptions { Port = 0, StateDirectory = folder.FullName };
            await using (var broker = await StartAsync(options))
            {
                await using var client = await RawClient.ConnectAsync(broker, "client");
                await Task.WhenAll(Enumerable.Range(0, 500).Select(i => client.PublishAsync($"t/{i}", new string('x', 100), retain: true)));
            }
            var path = Path.Combine(folder.FullName, "retained.db");
            var bytes = File.ReadAllBytes(path);
            const int Page = 4096;
            bytes.AsSpan(Page).Fill(0xff);
            File.WriteAllBytes(path, bytes);
            Assert.That(async () => await StartAsync(options), Throws.TypeOf<FaultsException>().With.Message.Contains(path).And.Message.Contains("cannot be read"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Process StartController(int port, string state)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { Path.Combine(AppContext.BaseDirectory, "fleet-controller.dll"), "--port", $"{port}", "--http-port", "0", "--state", state }) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static long Rows(string folder)
    {
        using var database = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(folder, "retained.db")};Mode=ReadOnly;Pooling=False");
        database.Open();
        using var command = database.CreateCommand();
        command.CommandText = "SELECT COUNT(*) FROM retained WHERE topic LIKE 't/%'";
        return (long)command.ExecuteScalar()!;
    }

    private static async Task<RawClient> ViewerAsync(EmbeddedBroker broker)
    {
        var viewer = await RawClient.ConnectAsync(broker, "viewer");
        await viewer.SubscribeAsync("t/#");
        return viewer;
    }

    private static void WithWill(MqttClientOptions options, uint delay)
    {
        (options.WillTopic, options.WillPayload, options.WillDelayInterval) = ("t/will", "gone"u8.ToArray(), delay);
        options.SessionExpiryInterval = 600;
    }

    private static void Through(Cable cable, MqttClientOptions options) =>
        options.ChannelOptions = new MqttClientTcpOptions { RemoteEndpoint = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, cable.Port) };

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; !condition(); i++)
        {
            Assert.That(i, Is.LessThan(3_000), "never came true");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }
}
