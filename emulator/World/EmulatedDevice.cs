using System.Runtime.CompilerServices;
using Fleet.Contracts;
using Fleet.Emulator.Faults;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Radios;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;
using Fleet.Emulator.Workload;

namespace Fleet.Emulator;

/// <summary>What an emulated device is made of.</summary>
public sealed record DeviceSpec(string Site, string Id, DeviceGroup Group, HardwareProfile Profile, long Seed, string Gateway = "")
{
    /// <summary>What it sees with others; null when it is alone.</summary>
    public GroupView? Together { get; init; }

    /// <summary>Its group as the scenario's stages have it; empty: as it is, all the time.</summary>
    public IReadOnlyList<(Seconds From, DeviceGroup Group)> Stages { get; init; } = [];

    /// <summary>Where it stands among the devices of its group.</summary>
    public Place Place { get; init; }

    /// <summary>What it may see when it is alone.</summary>
    public required ReplayImages Seen { get; init; }

    /// <summary>Where the scenario's file lies.</summary>
    public string Directory { get; init; } = "";

    /// <summary>The faults that will strike it.</summary>
    public IReadOnlyList<FaultSpec> Faults { get; init; } = [];

    /// <summary>The real board whose measurements its own follow; null: its profile's claim alone.</summary>
    public Live.Twin? Twin { get; init; }

    /// <summary>The device's own luck for a purpose.</summary>
    public SeededRandom Stream(string purpose) => new(Seed, $"{Site}/{Id}/{purpose}");
}

/// <param name="Group">Whose samples it sees.</param>
/// <param name="View">Which view of them, from 1.</param>
public sealed record GroupView(GroupSpec Group, int View);

/// <summary>
/// A device through all its lives. Its battery may run empty; then it falls silent in the middle of whatever it does. If it has a panel
/// it stays dark until the sun has charged it, boots, and its agent starts anew.
/// </summary>
public sealed class EmulatedDevice
{
    private readonly DeviceSpec spec;
    private readonly Stock stock;
    private readonly TimeProvider clock;
    private readonly Ledger ledger;
    private readonly ILine line;
    private readonly Airspace? airspace;
    private readonly Flash flash;

    // The present life is the last; of earlier ones those that still have something on the air.
    private DeviceLife[] lives = [];
    private readonly long begun;
    private int born;
    private (Bytes Sent, long Skipped, long Malformed) before;
    private readonly bool mayComeBack;
    private TaskCompletionSource? brownOut;
    private Seconds bootAfterBrownOut;
    private bool hasCrashed;

    /// <param name="sky">Over the site; null when nobody has a panel.</param>
    /// <param name="airspace">Where its radio contends; null when all links are simple.</param>
    public EmulatedDevice(DeviceSpec spec, Stock stock, InferenceKind inference, ILine line, TimeProvider clock, Ledger ledger, Sky? sky = null, Airspace? airspace = null)
    {
        (this.spec, this.stock, this.clock, this.ledger, this.line, this.airspace) = (spec, stock, clock, ledger, line, airspace);
        flash = new Flash(stock, inference, spec.Seen.Drifts);
        Account = ledger.Open(spec.Id, spec.Group.Board);
        OwnClock = spec.Faults.Any(fault => fault.Kind is FaultKind.ClockDrift) ? new DriftingClock(clock) : null;
        var power = spec.Group.Power;
        var charge = power?.ChargeOf(stock.Power.Cell(power.Cell)!) ?? (spec.Group.Battery is { } capacity ? Charge.Ideal(capacity) : null);
        var panel = power?.Panel is { } name ? new Panel(stock.Power.Panel(name)!, power.Panels, sky!) : null;
        Battery = new Battery(clock, charge, spec.Profile.Power.Idle.Value, Account.Energy, panel);
        mayComeBack = Battery.HasPanel || spec.Faults.Any(fault => fault.Kind is FaultKind.BrownOut);
        Battery.Emptied += () =>
        {
            if (!hasCrashed) LosePower();
        };
        begun = clock.GetTimestamp();
        BeBorn();
    }

    public string Id => spec.Id;

    public string Board => spec.Group.Board;

    /// <summary>The name of its group; empty when it has none.</summary>
    public string Group => spec.Together?.Group.Name ?? spec.Group.Name;

    /// <summary>What it did, in the ledger.</summary>
    public DeviceAccount Account { get; }

    public Battery Battery { get; }

    /// <summary>Its own clock, if a fault will make it drift.</summary>
    public DriftingClock? OwnClock { get; }

    /// <summary>Whether it is switched on, or may be again without the sun.</summary>
    public bool IsOut => hasCrashed || Battery.IsEmpty;

    public Joules Stored => Battery.Stored;

    /// <summary>Inputs it has taken and not answered.</summary>
    public int InFlight => lives.Sum(life => life.InFlight);

    /// <summary>Messages on the air, both ways.</summary>
    public int MessagesInFlight => lives.Sum(life => life.MessagesInFlight);

