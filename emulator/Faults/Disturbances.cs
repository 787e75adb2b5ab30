using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Faults;

/// <summary>A bridge that is down: nothing passes between some clients and another, either way.</summary>
public sealed class Cut(IReadOnlySet<string> clients, string from)
{
    public bool Divides(string a, string b) => a == from && clients.Contains(b) || b == from && clients.Contains(a);
}

/// <summary>
/// What befalls messages between the broker and its clients: bridges that are down, copies, delays that let later messages overtake, and
/// readers that take theirs slowly. Nothing of it changes what the broker retains.
/// </summary>
public sealed class Disturbances(SimClock clock, SeededRandom random)
{
    private readonly List<Cut> cuts = [];
    private readonly Dictionary<string, SlowReader> readers = new(StringComparer.Ordinal);

    /// <summary>Share of all deliveries that are made twice.</summary>
    public double DuplicateRatio { get; set; }

    /// <summary>Share of all deliveries that are held back.</summary>
    public double ReorderRatio { get; set; }

    /// <summary>The longest that one is held back.</summary>
    public Seconds ReorderDelay { get; set; }

    public bool IsQuiet => cuts.Count == 0 && readers.Count == 0 && DuplicateRatio == 0 && ReorderRatio == 0;

    /// <summary>Nothing passes between some clients and another, either way, until the result is given to <see cref="Heal"/>.</summary>
    public Cut Divide(IEnumerable<string> clients, string from)
    {
        var cut = new Cut(clients.ToHashSet(StringComparer.Ordinal), from);
        cuts.Add(cut);
        return cut;
    }

    public void Heal(Cut cut) => cuts.Remove(cut);

    /// <summary>Whether a cut lies between two clients.</summary>
    public bool Divides(string from, string to) => cuts.Exists(cut => cut.Divides(from, to));

    /// <summary>A client takes so many messages a second from now on; more than <paramref name="queueMax"/> do not wait for it.</summary>
    public void Slow(string client, Hertz rate, int queueMax)
    {
        var reader = readers[client] = new SlowReader(clock, rate, queueMax);
        clock.Start(reader.Read);
    }

    /// <summary>The client takes what waits for it at once, and reads as others do.</summary>
    public void Hurry(string client)
    {
        if (readers.Remove(client, out var reader)) reader.Hurry();
    }

    /// <summary>How often the next delivery is made.</summary>
    public int Copies() => DuplicateRatio > 0 && random.NextDouble() < DuplicateRatio ? 2 : 1;

    /// <summary>Takes a delivery; says whether it is heard, now or later, but never within this call.</summary>
    public void Deliver(string from, string to, Action<bool> done)
    {
        if (Divides(from, to)) clock.Soon(() => done(false));
        else if (ReorderRatio > 0 && random.NextDouble() < ReorderRatio)
            clock.CreateTimer(_ => Hand(to, done), null, (ReorderDelay * random.NextDouble()).Span, Timeout.InfiniteTimeSpan);
        else Hand(to, done);
    }

    private void Hand(string to, Action<bool> done)
    {
        if (!readers.TryGetValue(to, out var reader)) clock.Soon(() => done(true));
        else if (!reader.TryAdd(done)) clock.Soon(() => done(false));
    }

    private sealed class SlowReader(SimClock clock, Hertz rate, int queueMax)
    {
        private readonly Queue<Action<bool>> waiting = new();
        private bool isOver;

        /// <summary>False when its queue is full.</summary>
        public bool TryAdd(Action<bool> done)
        {
            if (waiting.Count >= queueMax) return false;
            waiting.Enqueue(done);
            return true;
        }

        public async Task Read()
        {
            while (!isOver)
            {
                await clock.Delay(rate.Period);
                if (waiting.TryDequeue(out var done)) done(true);
            }
        }

        public void Hurry()
        {
            isOver = true;
            while (waiting.TryDequeue(out var done)) clock.Soon(() => done(true));
        }
    }
}
