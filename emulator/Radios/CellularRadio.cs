using Fleet.Contracts;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Radios;

/// <summary>
/// An LTE-M or NB-IoT modem: waking it costs a fixed energy and time, it stays connected for a tail after each message, sent or
/// received, and each byte adds a little. Asleep it cannot be told anything; what waits is told when it has woken.
/// </summary>
public sealed class CellularRadio(RadioSpec spec, RadioPart part, Board board, TimeProvider clock, SeededRandom random) : Radio
{
    private readonly CellularPart cellular = part.Cellular!;
    private readonly List<TaskCompletionSource<bool>> sleepers = [];
    private Seconds connectedUntil, lastUp, lastDown;
    private bool isClosed;

    /// <summary>Messages that may wait for the modem to wake.</summary>
    private const int SleepersMax = 64;

    public override bool NeedsBoard => false;

    public override async ValueTask<bool> Up(int messageBytes, Delivery delivery)
    {
        var onAir = Charge(messageBytes, EnergyUse.Transmit, part.Link!.TxPerByte.Value);
        Sent += onAir;
        lastUp = Seconds.Max(lastUp, clock.Since(0) + Wake() + onAir / part.Link.Goodput.Value + Jitter());
        connectedUntil = Seconds.Max(connectedUntil, lastUp + cellular.Tail.Value);
        await clock.Delay(lastUp - clock.Since(0));
        foreach (var sleeper in Drained()) sleeper.TrySetResult(true);
        return !isClosed;
    }

    public override async ValueTask<bool> Down(int messageBytes)
    {
        if (clock.Since(0) >= connectedUntil && !await Awakened()) return false;
        Prolong(EnergyUse.Receive);
        var onAir = Charge(messageBytes, EnergyUse.Receive, part.Link!.RxPerByte.Value);
        lastDown = Seconds.Max(lastDown, clock.Since(0) + cellular.RoundTrip.Value / 2 + onAir / part.Link.Goodput.Value + Jitter());
        await clock.Delay(lastDown - clock.Since(0));
        return !isClosed;
    }

    public override ValueTask Download(Bytes bytes)
    {
        board.Draw(EnergyUse.Receive, bytes * part.Link!.RxPerByte.Value);
        return clock.Delay(bytes / part.Link.Goodput.Value + Wake());
    }

    public override void Close()
    {
        isClosed = true;
        foreach (var sleeper in Drained()) sleeper.TrySetResult(false);
    }

    /// <summary>How long the first answer takes.</summary>
    private Seconds Wake()
    {
        var isAsleep = clock.Since(0) >= connectedUntil;
        Prolong(EnergyUse.Transmit);
        return isAsleep ? cellular.WakeTime.Value : cellular.RoundTrip.Value / 2;
    }

    /// <summary>Pays for being connected a tail longer, from now or from when the present tail would have ended.</summary>
    private void Prolong(EnergyUse use)
    {
        var now = clock.Since(0);
        var longer = cellular.Tail.Value - Seconds.Max(Seconds.Zero, connectedUntil - now);
        connectedUntil = Seconds.Max(connectedUntil, now + cellular.Tail.Value);
        // The measured energy of a waking holds the whole time the radio was on; a longer time costs in proportion.
        board.Draw(use, cellular.WakeEnergy.Value * Math.Max(0, longer / cellular.Tail.Value));
    }

    private Task<bool> Awakened()
    {
        if (isClosed || sleepers.Count >= SleepersMax) return Task.FromResult(false);
        sleepers.Add(new TaskCompletionSource<bool>());
        return sleepers[^1].Task;
    }

    private TaskCompletionSource<bool>[] Drained()
    {
        TaskCompletionSource<bool>[] drained = [.. sleepers];
        sleepers.Clear();
        return drained;
    }

    private Bytes Charge(int messageBytes, EnergyUse use, JoulesPerByte each)
    {
        var packets = Math.Max(1, Math.Ceiling(messageBytes / part.Link!.PacketPayload.Value.Value));
        var onAir = new Bytes(messageBytes + packets * part.Link.OverheadPerPacket.Value.Value);
        board.Draw(use, onAir * each);
        return onAir;
    }

    private Seconds Jitter() => spec.Jitter * -Math.Log(1 - random.NextDouble());
}
