using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Physics;

/// <summary>What a battery holds, above the charge at which its board browns out.</summary>
/// <param name="Capacity">When full.</param>
/// <param name="Charged">At the begin.</param>
/// <param name="Leak">Share of what is stored that is lost in a second.</param>
/// <param name="Restart">From here on an emptied battery lets its board start again; above zero, or the board would fall at once.</param>
public readonly record struct Charge(Joules Capacity, Joules Charged, Hertz Leak, Joules Restart)
{
    /// <summary>A full battery that loses nothing.</summary>
    public static Charge Ideal(Joules capacity) => new(capacity, capacity, Hertz.Zero, capacity);
}

/// <summary>
/// A board's source of energy: a battery that can run empty and be charged by the sun, or the mains, which counts as a harvest that always
/// matches the draw. The draw of an idle or sleeping board, leakage and sunlight are settled lazily, whenever something else happens.
/// </summary>
public sealed class Battery
{
    /// <summary>At least so often somebody must look whether it is empty, or charged again: the light changes with each step of the sky.</summary>
    private static readonly Seconds LookEvery = Sky.Step;

    /// <summary>A look at the computed moment must find it over.</summary>
    private static readonly Seconds Margin = new(0.001);

    private readonly TimeProvider clock;
    private readonly Watts idle;
    private EnergyBooks books;
    private readonly Charge? charge;
    private readonly Panel? panel;
    private readonly long begun;
    private (EnergyUse Use, Watts Power) standing;

    // While the board boots, above the standing draw.
    private Watts booting;
    private long settledAt;
    private bool isCutOff;

    /// <param name="charge">Null for the mains.</param>
    /// <param name="panel">Charges it; null without.</param>
    public Battery(TimeProvider clock, Charge? charge, Watts idle, EnergyBooks books, Panel? panel = null)
    {
        (this.clock, this.charge, this.idle, this.books, this.panel) = (clock, charge, idle, books, panel);
        standing = (EnergyUse.Idle, idle);
        Stored = charge?.Charged ?? Joules.Zero;
        books.Begin(Stored);
        begun = settledAt = clock.GetTimestamp();
    }

    public Joules Stored { get; private set; }

    /// <summary>From the moment the last joule has gone until <see cref="Boot"/>: whatever is charged meanwhile, it gives nothing.</summary>
    public bool IsEmpty { get; private set; }

    /// <summary>Whether it gives nothing: empty, or cut off from what it feeds.</summary>
    public bool IsDown => IsEmpty || isCutOff;

    /// <summary>Raised each time the last joule has gone.</summary>
    public event Action? Emptied;

    public double? Ratio => charge is { } known ? Stored / known.Capacity : null;

    /// <summary>When full; 0 on the mains.</summary>
    public Joules Capacity => charge?.Capacity ?? Joules.Zero;

    public bool IsMains => charge is null;

    public bool IsCharged => charge is { } known && Stored >= known.Restart;

    public bool HasPanel => panel is not null;

    /// <summary>What the panel gives now; null without one.</summary>
    public Watts? Harvest => panel?.Power(StepAt(settledAt));

    /// <summary>When to look again whether its standing draw has emptied it, or the sun has charged it to its restart; null on the mains.</summary>
    public Seconds? NextLook
    {
        get
        {
            if (charge is not { } known) return null;
            var coming = Harvest ?? Watts.Zero;
            var (missing, speed) = IsEmpty ? (known.Restart - Stored, coming) : (Stored, standing.Power + booting - coming);
            return speed > Watts.Zero ? Seconds.Min(LookEvery, missing / speed + Margin) : LookEvery;
        }
    }

    /// <summary>Takes the standing draw since the last time and what has leaked; adds what the sun gave.</summary>
    public void Settle()
    {
        var now = clock.GetTimestamp();
        while (panel is not null && StepAt(settledAt) < StepAt(now)) Pass(StepBegin(StepAt(settledAt) + 1));
        Pass(now);
    }