    public Bytes BytesSent
    {
        get
        {
            var sent = before.Sent;
            foreach (var life in lives) sent += life.BytesSent;
            return sent;
        }
    }

    public long Skipped
    {
        get
        {
            var skipped = before.Skipped;
            foreach (var life in lives) skipped += life.Skipped;
            return skipped;
        }
    }

    public long Malformed => before.Malformed + lives.Sum(life => life.Malformed);

    /// <summary>Runs until <paramref name="stop"/> or until its battery is empty for good.</summary>
    [AsyncMethodBuilder(typeof(LoopMethod))]
    public async ValueTask Run(CancellationToken stop)
    {
        while (true)
        {
            var power = lives[^1].Power;
            using (var either = stop.CanBeCanceled && power.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(stop, power) : null)
            {
                var over = either?.Token ?? (power.CanBeCanceled ? power : stop);
                var watching = WatchBattery(over);
                if (mayComeBack) await UntilDark(lives[^1].Run(over).AsTask(), over, stop);
                else await lives[^1].Run(over);
                await watching;
            }
            if (!mayComeBack || hasCrashed || !await ComeBack(stop)) break;
            BeBorn();
        }
        Battery.Settle();
    }

    /// <summary>Its power fails, whatever its battery holds.</summary>
    /// <param name="boot">What starting again takes when its group does not say.</param>
    public void BrownOut(Seconds boot)
    {
        if (hasCrashed) return;
        bootAfterBrownOut = boot;
        brownOut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Battery.IsDown) return;
        Battery.CutOff();
        LosePower();
    }

    /// <summary>The power is back.</summary>
    public void EndBrownOut()
    {
        brownOut?.TrySetResult();
        brownOut = null;
    }

    /// <summary>Falls silent at once and for good, whatever its battery holds, and draws nothing any more.</summary>
    public void Crash()
    {
        if (hasCrashed) return;
        hasCrashed = true;
        if (Battery.IsDown) return;
        Battery.CutOff();
        LosePower();
    }

    /// <summary>Before its connection goes away.</summary>
    public void Close()
    {
        foreach (var life in lives) life.Close();
    }

    private void BeBorn()
    {
        DeviceLife[] onAir = [.. lives.Where(life => life.MessagesInFlight > 0)];
        foreach (var life in lives.Except(onAir))
            before = (before.Sent + life.BytesSent, before.Skipped + life.Skipped, before.Malformed + life.Malformed);
        var left = spec.Group.Lifetime is { } asked ? spec with { Group = spec.Group with { Lifetime = Seconds.Max(new Seconds(1), asked - clock.Since(begun)) } } : spec;
        lives = [.. onAir, new DeviceLife(left, ++born, flash, stock, Battery, line.Connect(), clock, ledger, Account, airspace, OwnClock)];
    }

    /// <summary>The agent's remains must not delay the next life.</summary>
    private static async Task UntilDark(Task living, CancellationToken over, CancellationToken stop)
    {
        await Ended(over);
        if (stop.IsCancellationRequested) await living;
        else Outlive(living);
    }

    /// <summary>An idle device's battery runs down too: looks in time for the moment it is empty.</summary>
    [AsyncMethodBuilder(typeof(LoopMethod))]
    private async ValueTask WatchBattery(CancellationToken over)
    {
        while (Battery.NextLook is { } time && !Battery.IsDown)
        {
            if (!await clock.Sleep(time, over)) return;
            Battery.Settle();
        }
    }

    private static async Task Ended(CancellationToken over)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = over.Register(() => ended.TrySetResult());
        await ended.Task;
    }

    /// <summary>Dark until the power is back and the battery charged, then boots; an attempt that loses its power again begins from the dark. False when stopped or empty for good.</summary>
    private async Task<bool> ComeBack(CancellationToken stop)
    {
        do
        {
            while (brownOut is not null || Battery.IsEmpty && !Battery.IsCharged)
            {
                if (brownOut is { } power) await power.Task;
                else if (!Battery.HasPanel || !await clock.Sleep(Battery.NextLook!.Value, stop)) return false;
                Battery.Settle();
            }
            if (hasCrashed) return false;
            var boot = spec.Group.Power?.Boot ?? bootAfterBrownOut;
            Battery.Boot(spec.Profile.Power.Active.Value - spec.Profile.Power.Idle.Value);
            if (!await clock.Sleep(boot, stop)) return false;
            Battery.EndBoot();
            if (hasCrashed) return false;
        }
        while (Battery.IsDown);
        ledger.Rebooted(Account);
        return true;
    }

    private void LosePower()
    {
        // A brown-out is no death: the battery has not failed it.
        ledger.LostPower(Account, InFlight, isDeath: IsOut);
        line.Die();
        lives[^1].LosePower();
    }

    /// <summary>A failure here is a bug and ends the run, hence async void.</summary>
    private static async void Outlive(Task living) => await living;
}
