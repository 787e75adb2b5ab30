using Fleet.Contracts;
using Fleet.Controller.Broker;
using Microsoft.Data.Sqlite;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using NUnit.Framework;
using static Fleet.Tests.Controller.BrokerFixture;

namespace Fleet.Tests.Controller;

/// <summary>The broker as clients of any make see it.</summary>
public sealed class BrokerTests
{
    [TestCase(MqttProtocolVersion.V311)]
    [TestCase(MqttProtocolVersion.V500)]
    public async Task Subscribe_EverythingWithThousandsRetained_ReceivesTheWholeSnapshot(MqttProtocolVersion version)
    {
        const int topics = 5_000;
        await using var broker = await StartAsync(new BrokerOptions { Port = 0, PendingMax = 200, PendingPause = 100 });
        await using var publisher = await RawClient.ConnectAsync(broker, "publisher");
        await Task.WhenAll(Enumerable.Range(0, topics).Select(i => publisher.PublishAsync($"fleet/v1/lab/dev-{i}/state", $"{i}", retain: true)));
        await using var viewer = await RawClient.ConnectAsync(broker, "viewer", options => options.ProtocolVersion = version);

        await viewer.SubscribeAsync("#");

        var seen = new HashSet<string>();
        for (var i = 0; i < topics; i++)
        {
            var message = await viewer.NextAsync();
            Assert.That(message.Retain);
            seen.Add(message.Topic);
        }
        Assert.That(seen, Has.Count.EqualTo(topics));
        Assert.That(broker.Counters, Has.Property("Dropped").EqualTo(0).And.Property("Retained").EqualTo(topics));
    }

    [Test]
    public async Task Match_RandomFiltersAndTopics_AgreesWithTheStandardsRules()
    {
        var random = new Random(7);
        string[] levels = ["a", "b", "", "$s"];
        string Path(string[] from) => string.Join('/', Enumerable.Range(0, random.Next(1, 5)).Select(_ => from[random.Next(from.Length)]));
        var filters = Enumerable.Range(0, 150).Select(_ => Path([.. levels, "+", "+"]) + (random.Next(3) == 0 ? "/#" : "")).Append("#").Where(filter => filter.Length > 0).Distinct().ToList();
        var topics = Enumerable.Range(0, 150).Select(_ => Path(levels)).Where(topic => topic.Length > 0).Distinct().ToList();
        await using var broker = await StartAsync();
        await using var client = await RawClient.ConnectAsync(broker, "client");
        for (var i = 0; i < filters.Count; i++) await client.SubscribeAsync(filters[i], (uint)(i + 1));

        foreach (var topic in topics)
        {
            var expected = filters.Where(filter => Matches(filter, topic)).ToList();
            await client.PublishAsync(topic, "x", retain: true);
            if (expected.Count == 0) continue;
            var message = await client.NextAsync();
            Assert.That(message.Topic, Is.EqualTo(topic));
            Assert.That(message.SubscriptionIdentifiers.Select(id => filters[(int)id - 1]), Is.EquivalentTo(expected), topic);
        }

        Assert.That(broker.Counters.Retained, Is.EqualTo(topics.Count));
        foreach (var filter in filters.Where(filter => !filter.StartsWith('$')))
        {
            await using var late = await RawClient.ConnectAsync(broker, "late");
            await late.SubscribeAsync(filter);
            var retained = await late.UntilMarkAsync("mark/of/late/tests/x");
            Assert.That(retained.Select(message => message.Topic).Where(topic => topic != "mark/of/late/tests/x"),
                Is.EquivalentTo(topics.Where(topic => Matches(filter, topic))), filter);
        }
    }

    [Test]
    public async Task Subscribe_Mqtt5Options_AreHonoured()
    {
        await using var broker = await StartAsync();
        await using var client = await RawClient.ConnectAsync(broker, "client");
        await client.PublishAsync("t/kept", "x", retain: true);

        await client.SubscribeAsync("t/kept", more: filter => filter.RetainHandling = MqttRetainHandling.DoNotSendOnSubscribe);
        await client.SubscribeAsync("t/own", more: filter => filter.NoLocal = true);
        await client.SubscribeAsync("t/flag", more: filter => filter.RetainAsPublished = true);
        await client.SubscribeAsync("t/once", more: filter => filter.QualityOfServiceLevel = MqttQualityOfServiceLevel.AtMostOnce);
        foreach (var topic in new[] { "t/own", "t/flag", "t/once" }) await client.PublishAsync(topic, "y", retain: true);
        var came = await client.UntilMarkAsync();

        Assert.That(came.Select(message => message.Topic), Is.EqualTo(new[] { "t/flag", "t/once" }));
        Assert.That(came.Select(message => message.Retain), Is.EqualTo(new[] { true, false }));
        Assert.That(came.Select(message => (int)message.QualityOfServiceLevel), Is.EqualTo(new[] { 1, 0 }));
    }

