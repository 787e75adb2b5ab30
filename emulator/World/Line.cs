using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>
/// A client's way to the broker through all lives of its process. Several faults may hold it down at once: it is up again when the last of
/// them is over, and a process that starts meanwhile finds it down.
/// </summary>
/// <param name="will">What the broker says when a connection dies without a goodbye.</param>
public sealed class Line(SimBus bus, string name, (Topic Topic, Message Message)? will = null) : ILine
{
    /// <summary>How long a broker takes to notice that a process has died.</summary>
    private static readonly TimeSpan Noticed = TimeSpan.FromSeconds(5);

    private SimBus.Connection? connection;
    private int outages;

    public string Name => name;

    public bool IsUp => outages == 0;

    /// <summary>The connection of the next life.</summary>
    public SimBus.Connection Connect()
    {
        connection = connection?.Renew() ?? bus.Connect(name, will);
        if (!IsUp) connection.Lose(Noticed);
        return connection;
    }

    IBus ILine.Connect() => Connect();

    /// <summary>The line goes down; the broker notices.</summary>
    public void Lose()
    {
        if (outages++ == 0) connection?.Lose(Noticed);
    }

    /// <summary>The broker itself is gone, and with it what it would have said of this client.</summary>
    public void LoseBroker()
    {
        outages++;
        connection?.Lose(noticedAfter: null);
    }

    /// <summary>One of the faults is over.</summary>
    public void Restore()
    {
        if (--outages == 0) connection?.Restore();
    }

    /// <summary>The process is gone.</summary>
    public void Die() => connection?.Die(Noticed);
}
