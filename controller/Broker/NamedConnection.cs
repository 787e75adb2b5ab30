using System.Net;
using System.Security.Cryptography.X509Certificates;
using MQTTnet.Adapter;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Fleet.Controller.Broker;

/// <summary>
/// Gives a client that comes without an id one. MQTT 3.1.1 allows that for a clean session (section 3.1.3.1) and mosquitto_sub does
/// it, but MQTTnet refuses it unless the client speaks MQTT 5. Keeps the client's will, which MQTTnet would publish without its delay. And takes plain publications off
/// before MQTTnet has them, whose way through events and queues costs more than all that is done with a message: what one read brought is acknowledged together.
/// </summary>
/// <param name="inFlightMax">Messages that one client may leave unanswered, even if it would bear more.</param>
/// <param name="bytesMax">The longest packet that is taken: clients are told.</param>
/// <param name="take">Publishes for the client of the connection; told the acknowledgement's reason.</param>
internal sealed class NamedConnection(IMqttChannelAdapter inner, TimeProvider time, int inFlightMax, long bytesMax, Func<NamedConnection, MqttPublishPacket, ValueTask<MqttPubAckReasonCode>> take) : IMqttChannelAdapter
{
    /// <summary>Topic of what MQTTnet is shown in the place of what was taken, at most once, so that it has nothing to answer: acknowledgements of its own would come out of order. Nobody may publish on it.</summary>
    public const string SignOfLife = "#";

    /// <summary>As often MQTTnet is shown that the client is alive.</summary>
    private static readonly TimeSpan ShownEvery = TimeSpan.FromSeconds(0.5);

    /// <summary>Nobody who publishes without a pause waits longer.</summary>
    private const int AcknowledgedTogetherMax = 64;

    private static long last;

    private readonly Queue<MqttPubAckPacket> unacknowledged = new();
    private readonly InFlight inFlight = new() { Max = inFlightMax };
    private long shownAt;

    /// <summary>Who was let in on it; null before.</summary>
    public string? ClientId { get; set; }

    /// <summary>What the client wants said when it goes without a word; null when it has none, or said goodbye.</summary>
    public Will? Will { get; private set; }

    public bool CleanStart { get; private set; }

    /// <summary>The longest packet that the client takes; 0: any.</summary>
    public long PacketBytesMax { get; private set; }

    /// <summary>Messages for the client that wait until it has answered earlier ones.</summary>
    public int Held => inFlight.Held;

    /// <summary>What came to be published exactly once and is not released: if it comes again, it is the same. Part of the session.</summary>
    public HashSet<ushort> Unreleased { get; set; } = [];

    public long BytesReceived => inner.BytesReceived;

    public long BytesSent => inner.BytesSent;

    public X509Certificate2 ClientCertificate => inner.ClientCertificate;

    public EndPoint RemoteEndPoint => inner.RemoteEndPoint;

    public EndPoint LocalEndPoint => inner.LocalEndPoint;

    public bool IsSecureConnection => inner.IsSecureConnection;

    public MqttPacketFormatterAdapter PacketFormatterAdapter => inner.PacketFormatterAdapter;

    /// <param name="handler">Completes when the connection is over, however it ended.</param>
    /// <param name="ended">Told after that.</param>
    public static Func<IMqttChannelAdapter, Task> Around(Func<IMqttChannelAdapter, Task> handler, TimeProvider time, int inFlightMax, long bytesMax, Func<NamedConnection, MqttPublishPacket, ValueTask<MqttPubAckReasonCode>> take, Action<NamedConnection> ended) => async connection =>
    {
        var named = new NamedConnection(connection, time, inFlightMax, bytesMax, take);
        try
        {
            await handler(named);
        }
        finally
        {
            ended(named);
        }
    };

    public Task ConnectAsync(CancellationToken cancellationToken) => inner.ConnectAsync(cancellationToken);

    public Task DisconnectAsync(CancellationToken cancellationToken) => inner.DisconnectAsync(cancellationToken);