    [Test]
    public async Task Subscribe_SharedOrInvalid_IsRefused()
    {
        await using var broker = await StartAsync();
        await using var client = await RawClient.ConnectAsync(broker, "client");
        Assert.That(await client.SubscribeAsync("$share/group/t"), Is.EqualTo(MqttClientSubscribeResultCode.SharedSubscriptionsNotSupported));
        Assert.That(await client.SubscribeAsync("t"), Is.EqualTo(MqttClientSubscribeResultCode.GrantedQoS1));
    }

    [Test]
    public async Task Topics_OfTooManyLevels_AreRefusedAndHarmNobody()
    {
        await using var broker = await StartAsync();
        await using var client = await RawClient.ConnectAsync(broker, "client");
        foreach (var levels in new[] { 201, 32_000 })
        {
            var deep = string.Join('/', Enumerable.Repeat("a", levels));
            Assert.That((await client.PublishAsync(deep, "x", retain: true)).ReasonCode, Is.EqualTo(MqttClientPublishReasonCode.TopicNameInvalid));
            Assert.That(await client.SubscribeAsync(deep), Is.EqualTo(MqttClientSubscribeResultCode.TopicFilterInvalid));
            Assert.That(await client.SubscribeAsync(deep.Replace('a', '+')), Is.EqualTo(MqttClientSubscribeResultCode.TopicFilterInvalid));
        }
        Assert.That((broker.Counters.Refused, broker.Counters.Retained), Is.EqualTo((2, 0)));

        var deepest = string.Join('/', Enumerable.Repeat("a", 200));
        await client.PublishAsync(deepest, "x", retain: true);
        await client.SubscribeAsync(deepest.Replace('a', '+'));
        var came = await client.UntilMarkAsync();
        Assert.That(came.Select(message => message.Topic), Is.EqualTo(new[] { deepest }));
    }

    [Test]
    public async Task Subscriptions_OfGoneClients_AreForgotten()
    {
        await using var broker = await StartAsync();
        var client = await RawClient.ConnectAsync(broker, "client");
        await client.SubscribeAsync("a/b");
        await client.SubscribeAsync("a/+");
        await client.SubscribeAsync("a/b");
        Assert.That(broker.Counters.Subscriptions, Is.EqualTo(2));
        await client.UnsubscribeAsync("a/+");
        Assert.That(broker.Counters.Subscriptions, Is.EqualTo(1));

        await client.DisposeAsync();

        await UntilAsync(() => broker.Counters is { Subscriptions: 0, Clients: 0 });
    }

    [Test]
    public async Task Session_Persistent_KeepsWhatCameMeanwhile()
    {
        await using var broker = await StartAsync();
        void Persistent(MqttClientOptions options) => (options.CleanSession, options.SessionExpiryInterval) = (false, 600);
        var device = await RawClient.ConnectAsync(broker, "device", Persistent);
        await device.SubscribeAsync("t/#");
        await device.DisposeAsync();
        await UntilAsync(() => broker.Counters.Clients == 0);
        await using var other = await RawClient.ConnectAsync(broker, "other");
        await other.PublishAsync("t/plain", "1");
        await other.PublishAsync("t/kept", "1", retain: true);
        await other.PublishAsync("t/kept", "2", retain: true);
        await other.PublishAsync("t/never", [1], level: MqttQualityOfServiceLevel.AtMostOnce);

        await using var again = await RawClient.ConnectAsync(broker, "device", Persistent);

        var came = new[] { await again.NextAsync(), await again.NextAsync() }.ToDictionary(message => message.Topic, message => message.ConvertPayloadToString());
        Assert.That(came, Is.EquivalentTo(new Dictionary<string, string> { ["t/plain"] = "1", ["t/kept"] = "2" }));
        Assert.That(broker.Counters, Has.Property("Dropped").EqualTo(0).And.Property("Coalesced").EqualTo(1));
    }

