using MQTTnet;

namespace Fleet.Controller.Broker;

/// <summary>
/// Who gets what. One gate orders everything: a message is stored, matched and queued in one step, so a subscriber sees
/// each topic's messages in one order and never an older retained value after a newer one. Nothing waits inside the gate.
/// </summary>
internal sealed class Switchboard(BrokerOptions options, RetainedFile? file, BrokerTally tally, TimeProvider time)
{
    private static readonly TimeSpan FeedEvery = TimeSpan.FromMilliseconds(2);

    private readonly Lock gate = new();
    private readonly TopicIndex index = new();
    private readonly RetainedStore retained = new(options.RetainedMax, time);
    private readonly List<Subscription> matching = [];
    private readonly List<Subscriber> receivers = [];
    private readonly HashSet<SessionSubscriber> fed = [];
    private readonly SemaphoreSlim hungry = new(0, 1);
    private long lastMessage;

    public BrokerOptions Options { get; } = options;

    public BrokerTally Tally { get; } = tally;

    public TimeProvider Time { get; } = time;

    public Lock Gate => gate;

    public int SubscriptionCount => index.Count;

    public int RetainedCount => retained.Count;

    public void Load(IEnumerable<(MqttApplicationMessage Message, long? Expiry)> messages)
    {
        lock (gate)
            foreach (var (message, expiry) in messages.Where(one => TopicIndex.IsTopic(one.Message.Topic) && Utf8Text.AreAllowed(one.Message))) retained.TryPut(message, expiry);
    }

    /// <summary>Inside the gate: retained messages past their own expiry are gone, on disk too.</summary>
    public void ForgetExpired()
    {
        foreach (var topic in retained.RemoveExpired()) file?.Put(topic, null, null);
    }

    /// <summary>Stores, matches and queues; returns a subscriber that the publisher should wait for.</summary>
    public Subscriber? Publish(Incoming message, string? sender)
    {
        var packet = message.Packet;
        lock (gate)
        {
            if (packet.Retain && !Retain(packet)) Interlocked.Increment(ref Tally.Refused);
            matching.Clear();
            receivers.Clear();
            index.Match(packet.Topic, matching);
            lastMessage++;
            foreach (var subscription in matching)
            {
                if (subscription.NoLocal && subscription.Owner.ClientId == sender) continue;
                if (subscription.Owner.Collect(lastMessage, subscription)) receivers.Add(subscription.Owner);
            }
            Subscriber? behind = null;
            foreach (var receiver in receivers)
            {
                receiver.Deliver(message);
                // Nobody waits for himself: he may be busy publishing.
                if (receiver.IsBehind && receiver.ClientId != sender) behind = receiver;
            }
            return behind;
        }
    }

    /// <summary>Adds or replaces; the retained messages follow unless they are not wanted.</summary>
    public void Subscribe(Subscription subscription, bool retainedAlways, bool retainedIfNew)
    {
        lock (gate)
        {
            var owner = subscription.Owner;
            var isNew = !owner.Subscriptions.TryGetValue(subscription.Filter, out var before);
            if (before is not null) index.Remove(before);
            owner.Subscriptions[subscription.Filter] = subscription;
            index.Add(subscription);
            if (retainedAlways || retainedIfNew && isNew) owner.DeliverRetained(subscription, retained.Matching(subscription.Filter));
        }
    }

    public bool Unsubscribe(Subscriber owner, string filter)
    {
        lock (gate)
        {
            if (!owner.Subscriptions.Remove(filter, out var subscription)) return false;
            index.Remove(subscription);
            return true;
        }
    }

    public void UnsubscribeAll(Subscriber owner)
    {
        lock (gate)
        {
            foreach (var subscription in owner.Subscriptions.Values) index.Remove(subscription);
            owner.Subscriptions.Clear();
        }
    }

    /// <summary>Inside the gate.</summary>
    public MqttApplicationMessage? FindRetained(string topic) => retained.Find(topic);

    /// <inheritdoc cref="RetainedStore.TimeLeft"/>
    public uint TimeLeft(string topic) => retained.TimeLeft(topic);

    /// <summary>Inside the gate: there is something to send as soon as there is room.</summary>
    public void Feed(SessionSubscriber subscriber)
    {
        if (fed.Add(subscriber) && hungry.CurrentCount == 0) hungry.Release();
    }

    /// <summary>Feeds those who could not take everything at once, until cancelled.</summary>
    public async Task FeedAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await hungry.WaitAsync(stop);
                while (FeedAll()) await Task.Delay(FeedEvery, Time, stop);
            }
        }
        catch (OperationCanceledException)
        {
            // The broker stops.
        }
    }

    private bool FeedAll()
    {
        lock (gate)
        {
            fed.RemoveWhere(subscriber => !subscriber.FeedMore());
            return fed.Count > 0;
        }
    }

    private bool Retain(MqttApplicationMessage packet)
    {
        if (packet.Payload.IsEmpty)
        {
            if (retained.Remove(packet.Topic)) file?.Put(packet.Topic, null, null);
            return true;
        }
        if (!retained.TryPut(packet)) return false;
        file?.Put(packet.Topic, packet, retained.ExpiryOf(packet.Topic));
        return true;
    }
}
