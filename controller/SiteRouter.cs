using Fleet.Contracts;

namespace Fleet.Controller;

/// <summary>
/// Very many sites on one bus: one subscription a kind for all of them, and each message goes to its own site in one look-up. A site
/// begins with the first message that comes for it. A gateway's state goes to all sites: it may carry devices of several and has one will.
/// </summary>
public sealed class SiteRouter : IDisposable
{
    private readonly IBus bus;
    private readonly Action<string, IBus> begin;
    private readonly Dictionary<string, SiteBus> sites = new(StringComparer.Ordinal);
    private readonly int sitesMax;
    private List<IDisposable> subscriptions = [];

    /// <param name="begin">Starts whoever steers a site on a bus of its own; called on the loop, once a site.</param>
    /// <param name="sitesMax">Sites beyond it are left alone and counted.</param>
    public SiteRouter(IBus bus, Action<string, IBus> begin, int sitesMax = 100_000)
    {
        (this.bus, this.begin, this.sitesMax) = (bus, begin, sitesMax);
        bus.ConnectionChanged += OnConnection;
    }

    public int Count => sites.Count;

    /// <summary>Messages of sites beyond the limit.</summary>
    public long Ignored { get; private set; }

    /// <summary>Begins to listen.</summary>
    public void Start() => subscriptions = [.. SiteController.Heard.Select(kind => bus.Subscribe(Topic.Filter(kind, "+"), OnMessage))];

    public void Dispose()
    {
        bus.ConnectionChanged -= OnConnection;
        foreach (var subscription in subscriptions) subscription.Dispose();
    }

    private void OnMessage(Topic topic, Message message)
    {
        if (topic.Kind is TopicKind.GatewayState)
        {
            foreach (var each in sites.Values.ToList()) each.Receive(topic, message);
            return;
        }
        if (!sites.TryGetValue(topic.Site, out var site))
        {
            if (message is Cleared) return;
            if (sites.Count >= sitesMax)
            {
                Ignored++;
                return;
            }
            sites[topic.Site] = site = new SiteBus(bus);
            begin(topic.Site, site);
        }
        site.Receive(topic, message);
    }

    private void OnConnection(bool connected)
    {
        foreach (var site in sites.Values.ToList()) site.Tell(connected);
    }

    /// <summary>A site's share of the bus: what it subscribes to is already coming. Filters are of one kind each, for the whole site.</summary>
    private sealed class SiteBus(IBus bus) : IBus
    {
        private readonly Dictionary<TopicKind, Action<Topic, Message>> handlers = [];

        public event Action<bool>? ConnectionChanged;

        public bool IsConnected => bus.IsConnected;

        public void Publish(Topic topic, Message message) => bus.Publish(topic, message);

        public IDisposable Subscribe(string filter, Action<Topic, Message> handler)
        {
            if (!Topic.TryParse(filter.Replace('+', 'x'), out var any)) throw new ArgumentException($"\"{filter}\" is no filter of a kind", nameof(filter));
            handlers[any.Kind] = handlers.GetValueOrDefault(any.Kind) + handler;
            return new Ending(this, any.Kind, handler);
        }

        public void Receive(Topic topic, Message message)
        {
            if (handlers.TryGetValue(topic.Kind, out var handler)) handler(topic, message);
        }

        public void Tell(bool connected) => ConnectionChanged?.Invoke(connected);

        private sealed class Ending(SiteBus site, TopicKind kind, Action<Topic, Message> handler) : IDisposable
        {
            public void Dispose()
            {
                if (site.handlers.GetValueOrDefault(kind) - handler is { } left) site.handlers[kind] = left;
                else site.handlers.Remove(kind);
            }
        }
    }
}
