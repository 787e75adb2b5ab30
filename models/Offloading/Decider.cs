using Fleet.Contracts;

namespace Fleet.Models.Offloading;

/// <summary>What an exit says of an input.</summary>
/// <param name="Confidence">Calibrated.</param>
/// <param name="Score">How much speaks for an alarm where there are alarms, else the confidence.</param>
public readonly record struct Verdict(int Exit, int Label, double Confidence, double Score);

/// <param name="Chance">With which the input would have gone on; 1 or 0 where nothing is drawn.</param>
public readonly record struct Decision(Next Next, double Chance)
{
    public static Decision Answer => new(Next.Answer, 0);

    public static Decision GoOn => new(Next.GoOn, 1);
}

/// <summary>Decides for every input, after each exit, whether it stops or goes on, and learns from those that somebody better has answered too.</summary>
public abstract class Decider
{
    /// <summary>Whether inputs are sent before any stage has run.</summary>
    /// <param name="isPlanned">Whether the thresholds that it stands for would send them so.</param>
    public virtual bool SendsFirst(bool isPlanned) => isPlanned;

    /// <summary>Whether it decides after this exit; where it does not, the assignment's threshold does.</summary>
    public abstract bool Judges(int exit);

    /// <summary>What the ways on cost from now on.</summary>
    public abstract void Follow(in WayPrices prices);

    /// <param name="draw">Uniform in [0, 1).</param>
    public abstract Decision After(in Verdict verdict, double draw);

    /// <summary>An input it decided about has come to its end.</summary>
    /// <param name="better">The answer from behind; null when none came.</param>
    public virtual void Learn(in Verdict verdict, in Decision decision, int? better)
    {
    }
}

/// <summary>See <see cref="Hierarchical"/>.</summary>
public sealed class HierarchicalDecider(Hierarchical rule) : Decider
{
    public override bool SendsFirst(bool isPlanned) => rule.SendsFirst;

    public override bool Judges(int exit) => true;

    public override void Follow(in WayPrices prices) => rule.Solve(prices);

    public override Decision After(in Verdict verdict, double draw) => rule.After(verdict.Exit, verdict.Confidence) is var next && next is Next.Answer ? Decision.Answer : new Decision(next, 1);
}

/// <summary>HI-LCB or HI-LCB-lite behind the deepest exit held; exits before it keep their thresholds (early exits with hierarchical inference, arXiv 2407.11061).</summary>
/// <param name="learner">What has been learnt so far.</param>
/// <param name="deepest">Exit held.</param>
/// <param name="errorPrice">Seconds.</param>
public sealed class HiLcbDecider(HiLcb learner, int deepest, double errorPrice) : Decider
{
    private double price = 1;

    public override bool Judges(int exit) => exit == deepest;

    public override void Follow(in WayPrices prices) => price = OffloadPrice.InErrors(prices, errorPrice);

    public override Decision After(in Verdict verdict, double draw) => learner.GoesOn(verdict.Confidence, price) ? Decision.GoOn : Decision.Answer;

    public override void Learn(in Verdict verdict, in Decision decision, int? better)
    {
        if (verdict.Exit == deepest && better is { } answer) learner.Learn(verdict.Confidence, answer == verdict.Label);
    }
}

/// <summary>H2T2 behind the deepest exit held. It explores by itself: audits tell it nothing, since it could not say how likely they were.</summary>
/// <inheritdoc cref="HiLcbDecider"/>
public sealed class H2t2Decider(H2t2 learner, int deepest, double errorPrice, AlarmCosts costs) : Decider
{
    private double price = 1;

    public override bool Judges(int exit) => exit == deepest;

    public override void Follow(in WayPrices prices) => price = OffloadPrice.InErrors(prices, errorPrice);

    public override Decision After(in Verdict verdict, double draw)
    {
        var chance = learner.Chance(verdict.Score);
        return new Decision(draw < chance ? Next.GoOn : Next.Answer, chance);
    }

    public override void Learn(in Verdict verdict, in Decision decision, int? better)
    {
        var told = decision.Next is Next.Answer ? null : better;
        if (verdict.Exit == deepest && decision.Chance > 0) learner.Learn(verdict.Score, price / costs.Most, told is { } answer ? costs.Of(verdict.Label, answer) / costs.Most : null, decision.Chance);
    }
}

/// <summary>What going on costs in wrong answers.</summary>
internal static class OffloadPrice
{
    /// <summary>Below it going on is hopeless whatever it costs.</summary>
    private const double AnsweredLeast = 0.05;

    public static double InErrors(in WayPrices prices, double errorPrice) => Math.Clamp(prices.Send / errorPrice / Math.Max(AnsweredLeast, prices.Answered), 0, 2);
}
