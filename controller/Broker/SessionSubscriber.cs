using System.Collections;
using MQTTnet;
using MQTTnet.Protocol;
using MQTTnet.Server;

namespace Fleet.Controller.Broker;

/// <summary>
/// An MQTT session. MQTTnet queues for it without regard to what is queued, so the limits are held here: a subscription's retained
/// messages are fed in as the client takes them, and a retained topic that finds the queue full waits as a topic, not as a message:
/// whenever there is room its value of that time is sent. So a slow viewer misses intermediate values, never the last one.
/// </summary>
internal sealed class SessionSubscriber(string clientId, MqttSessionStatus session, Switchboard board, NamedConnection? connection) : Subscriber(clientId)
{
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(2);

    /// <summary>The feed stops here, so that live messages need not wait behind a whole snapshot.</summary>
    private readonly int feedBelow = Math.Clamp(board.Options.PendingPause / 2, 1, 1_000);

    private readonly Queue<Feed> feed = new();
    private readonly HashSet<(string Topic, string Filter)> queued = [];
    private NamedConnection? connection = connection;
    private bool stalled;

    /// <summary>A topic whose retained value shall be sent. Live: as the publication it stands for, even if the value was cleared since.</summary>
    private readonly record struct Feed(string Topic, string Filter, MqttQualityOfServiceLevel Quality, List<uint>? Ids, bool Live);

    /// <summary>Identifies the session: MQTTnet hands it out with every event, and makes a new one for a new session of the same client.</summary>
    public IDictionary Items => session.Items;

    public bool IsOnline { get; private set; } = true;

    public bool IsGone { get; private set; }

    public override bool IsBehind => IsOnline && !stalled && Pending > board.Options.PendingPause;

    private long Pending => session.PendingApplicationMessagesCount + (connection?.Held ?? 0);

    public void GoOnline(NamedConnection? now)
    {
        connection = now;
        IsOnline = true;
        FeedMore();
    }

    public void GoOffline()
    {
        IsOnline = false;
        connection = null;
    }

    public void Discard()
    {
        IsGone = true;
        IsOnline = false;
        feed.Clear();
        queued.Clear();
    }

    public override async Task CatchUpAsync()
    {
        var time = board.Time;
        var since = time.GetTimestamp();
        var before = Pending;
        while (IsOnline && !stalled && Pending is var now && now > board.Options.PendingPause / 2)
        {
            if (now < before) (before, since) = (now, time.GetTimestamp());
            else if (time.GetElapsedTime(since).TotalSeconds > board.Options.Patience.Value) stalled = true;
            await Task.Delay(Glance, time);
        }
    }

    public override void DeliverRetained(Subscription subscription, List<string> topics)
    {
        foreach (var topic in topics) Later(new Feed(topic, subscription.Filter, subscription.Quality, subscription.Id > 0 ? [subscription.Id] : null, false));
        FeedMore();
    }

    protected override void Deliver(Incoming message, MqttQualityOfServiceLevel quality, bool retain, List<uint>? ids)
    {
        var packet = message.Packet;
        var level = packet.QualityOfServiceLevel < quality ? packet.QualityOfServiceLevel : quality;
        if (IsOnline ? Pending < board.Options.PendingMax : level > 0 && !packet.Retain && Pending < board.Options.OfflineMax)
        {
            if (stalled && Pending <= board.Options.PendingPause / 2) stalled = false;
            Enqueue(Copy(packet, level, retain, ids, packet.MessageExpiryInterval));
        }
        else if (packet.Retain)
        {
            if (!Later(new Feed(packet.Topic, "", quality, ids, true))) Interlocked.Increment(ref board.Tally.Coalesced);
            if (IsOnline) board.Feed(this);
        }
        // At most once means that nothing waits for a client that is away (MQTT 5, section 4.1).
        else if (IsOnline || level > 0)
        {
            Interlocked.Increment(ref board.Tally.Dropped);
        }
    }

    /// <summary>Sends what was put off, as far as there is room; true when something is left and worth another try.</summary>
    public bool FeedMore()
    {
        while (IsOnline && Pending < feedBelow && feed.TryDequeue(out var next))
        {
            queued.Remove((next.Topic, next.Filter));
            // Unsubscribed meanwhile?
            if (!next.Live && !Subscriptions.ContainsKey(next.Filter)) continue;
            var value = board.FindRetained(next.Topic) ?? (next.Live ? new MqttApplicationMessage { Topic = next.Topic, QualityOfServiceLevel = next.Quality } : null);
            if (value is null) continue;
            var level = value.QualityOfServiceLevel < next.Quality ? value.QualityOfServiceLevel : next.Quality;
            Enqueue(Copy(value, level, !next.Live, next.Ids, board.TimeLeft(next.Topic)));
        }
        var more = IsOnline && feed.Count > 0;
        if (more) board.Feed(this);
        return more;
    }

    /// <summary>False when the topic waits already: it will be sent once, with its newest value.</summary>
    private bool Later(Feed next)
    {
        if (!queued.Add((next.Topic, next.Filter))) return false;
        feed.Enqueue(next);
        return true;
    }

    private void Enqueue(MqttApplicationMessage packet)
    {
        // Such a message is as if it had been delivered (MQTT 5, section 3.1.2.11.4).
        if (connection is { PacketBytesMax: > 0 and var longest } && PacketSize.Of(packet) > longest)
        {
            Interlocked.Increment(ref board.Tally.Dropped);
            return;
        }
        try
        {
            if (!IsGone && session.TryEnqueueApplicationMessage(packet, out _))
            {
                Interlocked.Increment(ref board.Tally.Delivered);
                return;
            }
        }
        catch (ObjectDisposedException)
        {
            // The session ended while this was on its way.
        }
        Interlocked.Increment(ref board.Tally.Dropped);
    }

    private static MqttApplicationMessage Copy(MqttApplicationMessage packet, MqttQualityOfServiceLevel level, bool retain, List<uint>? ids, uint expiry) => new()
    {
        Topic = packet.Topic,
        Payload = packet.Payload,
        QualityOfServiceLevel = level,
        Retain = retain,
        SubscriptionIdentifiers = ids,
        ResponseTopic = packet.ResponseTopic,
        CorrelationData = packet.CorrelationData,
        ContentType = packet.ContentType,
        MessageExpiryInterval = expiry,
        PayloadFormatIndicator = packet.PayloadFormatIndicator,
        UserProperties = packet.UserProperties,
    };
}
