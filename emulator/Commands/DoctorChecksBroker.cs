using System.Buffers.Text;
using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Fleet.Emulator.Commands;

/// <summary>
/// Asks a broker what it says it can, then tries whether it loses messages without a word: at a new viewer, who gets all retained
/// messages at once, and at a subscriber that is busy while many messages come. Speaks MQTTnet itself, since the fleet's bus hides
/// all of this; everything counted is counted on MQTTnet's threads.
/// </summary>
internal sealed class BrokerChecks(MqttBusOptions options, Action<Check> tell)
{
    /// <summary>Topics of a fleet of a few hundred devices; the brokers' usual limit is 1,000 messages.</summary>
    public const int SnapshotTopics = 3000;

    public const int BurstMessages = 5000;

    private const int Pings = 20;

    /// <summary>About what a device's report has.</summary>
    private const int PayloadBytes = 200;

    /// <summary>Messages on their way to the broker at once.</summary>
    private const int Window = 100;

    /// <summary>
    /// What MQTT Explorer and most tools speak. An MQTT 5 client may ask for a window so large that it hides the broker's limit from
    /// itself, as the fleet's bus does; the viewers' trees would be cut all the same.
    /// </summary>
    private const MqttProtocolVersion Viewer = MqttProtocolVersion.V311;

    private const string Cure = "set max_queued_messages 0 (Mosquitto, as in deploy/mosquitto.conf), max_mqueue_len infinity (EMQX), MaxPendingMessagesPerClient (MQTTnet)";

    /// <summary>Nothing more comes after a silence of this length.</summary>
    private static readonly Seconds Silence = new(2);

    private static readonly Seconds ProbeMax = new(30);

    /// <summary>The subscriber of the burst is busy until the burst is out, but no longer: a broker may hold the publisher back instead of losing anything.</summary>
    private static readonly Seconds BusyMax = new(2);

    private readonly TimeProvider clock = TimeProvider.System;
    private readonly string root = string.Create(CultureInfo.InvariantCulture, $"fleet-doctor/{TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds():x}-{Environment.ProcessId:x}");
    private int clients;

    /// <summary>Every check, told as it ends. Takes away what it has put into the broker, also when it is stopped or fails.</summary>
    public async Task Run(Stock? stock, CancellationToken stop)
    {
        if (await Connected(MqttProtocolVersion.V500, "MQTT 5", "accepted: all of Fleet speaks it") is not { } connected) return;
        using var client = connected.Client;
        (await Connected(MqttProtocolVersion.V311, "MQTT 3.1.1", "accepted: MQTT Explorer and other viewers speak it"))?.Client.Dispose();
        Said(connected.Answer, stock);
        try
        {
            tell(await RoundTrip(client, stop));
            if (!connected.Answer.RetainAvailable || !connected.Answer.WildcardSubscriptionAvailable) return;
            await Probe(client, stop);
        }
        catch (Exception e) when (e is MqttCommunicationException or MqttProtocolViolationException or MqttClientDisconnectedException)
        {
            tell(new Check("connection", Verdict.Fail, $"lost in a probe: {e.GetBaseException().Message}", "a connection that lasts", "look into the broker's log"));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            tell(new Check("connection", Verdict.Fail, "the broker did not answer in time", FormattableString.Invariant($"an answer within {options.AcknowledgeTimeout.Value:F0} s"), "look into the broker's log"));
        }
    }

    private async Task<(IMqttClient Client, MqttClientConnectResult Answer)?> Connected(MqttProtocolVersion version, string about, string needed)
    {
        var client = Create();
        try
        {
            var answer = await client.ConnectAsync(Setup(version), CancellationToken.None);
            if (answer.ResultCode is MqttClientConnectResultCode.Success)
            {
                tell(Check.Ok(about, $"{options.Broker} accepts it"));
                return (client, answer);
            }
            var isAccess = answer.ResultCode is MqttClientConnectResultCode.BadUserNameOrPassword or MqttClientConnectResultCode.NotAuthorized;
            tell(new Check(about, Verdict.Fail, $"{options.Broker} refuses: {answer.ResultCode}", needed, isAccess ? "mqtt://USER:PASSWORD@HOST" : "use a broker that speaks it"));
        }
        catch (Exception e) when (e is MqttCommunicationException or MqttProtocolViolationException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            tell(new Check(about, Verdict.Fail, $"{options.Broker} cannot be reached: {e.GetBaseException().Message}", "a broker that answers there", "start the broker, or look at address, port, firewall and TLS"));
        }
        client.Dispose();
        return null;
    }

