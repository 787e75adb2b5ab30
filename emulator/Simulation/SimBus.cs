using Fleet.Contracts;
using Fleet.Emulator.Faults;

namespace Fleet.Emulator.Simulation;

/// <summary>
/// The broker in virtual time: retained messages, wills, subscriptions, delivery in order. Records are handed over as they are;
/// told to, it puts every message through the wire encoding instead, which must change nothing.
/// </summary>
public sealed class SimBus(SimClock simClock, EventHash hash, MessageBooks books, bool throughWire = false)
{
    private readonly SimClock clock = simClock;
    // The first on each path; others follow it in the order of subscribing.
    private readonly Dictionary<string, Subscription> exact = new(StringComparer.Ordinal);

    // How many of those may match each kind of topic: most kinds that devices speak have none.
    private readonly int[] exactOf = new int[TopicRule.All.Count];

    // By the kind of topic, each in the order of subscribing; who may match several kinds stands with each of them.
    private readonly List<Subscription>?[] wild = new List<Subscription>?[TopicRule.All.Count];
    private readonly RetainedMessages retained = new();
    private readonly Stack<Delivery> spare = [];
    private long nextSubscription;

    /// <summary>Retained messages as a new viewer would see them, in order of their paths.</summary>
    public IEnumerable<(Topic Topic, Message Message)> Retained => retained.All.Select(kept => (kept.Topic, kept.Message));

    /// <summary>Retained messages of one kind by the id in their topics, in no order.</summary>
    public Dictionary<string, T> RetainedOf<T>(TopicKind kind) where T : Message => retained.Of(kind).ToDictionary(kept => kept.Topic.Id, kept => (T)kept.Message);

    /// <summary>What befalls deliveries; null when nothing ever does.</summary>
    public Disturbances? Disturbances { get; init; }

    /// <summary>Deliveries on their way from the broker to a client.</summary>
    public long InFlight { get; private set; }

    /// <summary>Opens a connection.</summary>
    /// <param name="will">Published when the connection dies without a goodbye.</param>
    public Connection Connect(string name, (Topic Topic, Message Message)? will = null) => new(this, name, will);

    /// <summary>The message retained on a path; null when there is none.</summary>
    public Message? RetainedOn(string path) => retained.Find(path)?.Message;

    /// <summary>The broker restarts without its memory.</summary>
    public void ForgetRetained() => retained.Clear();

    /// <summary>A bridge is up again and subscribes anew: what is retained comes again to those on its other side.</summary>
    /// <param name="crosses">Whether it lies between the client that said something and the one that hears it.</param>
    public void RepeatRetained(Func<string, string, bool> crosses)
    {
        foreach (var subscription in exact.Values.SelectMany(first => first.AndFollowing).Concat(wild.SelectMany(list => list ?? []).Distinct().OrderBy(one => one.Number)).ToList())
            foreach (var kept in retained.Matching(subscription.Filter).Where(kept => crosses(kept.From.Name, subscription.Owner.Name)))
                Deliver(kept.From, subscription, kept.Topic, kept.Message);
    }

    private void Publish(Connection from, Topic topic, Message message)
    {
        hash.Message(clock.GetTimestamp(), topic, message);
        if (throughWire) message = Wire.Decode(topic, Wire.Encode(message), (message as TensorFrame)?.ReplyTo.Path);
        if (topic.Rule.Retained) retained.Keep(new Kept(topic, message, from));
        if (exactOf[(int)topic.Kind] > 0)
            for (var direct = exact.GetValueOrDefault(topic.Path); direct is not null; direct = direct.Following) Deliver(from, direct, topic, message);
        if (wild[(int)topic.Kind] is not { } others) return;
        foreach (var subscription in others)
            if (subscription.Owner != from && TopicFilter.Matches(subscription.Filter, topic.Path)) Deliver(from, subscription, topic, message);
    }

    private void Deliver(Connection from, Subscription subscription, Topic topic, Message message)
    {
        books.Due(topic.Kind);
        InFlight++;
        if (Disturbances is { IsQuiet: false } disturbances)
        {
            Disturb(disturbances, from, subscription, topic, message);
            return;
        }
        // Never inside the publisher's call: a real network does not call back either.
        if (!spare.TryPop(out var delivery)) delivery = new Delivery(this);
        delivery.Begin(subscription, topic, message);
        clock.Soon(static delivery => ((Delivery)delivery!).End(), delivery);
    }

    private void Disturb(Disturbances disturbances, Connection from, Subscription subscription, Topic topic, Message message)
    {
        var copies = disturbances.Copies();
        for (var copy = 1; copy < copies; copy++)
        {
            books.Duplicated(topic.Kind);
            InFlight++;
        }
        for (var copy = 0; copy < copies; copy++) disturbances.Deliver(from.Name, subscription.Owner.Name, isHeard => Arrive(subscription, topic, message, isHeard));
    }

    /// <summary>One message on its way to one subscriber, undisturbed; used again afterwards.</summary>
    private sealed class Delivery(SimBus bus)
    {
        private (Subscription To, Topic Topic, Message Message) what;

        public void Begin(Subscription subscription, Topic topic, Message message) => what = (subscription, topic, message);

        public void End()
        {
            var (to, topic, message) = what;
            what = default;
            bus.spare.Push(this);
            bus.Arrive(to, topic, message);
        }
    }

    private void Arrive(Subscription subscription, Topic topic, Message message, bool isHeard = true)
    {
        InFlight--;
        if (!isHeard || subscription.IsOver || !subscription.Owner.IsConnected)
        {
            books.Dropped(topic.Kind);
            return;
        }
        books.Delivered(topic.Kind);
        subscription.Handler(topic, message);
    }