    public async Task<MqttPacket> ReceivePacketAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var coming = inner.ReceivePacketAsync(cancellationToken);
            if (!coming.IsCompleted || unacknowledged.Count >= AcknowledgedTogetherMax) await AcknowledgeAsync(cancellationToken);
            var packet = await coming;
            if (IsEnd(packet) && inFlight.End() is { } next) await inner.SendPacketAsync(next, cancellationToken);
            if (packet is MqttPublishPacket { QualityOfServiceLevel: MqttQualityOfServiceLevel.ExactlyOnce, TopicAlias: 0 } once && IsKnown(once.PacketIdentifier))
            {
                await inner.SendPacketAsync(new MqttPubRecPacket { PacketIdentifier = once.PacketIdentifier }, cancellationToken);
                continue;
            }
            if (packet is not MqttPublishPacket publish || !IsPlain(publish)) return await ShowAsync(packet, cancellationToken);
            var taken = take(this, publish);
            if (!taken.IsCompleted) await AcknowledgeAsync(cancellationToken);
            var reason = await taken;
            if (publish.QualityOfServiceLevel is MqttQualityOfServiceLevel.AtLeastOnce) unacknowledged.Enqueue(new MqttPubAckPacket { PacketIdentifier = publish.PacketIdentifier, ReasonCode = reason });
            if (time.GetElapsedTime(shownAt) >= ShownEvery) return await ShowAsync(new MqttPublishPacket { Topic = SignOfLife }, cancellationToken);
        }
    }

    /// <summary>To MQTTnet, which answers for itself what it is shown.</summary>
    private async Task<MqttPacket> ShowAsync(MqttPacket packet, CancellationToken cancel)
    {
        await AcknowledgeAsync(cancel);
        shownAt = time.GetTimestamp();
        if (packet is MqttConnectPacket connect) Note(connect);
        else if (packet is MqttPubRelPacket release) Forget(release.PacketIdentifier);
        else if (packet is MqttDisconnectPacket { ReasonCode: not MqttDisconnectReasonCode.DisconnectWithWillMessage }) Will = null;
        return packet;
    }

    /// <summary>Neither exactly once nor under an alias, which MQTTnet keeps.</summary>
    private bool IsPlain(MqttPublishPacket publish) => ClientId is not null && publish.QualityOfServiceLevel is not MqttQualityOfServiceLevel.ExactlyOnce && publish.TopicAlias == 0 && !string.IsNullOrEmpty(publish.Topic);

    private async ValueTask AcknowledgeAsync(CancellationToken cancel)
    {
        while (unacknowledged.TryDequeue(out var next)) await inner.SendPacketAsync(next, cancel);
    }

    private void Note(MqttConnectPacket connect)
    {
        CleanStart = connect.CleanSession;
        PacketBytesMax = connect.MaximumPacketSize;
        if (connect.ReceiveMaximum > 0) inFlight.Max = Math.Min(inFlightMax, connect.ReceiveMaximum);
        if (connect.CleanSession && string.IsNullOrEmpty(connect.ClientId) && PacketFormatterAdapter.ProtocolVersion < MqttProtocolVersion.V500)
            connect.ClientId = $"anonymous-{PacketFormatterAdapter.ProtocolVersion}-{Interlocked.Increment(ref last)}";
        if (!connect.WillFlag) return;
        Will = Broker.Will.Of(connect);
        connect.WillFlag = false;
    }

    public void ResetStatistics() => inner.ResetStatistics();

    public Task SendPacketAsync(MqttPacket packet, CancellationToken cancellationToken)
    {
        if (packet is MqttConnAckPacket { MaximumPacketSize: 0 } answer) answer.MaximumPacketSize = (uint)bytesMax;
        if (packet is MqttPubRecPacket { ReasonCode: >= MqttPubRecReasonCode.UnspecifiedError } refused) Forget(refused.PacketIdentifier);
        if (packet is MqttPublishPacket { QualityOfServiceLevel: > MqttQualityOfServiceLevel.AtMostOnce } publish && !inFlight.TryBegin(publish)) return Task.CompletedTask;
        return inner.SendPacketAsync(packet, cancellationToken);
    }

    /// <summary>Whether the client has answered a message for good.</summary>
    private static bool IsEnd(MqttPacket? packet) => packet is MqttPubAckPacket or MqttPubCompPacket or MqttPubRecPacket { ReasonCode: >= MqttPubRecReasonCode.UnspecifiedError };

    private bool IsKnown(ushort packet)
    {
        lock (Unreleased) return !Unreleased.Add(packet);
    }

    private void Forget(ushort packet)
    {
        lock (Unreleased) Unreleased.Remove(packet);
    }

    public void Dispose() => inner.Dispose();
}
