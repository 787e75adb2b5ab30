using Fleet.Contracts;
using Fleet.Emulator.Simulation;
using Fleet.Models;

namespace Fleet.Emulator.Physics;

/// <summary>
/// A board's processor as it really is: its silicon differs from the profile's sample, and no two runs take the same time. Planners
/// know the profile only.
/// </summary>
public sealed class Board(HardwareProfile profile, Battery battery, TimeProvider clock, SeededRandom random)
{
    /// <summary>Relative standard deviation between boards of one type, and between runs. No source: a stand-in.</summary>
    private const double SiliconSpread = 0.05;
    private const double RunSpread = 0.03;

    /// <summary>In real time a sleep shorter than the timers' resolution is owed and slept later.</summary>
    private readonly Seconds shortestSleep = clock is SimClock ? Seconds.Zero : new Seconds(0.002);
    private readonly double silicon = Math.Exp(SiliconSpread * random.NextNormal());
    private Seconds owed;
    private bool isCut;

    public HardwareProfile Profile => profile;

    public Battery Battery => battery;

    /// <summary>Its power is gone for good: what a former life still does costs nothing any more, even if the battery gives again.</summary>
    public void CutPower() => isCut = true;

    /// <summary>Takes energy above the idle draw.</summary>
    public void Draw(EnergyUse use, Joules energy)
    {
        if (!isCut) battery.Draw(use, energy);
    }

    /// <summary>Spends the time and energy of a nominal amount of computing; gives the time it took.</summary>
    public async ValueTask<Seconds> Compute(Seconds nominal)
    {
        var time = nominal * (silicon * Math.Exp(RunSpread * random.NextNormal()));
        Draw(EnergyUse.Compute, (profile.Power.Active.Value - profile.Power.Idle.Value) * time);
        owed += time;
        if (owed < shortestSleep) return time;
        var due = owed;
        owed = Seconds.Zero;
        await clock.Delay(due);
        return time;
    }
}

/// <summary>Runs a piece on an emulated board: the answer comes from the engine inside, time and energy from the board.</summary>
public sealed class BoardEngine(IEngine inner, KernelWork work, Board board) : IEngine
{
    private readonly Seconds nominal = board.Profile.NominalTime(work);

    public Activations Rows => inner.Rows;

    public async ValueTask<Seconds> Run()
    {
        var time = await board.Compute(nominal * inner.Rows.Count);
        await inner.Run();
        return time;
    }

    public void Dispose() => inner.Dispose();
}