    /// <summary>
    /// What would be stored if all were settled now, with books that say so too. Nothing changes: settling at other times would round
    /// otherwise, and looking at a run must not make it another run.
    /// </summary>
    public Joules Peek(EnergyBooks into)
    {
        into.Add(books);
        if (charge is null)
        {
            if (IsDown) return Stored;
            var elapsed = clock.Since(settledAt);
            FromMains(into, standing.Use, standing.Power * elapsed);
            FromMains(into, EnergyUse.Boot, booting * elapsed);
            return Stored;
        }
        var twin = (Battery)MemberwiseClone();
        (twin.books, twin.Emptied) = (into, null);
        twin.Settle();
        return twin.Stored;
    }

    /// <summary>Takes energy above the standing draw; what an empty battery cannot give is not used.</summary>
    public void Draw(EnergyUse use, Joules energy)
    {
        Settle();
        if (!IsDown) Take(use, energy);
    }

    /// <summary>Whatever it holds, it gives nothing until <see cref="Boot"/>; it leaks and is charged all the same.</summary>
    public void CutOff()
    {
        Settle();
        isCutOff = true;
    }

    /// <summary>The board is switched on again and draws so much above its idle draw until <see cref="EndBoot"/>.</summary>
    public void Boot(Watts above)
    {
        Resume();
        (IsEmpty, isCutOff, booting) = (false, false, above);
    }

    /// <summary>The board runs, or has lost its power on the way there.</summary>
    public void EndBoot()
    {
        Settle();
        booting = Watts.Zero;
    }

    /// <summary>From now on the board sleeps: it draws <paramref name="sleeping"/> instead of the idle draw.</summary>
    public void Suspend(Watts sleeping)
    {
        Settle();
        standing = (EnergyUse.Sleep, sleeping);
    }

    /// <summary>From now on the board is awake and draws the idle draw.</summary>
    public void Resume()
    {
        Settle();
        standing = (EnergyUse.Idle, idle);
    }

    /// <summary>Time goes by under one light.</summary>
    private void Pass(long until)
    {
        var elapsed = new Seconds((until - settledAt) / (double)clock.TimestampFrequency);
        var light = panel?.Power(StepAt(settledAt)) ?? Watts.Zero;
        settledAt = until;
        if (charge is { Leak.Value: > 0 } leaking) Lose(Stored * -double.ExpM1(-(leaking.Leak * elapsed)));
        if (light > Watts.Zero) Add(light * elapsed);
        if (!IsDown) Take(standing.Use, standing.Power * elapsed);
        if (!IsDown && booting > Watts.Zero) Take(EnergyUse.Boot, booting * elapsed);
        if (charge is { } known && Stored > known.Capacity) Spill(Stored - known.Capacity);
    }

    private void Lose(Joules energy)
    {
        Stored -= energy;
        books.Leak(energy);
    }

    private void Add(Joules energy)
    {
        Stored += energy;
        books.Harvest(energy);
    }

    private void Spill(Joules energy)
    {
        Stored -= energy;
        books.Spill(energy);
    }

    private void Take(EnergyUse use, Joules energy)
    {
        if (charge is null)
        {
            FromMains(books, use, energy);
            return;
        }
        var given = Joules.Min(energy, Stored);
        Stored -= given;
        books.Use(use, given);
        if (Stored > Joules.Zero) return;
        IsEmpty = true;
        Emptied?.Invoke();
    }

    private static void FromMains(EnergyBooks books, EnergyUse use, Joules energy)
    {
        books.Harvest(energy);
        books.Use(use, energy);
    }

    private int StepAt(long timestamp) => (int)((timestamp - begun) / StepTicks);

    private long StepBegin(int step) => begun + step * StepTicks;

    private long StepTicks => (long)(Sky.Step.Value * clock.TimestampFrequency);
}
