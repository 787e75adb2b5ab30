using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Radios;

/// <summary>
/// The distributed coordination function of IEEE 802.11: whoever wants to send counts down a random number of idle slots, frozen while the
/// medium is busy; two who reach zero in the same slot collide and draw from twice the window. Who finds the medium idle sends at once.
/// Counts are kept as slots of a common clock that runs while the medium is idle, so that a burst costs one event, however many wait.
/// </summary>
public sealed class WifiCell : Medium
{
    // D: IEEE 802.11-2016, OFDM at 2.4 GHz with short slots: 9 us, SIFS 10 us, DIFS = SIFS + 2 slots; CWmin 15, CWmax 1023. The same in
    // nsnam/ns-3-dev-git@140646449a: src/wifi/model/wifi-standard-constants.h (OFDM_SLOT_TIME_20MHZ, DSSS_SIFS_TIME) and wifi-mac.cc (cwmin, cwmax).
    private static readonly Seconds Slot = new(9e-6);
    private static readonly Seconds Difs = new(28e-6);
    private const int WindowMin = 15;
    private const int WindowMax = 1023;

    private readonly TimeProvider clock;
    private readonly SeededRandom random;
    private readonly ITimer timer;
    private readonly PriorityQueue<Burst, (long Slot, long Sequence)> waiting = new();
    private readonly List<Burst> air = [];

    // Slots of the common clock that had passed when the medium fell idle.
    private long slotsPassed, sequence;
    private Seconds idleSince;

    public WifiCell(TimeProvider clock, SeededRandom random)
    {
        (this.clock, this.random) = (clock, random);
        timer = clock.CreateTimer(static cell => ((WifiCell)cell!).Ring(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        idleSince = clock.Since(0) - Difs;
    }

    public override Task<bool> Carry(Seconds airTime, int attempt)
    {
        var burst = new Burst(airTime);
        var isIdle = air.Count == 0 && clock.Since(0) >= idleSince + Difs;
        var window = Math.Min((WindowMin + 1 << Math.Min(attempt, 10)) - 1, WindowMax);
        var draw = isIdle && attempt == 0 ? 0 : random.Next(window + 1);
        waiting.Enqueue(burst, (SlotNow() + draw, sequence++));
        if (air.Count == 0) Await();
        return burst.Ended.Task;
    }

    /// <summary>The slot that begins next.</summary>
    private long SlotNow() => air.Count > 0 ? slotsPassed : slotsPassed + Math.Max(0, (long)Math.Ceiling((clock.Since(0) - idleSince - Difs) / Slot - 1e-6));

    /// <summary>Sets the timer to the first slot that somebody has drawn.</summary>
    private void Await()
    {
        if (!waiting.TryPeek(out _, out var first)) return;
        var due = idleSince + Difs + Slot * (first.Slot - slotsPassed) - clock.Since(0);
        timer.Change(Seconds.Max(Seconds.Zero, due).Span, Timeout.InfiniteTimeSpan);
    }

    private void Ring()
    {
        if (air.Count == 0) Begin();
        else End();
    }

    /// <summary>Everybody who has drawn this slot sends.</summary>
    private void Begin()
    {
        waiting.TryPeek(out _, out var first);
        slotsPassed = first.Slot;
        while (waiting.TryPeek(out var burst, out var at) && at.Slot == first.Slot)
        {
            waiting.Dequeue();
            air.Add(burst);
        }
        Sent += air.Count;
        if (air.Count > 1) Collided += air.Count;
        timer.Change(air.Max(burst => burst.AirTime).Span, Timeout.InfiniteTimeSpan);
    }

    private void End()
    {
        var ended = air.ToArray();
        air.Clear();
        idleSince = clock.Since(0);
        Await();
        foreach (var burst in ended) burst.Ended.TrySetResult(ended.Length == 1);
    }

    private sealed class Burst(Seconds airTime)
    {
        public Seconds AirTime => airTime;

        public TaskCompletionSource<bool> Ended { get; } = new();
    }
}