    [Test]
    public async Task Session_CleanStart_ForgetsTheOldOne()
    {
        await using var broker = await StartAsync();
        var device = await RawClient.ConnectAsync(broker, "device", options => (options.CleanSession, options.SessionExpiryInterval) = (false, 600));
        await device.SubscribeAsync("t/#");
        await device.DisposeAsync();
        await UntilAsync(() => broker.Counters is { Clients: 0, Subscriptions: 1 });

        await using var again = await RawClient.ConnectAsync(broker, "device");

        await UntilAsync(() => broker.Counters.Subscriptions == 0);
    }

    [Test]
    public async Task Publish_ToClientThatDoesNotRead_HoldsNobodyUpForEverAndCountsLosses()
    {
        await using var broker = await StartAsync(new BrokerOptions { Port = 0, PendingMax = 40, PendingPause = 20, Patience = new Seconds(0.05) });
        await using var stuck = await StuckClient.ConnectAsync(broker.Port);
        await using var publisher = await RawClient.ConnectAsync(broker, "publisher");
        var payload = new byte[100_000];

        for (var i = 0; i < 200; i++) await publisher.PublishAsync("t/data", payload);
        for (var i = 0; i < 500 && broker.Counters.Coalesced == 0; i++) await publisher.PublishAsync("t/state", payload, retain: true);

        Assert.That(broker.Counters.Pauses, Is.GreaterThan(0));
        Assert.That(broker.Counters.Dropped, Is.GreaterThan(0));
        Assert.That(broker.Counters.Coalesced, Is.GreaterThan(0), $"of the state the newest waits: {broker.Counters}");
    }