    /// <summary>One client's connection.</summary>
    public sealed class Connection(SimBus bus, string name, (Topic Topic, Message Message)? will) : IBus
    {
        private readonly List<Subscription> mine = [];

        // What is said while the line is down, newest per topic, as MqttBus keeps it; null when nothing is.
        private SortedDictionary<string, (Topic Topic, Message Message)>? kept;
        private ITimer? willTimer;
        private bool isDead;

        public string Name => name;

        public bool IsConnected { get; private set; } = true;

        public event Action<bool>? ConnectionChanged;

        public void Publish(Topic topic, Message message)
        {
            if (IsConnected) bus.Publish(this, topic, message);
            else if (!isDead && topic.Kind is not (TopicKind.Offload or TopicKind.Reply or TopicKind.EdgeReply)) (kept ??= new(StringComparer.Ordinal))[topic.Path] = (topic, message);
        }

        public IDisposable Subscribe(string filter, Action<Topic, Message> handler)
        {
            var subscription = new Subscription(bus, this, filter, handler);
            mine.Add(subscription);
            bus.Add(subscription);
            return subscription;
        }

        /// <summary>The line goes down without a goodbye; the will is published once the broker has noticed, unless it is back by then.</summary>
        /// <param name="noticedAfter">Null when the broker is gone itself: then nobody will ever say the will, not even of a line lost before.</param>
        public void Lose(TimeSpan? noticedAfter)
        {
            if (noticedAfter is null) willTimer?.Dispose();
            if (!IsConnected) return;
            IsConnected = false;
            if (will is { } last && noticedAfter is { } delay) willTimer = bus.clock.CreateTimer(_ => bus.Publish(this, last.Topic, last.Message), null, delay, Timeout.InfiniteTimeSpan);
            ConnectionChanged?.Invoke(false);
        }

        /// <summary>The process is gone for good: as <see cref="Lose"/>, and nothing it still says is kept.</summary>
        public void Die(TimeSpan noticedAfter)
        {
            isDead = true;
            kept = null;
            Lose(noticedAfter);
            foreach (var subscription in mine.ToList()) subscription.Dispose();
        }

        /// <summary>The same client connects anew after its process died; what the broker would still have said of the old one is void.</summary>
        public Connection Renew()
        {
            willTimer?.Dispose();
            return new Connection(bus, name, will);
        }

        /// <summary>The line is back: what was kept is sent, retained messages come again.</summary>
        public void Restore()
        {
            if (IsConnected || isDead) return;
            IsConnected = true;
            willTimer?.Dispose();
            foreach (var subscription in mine) bus.DeliverRetained(subscription);
            var said = kept?.Values.ToList() ?? [];
            kept = null;
            foreach (var (topic, message) in said) bus.Publish(this, topic, message);
            ConnectionChanged?.Invoke(true);
        }

        internal void Forget(Subscription subscription) => mine.Remove(subscription);
    }

    private void Add(Subscription subscription)
    {
        subscription.Number = nextSubscription++;
        var isExact = TopicFilter.IsExact(subscription.Filter);
        if (isExact) AddExact(subscription);
        foreach (var kind in RetainedMessages.KindsOf(subscription.Filter))
            if (isExact) exactOf[kind]++;
            else (wild[kind] ??= []).Add(subscription);
        DeliverRetained(subscription);
    }

    private void Remove(Subscription subscription)
    {
        foreach (var kind in RetainedMessages.KindsOf(subscription.Filter))
            if (wild[kind]?.Remove(subscription) is not true) exactOf[kind]--;
        if (TopicFilter.IsExact(subscription.Filter)) RemoveExact(subscription);
    }

    private void AddExact(Subscription subscription)
    {
        if (exact.TryAdd(subscription.Filter, subscription)) return;
        var last = exact[subscription.Filter];
        while (last.Following is { } next) last = next;
        last.Following = subscription;
    }

    private void RemoveExact(Subscription subscription)
    {
        var before = exact[subscription.Filter];
        if (before == subscription)
        {
            if (subscription.Following is { } next) exact[subscription.Filter] = next;
            else exact.Remove(subscription.Filter);
            return;
        }
        while (before.Following != subscription) before = before.Following!;
        before.Following = subscription.Following;
    }

    private void DeliverRetained(Subscription subscription)
    {
        foreach (var kept in retained.Matching(subscription.Filter))
            if (Disturbances?.Divides(kept.From.Name, subscription.Owner.Name) is not true) Deliver(kept.From, subscription, kept.Topic, kept.Message);
    }

    /// <param name="From">Who said it.</param>
    internal readonly record struct Kept(Topic Topic, Message Message, Connection From);

    internal sealed class Subscription(SimBus bus, Connection owner, string filter, Action<Topic, Message> handler) : IDisposable
    {
        public Connection Owner => owner;

        public string Filter => filter;

        public Action<Topic, Message> Handler => handler;

        /// <summary>In the order of subscribing.</summary>
        public long Number { get; set; }

        /// <summary>The next one on the same path.</summary>
        public Subscription? Following { get; set; }

        public IEnumerable<Subscription> AndFollowing
        {
            get
            {
                for (var one = this; one is not null; one = one.Following) yield return one;
            }
        }

        public bool IsOver { get; private set; }

        public void Dispose()
        {
            if (IsOver) return;
            IsOver = true;
            bus.Remove(this);
            owner.Forget(this);
        }
    }
}
