using Fleet.Emulator.Simulation;
using Fleet.Models.Offloading;

namespace Fleet.Emulator.Experiments.Deciding;

/// <summary>What each way of deciding lost when some classes are alarms and a missed one is dearer than a needless one; wrong answers an input.</summary>
public sealed record AlarmOutcome(string Model, string Policy, double Loss, double WentOn);

/// <summary>H2T2 where its two thresholds are for: is it one of these classes, at unequal costs. Against each single threshold on the confidence in hindsight, and each pair.</summary>
public static class AlarmStudy
{
    public const int Horizon = 50_000;
    public const int Seeds = 5;
    public const double Price = 0.2;

    /// <summary>Class 6 of Fashion-MNIST, the shirt, which networks confuse most, stands for what must not be missed.</summary>
    public static readonly AlarmCosts Costs = new(Missed: 3, False: 0.5, [false, false, false, false, false, false, true, false, false, false], Other: 0);

    public static IReadOnlyList<AlarmOutcome> Run(string model, RecordedStream stream, long seed)
    {
        var inputs = stream.All;
        double KeptCost(in RecordedInput input) => Costs.Of(input.Own, input.Behind);
        AlarmOutcome Fixed(string name, Func<RecordedInput, bool> sends)
        {
            double loss = 0;
            var sent = 0;
            foreach (var input in inputs)
            {
                if (sends(input)) sent++;
                loss += sends(input) ? Price : KeptCost(input);
            }
            return new AlarmOutcome(model, name, loss / inputs.Count, (double)sent / inputs.Count);
        }
        const int Levels = H2t2.Levels;
        var singles = Enumerable.Range(0, Levels + 1).Select(level => Fixed("best single threshold in hindsight", input => input.Confidence < (double)level / Levels));
        var pairs = Enumerable.Range(0, Levels + 1).SelectMany(low => Enumerable.Range(low, Levels + 1 - low).Select(high => Fixed("best pair in hindsight", input => H2t2.Sends((low, high), input.Alarm))));
        return [Learnt(model, stream, seed), pairs.MinBy(one => one.Loss)!, singles.MinBy(one => one.Loss)!, Fixed("always", _ => true), Fixed("never", _ => false)];
    }

    private static AlarmOutcome Learnt(string model, RecordedStream stream, long seed)
    {
        var (loss, sent) = (0.0, 0);
        for (var run = 0; run < Seeds; run++)
        {
            var (contender, order, luck) = (new H2t2Contender("h2t2", Costs), new SeededRandom(seed + run, $"{model}/alarms/inputs"), new SeededRandom(seed + run, $"{model}/alarms/luck"));
            for (var t = 0; t < Horizon; t++)
            {
                var input = stream.Next(order);
                var wentOn = contender.Take(input, Price, luck).WentOn;
                if (wentOn) sent++;
                loss += wentOn ? Price : Costs.Of(input.Own, input.Behind);
            }
        }
        return new AlarmOutcome(model, "h2t2", loss / (Seeds * Horizon), (double)sent / (Seeds * Horizon));
    }
}
