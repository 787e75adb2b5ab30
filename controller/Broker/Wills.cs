using System.Buffers;
using Fleet.Contracts;
using MQTTnet;
using MQTTnet.Packets;

namespace Fleet.Controller.Broker;

/// <summary>A message for the case that its client goes without a word, and how long after that it is published.</summary>
internal sealed record Will(MqttApplicationMessage Message, Seconds Delay)
{
    public static Will Of(MqttConnectPacket connect) => new(
        new MqttApplicationMessage
        {
            Topic = connect.WillTopic,
            Payload = new ReadOnlySequence<byte>(connect.WillMessage ?? []),
            QualityOfServiceLevel = connect.WillQoS,
            Retain = connect.WillRetain,
            ContentType = connect.WillContentType,
            CorrelationData = connect.WillCorrelationData,
            ResponseTopic = connect.WillResponseTopic,
            MessageExpiryInterval = connect.WillMessageExpiryInterval,
            PayloadFormatIndicator = connect.WillPayloadFormatIndicator,
            UserProperties = connect.WillUserProperties,
        },
        new Seconds(connect.WillDelayInterval));
}

/// <summary>
/// Whose will is to be published when (MQTT 5, sections 3.1.2.5, 3.1.3.2.2 and 3.1.4): after its delay or at the end of the session,
/// whichever comes first; not if the client is back by then. A client that takes its own session over is back at once, unless it starts clean.
/// Used under the switchboard's gate.
/// </summary>
internal sealed class Wills(TimeProvider time)
{
    private readonly Dictionary<string, (NamedConnection Connection, Seconds Expiry)> connected = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (Will Will, long Since, Seconds Delay)> waiting = new(StringComparer.Ordinal);

    /// <summary>Wills whose time has not come.</summary>
    public int Waiting => waiting.Count;

    /// <summary>How long the session of a connected client outlives its connection; null when it is not connected.</summary>
    public Seconds? ExpiryOf(string clientId) => connected.TryGetValue(clientId, out var now) ? now.Expiry : null;

    /// <summary>The connection that was let in last; null when the client is not connected.</summary>
    public NamedConnection? ConnectionOf(string clientId) => connected.TryGetValue(clientId, out var now) ? now.Connection : null;

    /// <summary>A client was let in.</summary>
    public void Connected(string clientId, NamedConnection connection, Seconds expiry)
    {
        connected[clientId] = (connection, expiry);
        if (waiting.Remove(clientId, out var late) && connection.CleanStart) waiting[clientId + "\0ended"] = (late.Will, late.Since, Seconds.Zero);
    }

    /// <summary>A connection is over.</summary>
    /// <returns>What is to be published at once.</returns>
    public Will? Ended(string clientId, NamedConnection connection, Seconds expiry)
    {
        var isTakenOver = connected.TryGetValue(clientId, out var now) && now.Connection != connection;
        if (!isTakenOver) connected.Remove(clientId);
        if (connection.Will is not { } will) return null;
        var delay = Seconds.Min(will.Delay, expiry);
        if (delay.Value <= 0 || isTakenOver && now.Connection.CleanStart) return will;
        if (!isTakenOver) waiting[clientId] = (will, time.GetTimestamp(), delay);
        return null;
    }

    /// <summary>Takes off what is to be published now.</summary>
    public List<(string ClientId, Will Will)> Due()
    {
        if (waiting.Count == 0) return [];
        var due = waiting.Where(entry => time.GetElapsedTime(entry.Value.Since).TotalSeconds >= entry.Value.Delay.Value).Select(entry => (entry.Key, entry.Value.Will)).ToList();
        foreach (var (clientId, _) in due) waiting.Remove(clientId);
        return due;
    }
}
