using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>A connection to a broker that is far away: what is said and what is heard takes its time, in order, since MQTT runs over TCP.</summary>
/// <param name="inner">The connection as if there were no distance.</param>
/// <param name="oneWay">Without load.</param>
/// <param name="jitter">Mean of the exponential delay that is added each way.</param>
public sealed class DistantBus(IBus inner, Seconds oneWay, Seconds jitter, TimeProvider clock, MessageBooks books, SeededRandom random) : IBus
{
    private Seconds lastUp, lastDown;
    private bool isClosed;

    public bool IsConnected => inner.IsConnected;

    /// <summary>Messages on their way, both ways.</summary>
    public int InFlight { get; private set; }

    public event Action<bool>? ConnectionChanged
    {
        add => inner.ConnectionChanged += value;
        remove => inner.ConnectionChanged -= value;
    }

    /// <summary>A failure here is a bug and ends the run, hence async void.</summary>
    public async void Publish(Topic topic, Message message)
    {
        lastUp = Seconds.Max(lastUp, Arrival());
        if (!await Cross(topic.Kind, lastUp)) return;
        // Commands and states are kept by the client under it while the line is down; data is lost.
        inner.Publish(topic, message);
    }

    public IDisposable Subscribe(string filter, Action<Topic, Message> handler) => inner.Subscribe(filter, (topic, message) => Receive(topic, message, handler));

    /// <summary>The process at this end is gone: what is still on its way is lost.</summary>
    public void Close() => isClosed = true;

    /// <inheritdoc cref="Publish"/>
    private async void Receive(Topic topic, Message message, Action<Topic, Message> handler)
    {
        lastDown = Seconds.Max(lastDown, Arrival());
        if (await Cross(topic.Kind, lastDown)) handler(topic, message);
    }

    /// <summary>False when the process ended on the way.</summary>
    private async Task<bool> Cross(TopicKind kind, Seconds arrival)
    {
        books.Due(kind);
        InFlight++;
        await clock.Delay(arrival - clock.Since(0));
        InFlight--;
        if (isClosed) books.Dropped(kind);
        else books.Delivered(kind);
        return !isClosed;
    }

    private Seconds Arrival() => clock.Since(0) + oneWay + jitter * -Math.Log(1 - random.NextDouble());
}
