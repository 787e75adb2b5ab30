using Fleet.Contracts;
using Fleet.Emulator.Simulation;
using Fleet.Models;

namespace Fleet.Emulator.Physics;

/// <summary>
/// A board's processor as it really is: its silicon differs from the profile's sample, no two runs take the same time, and where the
/// profile says how it heats up it slows down when it is hot. Planners know the profile's rates only.
/// </summary>
public sealed class Board(HardwareProfile profile, Battery battery, TimeProvider clock, SeededRandom random)
{
    /// <summary>Relative standard deviation between boards of one type, and between runs. No source: a stand-in.</summary>
    private const double SiliconSpread = 0.05;
    private const double RunSpread = 0.03;

    /// <summary>In real time a sleep shorter than the timers' resolution is owed and slept later.</summary>
    private readonly Seconds shortestSleep = clock is SimClock ? Seconds.Zero : new Seconds(0.002);
    private readonly double silicon = Math.Exp(SiliconSpread * random.NextNormal());
    private readonly DieTemperature? die = profile.Thermal is { } thermal ? new DieTemperature(thermal) : null;
    private long cooledAt = clock.GetTimestamp();
    private Seconds owed;
    private bool isCut;

    public HardwareProfile Profile => profile;

    /// <summary>What a real board of the kind takes for a piece, by the profile's claim; null: the claim is all that is known.</summary>
    public Func<ModelPiece, double>? Measured { get; init; }

    public Battery Battery => battery;

    /// <summary>Of the die as of the last run; null when the profile does not say how it heats up.</summary>
    public Celsius? Temperature => die?.Temperature;

    /// <summary>Time it has computed.</summary>
    public Seconds Busy { get; private set; }

    /// <summary>Its power is gone for good: what a former life still does costs nothing any more, even if the battery gives again.</summary>
    public void CutPower() => isCut = true;

    /// <summary>Takes energy above the idle draw.</summary>
    public void Draw(EnergyUse use, Joules energy)
    {
        if (!isCut) battery.Draw(use, energy);
    }

    /// <summary>Sleeps from now on.</summary>
    public void Suspend()
    {
        if (!isCut) battery.Suspend(profile.Power.Sleep!.Value);
    }

    /// <summary>Takes the time and energy of a waking; completes when it is awake.</summary>
    public async Task Resume()
    {
        Draw(EnergyUse.Wake, profile.Power.WakeEnergy!.Value);
        await clock.Delay(profile.Power.WakeTime!.Value);
        if (!isCut) battery.Resume();
    }

    /// <summary>Spends the time and energy of a nominal amount of computing; gives the time it took.</summary>
    public ValueTask<Seconds> Compute(Seconds nominal)
    {
        var work = nominal * (silicon * Math.Exp(RunSpread * random.NextNormal()));
        // A slower clock draws less power for longer: the energy of a run stays.
        Draw(EnergyUse.Compute, (profile.Power.Active.Value - profile.Power.Idle.Value) * work);
        var time = Heat(work);
        Busy += time;
        owed += time;
        if (owed < shortestSleep) return new(time);
        var due = owed;
        owed = Seconds.Zero;
        return clock.After(due, time);
    }

    /// <summary>Cools the die since the last run, slows the run by its clock, and heats the die by it; gives the time it takes.</summary>
    private Seconds Heat(Seconds work)
    {
        if (die is null) return work;
        die.Pass(Seconds.Max(Seconds.Zero, clock.Since(cooledAt)), profile.Power.Idle.Value);
        var ratio = die.ClockRatio;
        var time = work / ratio;
        die.Pass(time, profile.Power.Idle.Value + (profile.Power.Active.Value - profile.Power.Idle.Value) * ratio);
        // The run itself passes on the clock too: the die has had it.
        cooledAt = clock.GetTimestamp() + (long)(time.Value * clock.TimestampFrequency);
        return time;
    }
}

/// <summary>Runs a piece on an emulated board: the answer comes from the engine inside, time and energy from the board.</summary>
public sealed class BoardEngine(IEngine inner, ModelPiece piece, Board board) : IEngine
{
    private readonly Seconds nominal = board.Profile.NominalTime(piece);

    public Activations Rows => inner.Rows;

    public ValueTask<Seconds> Run()
    {
        var answer = inner.Run();
        return answer.IsCompletedSuccessfully ? Charge() : After(answer);
    }

    private ValueTask<Seconds> Charge() => board.Compute(nominal * (inner.Rows.Count * (board.Measured?.Invoke(piece) ?? 1)));

    private async ValueTask<Seconds> After(ValueTask<Seconds> answer)
    {
        await answer;
        return await Charge();
    }

    public void Dispose() => inner.Dispose();
}
