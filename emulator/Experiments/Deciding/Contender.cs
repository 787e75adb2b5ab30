using Fleet.Emulator.Simulation;
using Fleet.Models.Offloading;

namespace Fleet.Emulator.Experiments.Deciding;

/// <summary>Who decides about recorded inputs, and learns from those that went on or were audited.</summary>
public abstract class Contender(string name)
{
    public string Name => name;

    /// <summary>Whether the input went on, and whether it was audited if not; what it costs to know is the caller's to count.</summary>
    public abstract (bool WentOn, bool Audited) Take(in RecordedInput input, double price, SeededRandom random);
}

/// <summary>A threshold that stays.</summary>
public sealed class FixedContender(string name, double threshold) : Contender(name)
{
    public double Threshold => threshold;

    public override (bool WentOn, bool Audited) Take(in RecordedInput input, double price, SeededRandom random) => (input.Confidence < threshold, false);
}

/// <param name="audits">Share of kept inputs that are sent all the same: without any it would not see most changes.</param>
public sealed class HiLcbContender(string name, bool isMonotone, bool isAsPublished = false, double audits = 0) : Contender(name)
{
    private readonly HiLcb learner = new(isMonotone, isAsPublished);

    public override (bool WentOn, bool Audited) Take(in RecordedInput input, double price, SeededRandom random)
    {
        var goesOn = learner.GoesOn(input.Confidence, price);
        var audited = !goesOn && audits > 0 && random.NextDouble() < audits;
        if (goesOn || audited) learner.Learn(input.Confidence, input.Agrees);
        return (goesOn, audited);
    }
}

public sealed class H2t2Contender(string name, AlarmCosts costs) : Contender(name)
{
    private readonly H2t2 learner = new();

    public override (bool WentOn, bool Audited) Take(in RecordedInput input, double price, SeededRandom random)
    {
        var chance = learner.Chance(input.Alarm);
        var goesOn = random.NextDouble() < chance;
        learner.Learn(input.Alarm, price / costs.Most, goesOn ? costs.Of(input.Own, input.Behind) / costs.Most : null, chance);
        return (goesOn, false);
    }
}