    /// <summary>What CONNACK promises (MQTT 5.0, 3.2.2.3).</summary>
    private void Said(MqttClientConnectResult answer, Stock? stock)
    {
        var frame = stock is null ? 0 : stock.Models.Values.SelectMany(model => model.Card.Cuts).Max(cut => 4 * cut.Elements) + TensorFrame.HeaderBytes + 512;
        // MQTTnet gives 0, which the protocol forbids, where the broker names no limit.
        tell(Check.That(answer.MaximumPacketSize is not > 0 || answer.MaximumPacketSize >= frame, Verdict.Fail, "packet size",
            answer.MaximumPacketSize is { } size and > 0 ? $"at most {Count(size)} B" : "no limit", $"{Count(frame)} B, the zoo's largest tensor frame", $"raise the broker's limit (max_packet_size {TensorFrame.FrameBytesMax + 65536} in Mosquitto)"));
        var window = answer.ReceiveMaximum is { } maximum and > 0 ? maximum : ushort.MaxValue;
        tell(Check.That(window >= Window, Verdict.Warn, "receive maximum", $"{Count(window)} messages on their way from one client",
            $"{Window}, or a far broker takes {Count(window)} messages a round trip", "max_inflight_messages 1000 (Mosquitto), max_inflight (EMQX)"));
        tell(Check.That(answer.RetainAvailable, Verdict.Fail, "retained messages", answer.RetainAvailable ? "available" : "not available", "available: they are the fleet's state", "turn them on in the broker"));
        tell(Check.That(answer.WildcardSubscriptionAvailable, Verdict.Fail, "wildcards", answer.WildcardSubscriptionAvailable ? "available" : "not available", "available: the controller subscribes with them", "turn them on in the broker"));
    }

    private async Task<Check> RoundTrip(IMqttClient client, CancellationToken stop)
    {
        await client.PingAsync(stop);
        var times = new List<double>(Pings);
        for (var i = 0; i < Pings; i++)
        {
            var began = clock.GetTimestamp();
            await client.PingAsync(stop);
            times.Add(clock.Since(began).Value * 1e3);
        }
        times.Sort();
        var found = FormattableString.Invariant($"median {times[Pings / 2]:F2} ms, worst of {Pings} {times[^1]:F2} ms");
        return Check.That(times[Pings / 2] <= 100, Verdict.Warn, "round trip", found, "100 ms: a fifth of the default deadline", "use a nearer broker, or longer deadlines");
    }

    private async Task Probe(IMqttClient publisher, CancellationToken stop)
    {
        try
        {
            if (await Refusal(publisher, stop) is { } refusal)
            {
                tell(new Check("probes", Verdict.Warn, $"not made: the broker refuses {root}/#: {refusal}", "the right to publish and to subscribe there", "allow fleet-doctor/# to this user"));
                return;
            }
            await Publish(publisher, SnapshotTopics, i => Message($"{root}/s/{i}", i, retain: true), stop);
            foreach (var quality in new[] { MqttQualityOfServiceLevel.AtMostOnce, MqttQualityOfServiceLevel.AtLeastOnce }) tell(await Snapshot(quality, stop));
            tell(await Burst(publisher, stop));
        }
        finally
        {
            await Clean(publisher);
        }
    }

    /// <summary>Why the probes' topics are forbidden; null when they are not.</summary>
    private async Task<string?> Refusal(IMqttClient publisher, CancellationToken stop)
    {
        var published = await publisher.PublishAsync(Message($"{root}/s/0", 0, retain: true), stop);
        if (!published.IsSuccess) return published.ReasonCode.ToString();
        var granted = (await publisher.SubscribeAsync(Subscription($"{root}/none", MqttQualityOfServiceLevel.AtLeastOnce), stop)).Items.Single().ResultCode;
        return granted <= MqttClientSubscribeResultCode.GrantedQoS2 ? null : granted.ToString();
    }

    private async Task<Check> Snapshot(MqttQualityOfServiceLevel quality, CancellationToken stop)
    {
        using var viewer = Create();
        var seen = new Seen(SnapshotTopics);
        viewer.ApplicationMessageReceivedAsync += message => seen.Add(message.ApplicationMessage);
        await Connect(viewer, Viewer, stop);
        var began = clock.GetTimestamp();
        await viewer.SubscribeAsync(Subscription($"{root}/s/#", quality), stop);
        var took = await Settle(seen, began, stop);
        var found = FormattableString.Invariant($"{seen.Count:N0} of {SnapshotTopics:N0} retained messages reached a new MQTT 3.1.1 viewer in {took.Value:F2} s");
        await viewer.DisconnectAsync(cancellationToken: stop);
        return seen.Count == SnapshotTopics
            ? Check.Ok($"snapshot at QoS {(int)quality}", found)
            : new Check($"snapshot at QoS {(int)quality}", Verdict.Fail, $"{found}: the broker cuts a new viewer's snapshot at about {Count(seen.Count)}", "all of them", Cure);
    }

