using Fleet.Contracts;
using MQTTnet;
using MQTTnet.Protocol;

namespace Fleet.Controller.Broker;

/// <summary>One published message on its way through the broker, decoded at most once.</summary>
internal sealed class Incoming(MqttApplicationMessage packet)
{
    private (Topic? Topic, Message? Message)? decoded;

    public MqttApplicationMessage Packet { get; } = packet;

    /// <summary>What was said, if it is already known because it was said in this process.</summary>
    public Incoming(MqttApplicationMessage packet, Topic topic, Message message) : this(packet) => decoded = (topic, message);

    /// <summary>Null topic: the protocol has none such. Null message: a retained one was cleared of which nobody is told.</summary>
    public (Topic? Topic, Message? Message) Decoded => decoded ??= Decode(Packet);

    private static (Topic?, Message?) Decode(MqttApplicationMessage packet)
    {
        if (!Topic.TryParse(packet.Topic, out var topic)) return (null, null);
        return packet.Payload.IsEmpty && !topic.Rule.IsTakenBack ? (topic, null) : (topic, Wire.Decode(topic, MqttClientSetup.Contiguous(packet.Payload), packet.ResponseTopic));
    }
}

/// <summary>Somebody messages are delivered to: an MQTT session, or the controller in this process. Called under the switchboard's gate.</summary>
internal abstract class Subscriber(string clientId)
{
    private readonly List<uint> ids = [];
    private long stamp;
    private MqttQualityOfServiceLevel quality;
    private bool retainAsPublished;

    public string ClientId { get; } = clientId;

    public Dictionary<string, Subscription> Subscriptions { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether those who publish to it should wait.</summary>
    public abstract bool IsBehind { get; }

    /// <summary>Completes when it is no longer behind, or nobody should wait for it any more.</summary>
    public abstract Task CatchUpAsync();

    /// <summary>
    /// Notes a matching subscription; true for the first one of this message. A message goes to a client once, with the highest
    /// quality and all identifiers of its matching subscriptions, as MQTT 5 allows (section 3.3.4).
    /// </summary>
    public bool Collect(long message, Subscription matching)
    {
        var first = stamp != message;
        if (first)
        {
            stamp = message;
            ids.Clear();
            quality = MqttQualityOfServiceLevel.AtMostOnce;
            retainAsPublished = false;
        }
        if (matching.Quality > quality) quality = matching.Quality;
        retainAsPublished |= matching.RetainAsPublished;
        if (matching.Id > 0 && !ids.Contains(matching.Id)) ids.Add(matching.Id);
        return first;
    }

    /// <summary>After the last <see cref="Collect"/>.</summary>
    public void Deliver(Incoming message) =>
        Deliver(message, quality, retainAsPublished && message.Packet.Retain, ids.Count == 0 ? null : [.. ids]);

    protected abstract void Deliver(Incoming message, MqttQualityOfServiceLevel quality, bool retain, List<uint>? ids);

    /// <summary>Retained messages for a subscription just made.</summary>
    public abstract void DeliverRetained(Subscription subscription, List<string> topics);
}