    [Test]
    public async Task Retained_WithStateDirectory_SurviveARestart()
    {
        var folder = Directory.CreateTempSubdirectory("fleet-broker-");
        try
        {
            var options = new BrokerOptions { Port = 0, StateDirectory = Path.Combine(folder.FullName, "state") };
            await using (var first = await StartAsync(options))
            {
                await using var client = await RawClient.ConnectAsync(first, "client", WithWill);
                await client.PublishAsync("t/a", "1", retain: true);
                await client.PublishAsync("t/a", "2", retain: true);
                await client.PublishAsync("t/b", "3", retain: true);
                await client.PublishAsync("t/gone", "4", retain: true);
                await client.PublishAsync("t/gone", "", retain: true);
                await client.PublishAsync("t/passing", "5");
                // The broker goes first: that is not the death of its clients, so no will is kept.
                await first.DisposeAsync();
            }

            await using var second = await StartAsync(options);
            await using var late = await RawClient.ConnectAsync(second, "late");
            await late.SubscribeAsync("t/#");
            var came = await late.UntilMarkAsync();

            Assert.That(came.Select(message => (message.Topic, message.ConvertPayloadToString(), message.Retain)), Is.EquivalentTo(new[] { ("t/a", "2", true), ("t/b", "3", true) }));
            Assert.That(second.Counters.Unsaved, Is.Zero);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        static void WithWill(MqttClientOptions options) => (options.WillTopic, options.WillPayload, options.WillRetain) = ("t/will", [1], true);
    }

    [Test]
    public async Task Retained_FileCannotBeWrittenForAWhile_SaysWhyAndIsWrittenLater()
    {
        var folder = Directory.CreateTempSubdirectory("fleet-broker-");
        try
        {
            var options = new BrokerOptions { Port = 0, StateDirectory = folder.FullName };
            await using (var first = await StartAsync(options))
            {
                await using var client = await RawClient.ConnectAsync(first, "client");
                Assert.That(first.StateFault, Is.Empty);
                Hide(true);
                await client.PublishAsync("t/a", "1", retain: true);
                for (var i = 0; i < 1500 && first.StateFault.Length == 0; i++) await TimeProvider.System.Delay(new Seconds(0.02));
                Assert.That(first.StateFault, Does.Contain("retained"));
                Assert.That(first.Counters.Unsaved, Is.EqualTo(1));
                Hide(false);
                for (var i = 0; i < 1500 && first.StateFault.Length > 0; i++) await TimeProvider.System.Delay(new Seconds(0.02));
                Assert.That(first.StateFault, Is.Empty, "without another message");
                Assert.That(first.Counters.Unsaved, Is.Zero);
            }

            await using var second = await StartAsync(options);
            Assert.That(second.Counters.Retained, Is.EqualTo(1));
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        void Hide(bool isHidden)
        {
            using var database = new SqliteConnection($"Data Source={Path.Combine(folder.FullName, "retained.db")};Pooling=False");
            database.Open();
            using var asked = database.CreateCommand();
            if (isHidden) asked.CommandText = "ALTER TABLE retained RENAME TO elsewhere";
            else asked.CommandText = "ALTER TABLE elsewhere RENAME TO retained";
            asked.ExecuteNonQuery();
        }
    }

    [Test]
    public async Task Retained_BrokerKilled_AreThere()
    {
        const int topics = 300;
        var folder = Directory.CreateTempSubdirectory("fleet-broker-");
        try
        {
            var (live, copy) = (Path.Combine(folder.FullName, "live"), Path.Combine(folder.FullName, "copy"));
            await using var running = await StartAsync(new BrokerOptions { Port = 0, StateDirectory = live });
            await using var client = await RawClient.ConnectAsync(running, "client");
            await Task.WhenAll(Enumerable.Range(0, topics).Select(i => client.PublishAsync($"t/{i}", "x", retain: true)));

            // The files as a killed process would leave them, at any moment; soon everything is in them.
            for (var found = 0; found < topics;)
            {
                Directory.CreateDirectory(copy);
                foreach (var file in Directory.GetFiles(live)) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)), overwrite: true);
                await using (var revived = await StartAsync(new BrokerOptions { Port = 0, StateDirectory = copy })) found = revived.Counters.Retained;
                Directory.Delete(copy, recursive: true);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [TestCase(MqttProtocolVersion.V311)]
    [TestCase(MqttProtocolVersion.V500)]
    public async Task Connect_WithoutClientId_IsGivenOne(MqttProtocolVersion version)
    {
        await using var broker = await StartAsync();
        void Nameless(MqttClientOptions options) => options.ProtocolVersion = version;
        await using var one = await RawClient.ConnectAsync(broker, "", Nameless);
        await using var two = await RawClient.ConnectAsync(broker, "", Nameless);
        await two.SubscribeAsync("t");
        await one.PublishAsync("t", "x");
        Assert.That((await two.NextAsync()).Topic, Is.EqualTo("t"));
    }

    [Test]
    public async Task Start_PortInUse_FaultNamesThePort()
    {
        await using var first = await StartAsync();
        var fault = await Assert.ThrowsAsync<FaultsException>(() => StartAsync(new BrokerOptions { Port = first.Port }));
        Assert.That(fault!.Message, Does.Contain($"{first.Port}").And.Contain("in use"));
    }

    [Test]
    public async Task Start_OpenToTheNetworkWithoutPassword_IsRefused()
    {
        var fault = await Assert.ThrowsAsync<FaultsException>(() => StartAsync(new BrokerOptions { Port = 0, Listen = "0.0.0.0" }));
        Assert.That(fault!.Message, Does.Contain("wants no password"));
    }

    [Test]
    public async Task Start_StateDirectoryIsAFile_FaultNamesIt()
    {
        var file = Path.GetTempFileName();
        try
        {
            var fault = await Assert.ThrowsAsync<FaultsException>(() => StartAsync(new BrokerOptions { Port = 0, StateDirectory = file }));
            Assert.That(fault!.Message, Does.Contain(file));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>MQTT 5, section 4.7, word by word. (MQTTnet's own comparer is wrong about empty levels.)</summary>
    private static bool Matches(string filter, string topic)
    {
        static bool Rest(ReadOnlySpan<string> filter, ReadOnlySpan<string> topic) =>
            filter is ["#"]
            || filter.Length == 0 && topic.Length == 0
            || filter.Length > 0 && topic.Length > 0 && (filter[0] == "+" || filter[0] == topic[0]) && Rest(filter[1..], topic[1..]);
        return (!topic.StartsWith('$') || filter[0] is not ('+' or '#')) && Rest(filter.Split('/'), topic.Split('/'));
    }

    /// <summary>For what the broker notices by itself some time later; there is nothing to await.</summary>
    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; !condition(); i++)
        {
            Assert.That(i, Is.LessThan(3_000), "never came true");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }
}