    private async Task<Check> Burst(IMqttClient publisher, CancellationToken stop)
    {
        using var subscriber = Create();
        var seen = new Seen(BurstMessages);
        var idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        subscriber.ApplicationMessageReceivedAsync += async message =>
        {
            await idle.Task;
            await seen.Add(message.ApplicationMessage);
        };
        await Connect(subscriber, Viewer, stop);
        await subscriber.SubscribeAsync(Subscription($"{root}/b", MqttQualityOfServiceLevel.AtLeastOnce), stop);
        var began = clock.GetTimestamp();
        var publishing = Publish(publisher, BurstMessages, i => Message($"{root}/b", i, retain: false), stop);
        await Task.WhenAny(publishing, clock.Delay(BusyMax, stop).AsTask());
        var busy = clock.Since(began);
        idle.SetResult();
        await publishing;
        await Settle(seen, began, stop);
        await subscriber.DisconnectAsync(cancellationToken: stop);
        var found = FormattableString.Invariant($"{seen.Count:N0} of {BurstMessages:N0} acknowledged QoS 1 messages reached an MQTT 3.1.1 subscriber that was busy for {busy.Value:F1} s");
        return Check.That(seen.Count == BurstMessages, Verdict.Fail, "burst", found, "all of them: the publisher was told that they arrived", Cure);
    }

    /// <summary>Waits until all have come, nothing more comes, or the time is over; gives the time to the last one.</summary>
    private async Task<Seconds> Settle(Seen seen, long began, CancellationToken stop)
    {
        var (count, last) = (0, clock.GetTimestamp());
        while (seen.Count < seen.Expected && clock.Since(began) < ProbeMax && clock.Since(last) < Silence)
        {
            await clock.Delay(new Seconds(0.02), stop);
            if (seen.Count > count) (count, last) = (seen.Count, clock.GetTimestamp());
        }
        return clock.Since(began) - (seen.Count < seen.Expected ? clock.Since(last) : Seconds.Zero);
    }

    /// <summary>Publishes at QoS 1, some at once, and waits for all acknowledgements.</summary>
    private static async Task Publish(IMqttClient client, int count, Func<int, MqttApplicationMessage> message, CancellationToken stop)
    {
        var next = 0;
        async Task Lane()
        {
            while (next < count) await client.PublishAsync(message(next++), stop);
        }
        await Task.WhenAll(Enumerable.Range(0, Window).Select(_ => Lane()));
    }

    /// <summary>An empty retained message takes the topic away (MQTT 5.0, 3.3.1.3). Not stopped by Ctrl-C, but by its own time.</summary>
    private async Task Clean(IMqttClient publisher)
    {
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(20), clock);
        try
        {
            if (publisher.IsConnected)
            {
                await Publish(publisher, SnapshotTopics, Empty, enough.Token);
                return;
            }
            using var another = Create();
            await Connect(another, MqttProtocolVersion.V500, enough.Token);
            await Publish(another, SnapshotTopics, Empty, enough.Token);
        }
        catch (Exception e) when (e is MqttCommunicationException or MqttClientDisconnectedException or OperationCanceledException)
        {
            tell(new Check("cleaning up", Verdict.Warn, $"up to {Count(SnapshotTopics)} retained messages are left under {root}: {e.GetBaseException().Message}", "none", $"mosquitto_sub -t '{root}/#' --remove-retained"));
        }
    }

    private MqttApplicationMessage Empty(int i) => new() { Topic = $"{root}/s/{i}", Retain = true, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce };

    /// <summary>Should this process be killed, brokers that know message expiry forget what it published after ten minutes.</summary>
    private static MqttApplicationMessage Message(string topic, int number, bool retain) => new()
    {
        Topic = topic,
        PayloadSegment = System.Text.Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture).PadRight(PayloadBytes)),
        QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
        Retain = retain,
        MessageExpiryInterval = 600,
    };

    private static MqttClientSubscribeOptions Subscription(string filter, MqttQualityOfServiceLevel quality) =>
        new() { TopicFilters = [new MQTTnet.Packets.MqttTopicFilter { Topic = filter, QualityOfServiceLevel = quality }] };

    private static IMqttClient Create() => new MqttClientFactory().CreateMqttClient();

    private async Task Connect(IMqttClient client, MqttProtocolVersion version, CancellationToken stop)
    {
        var answer = await client.ConnectAsync(Setup(version), stop);
        if (answer.ResultCode is not MqttClientConnectResultCode.Success) throw new MqttCommunicationException($"the broker refuses a further connection: {answer.ResultCode}");
    }

    private MqttClientOptions Setup(MqttProtocolVersion version)
    {
        var setup = MqttClientSetup.ClientOptions(options with { ClientId = $"{options.ClientId}-{clients++}", CleanStart = true, SessionExpiry = Seconds.Zero });
        setup.ProtocolVersion = version;
        if (version is not MqttProtocolVersion.V500) (setup.MaximumPacketSize, setup.ReceiveMaximum, setup.SessionExpiryInterval) = (0, 0, 0);
        return setup;
    }

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Which numbers have come. A message that comes twice counts once.</summary>
    private sealed class Seen(int expected)
    {
        private readonly Lock gate = new();
        private readonly bool[] came = new bool[expected];
        private int count;

        public int Expected => expected;

        public int Count => Volatile.Read(ref count);

        public Task Add(MqttApplicationMessage message)
        {
            var payload = MqttClientSetup.Contiguous(message.Payload);
            if (!Utf8Parser.TryParse(payload, out int number, out _) || number < 0 || number >= expected) return Task.CompletedTask;
            lock (gate)
            {
                if (!came[number]) count++;
                came[number] = true;
            }
            return Task.CompletedTask;
        }
    }
}
