using Fleet.Emulator.Simulation;
using Fleet.Emulator.Tables;
using Fleet.Models.Deciding;

namespace Fleet.Emulator.Experiments.Exits;

/// <summary>What a way of choosing thresholds did over many random splits of the test images.</summary>
/// <param name="Risk">Mean over splits of the risk on those that chose nothing: the share that the exit taken gets wrong and the whole network right.</param>
/// <param name="Low">A tenth of the splits lie below; <paramref name="High"/>: a tenth above.</param>
/// <param name="Violated">Share of splits whose risk is above epsilon.</param>
/// <param name="Gain">Work of passing all exits over mean work.</param>
/// <param name="Error">Standard error of the mean risk.</param>
public sealed record ControlledRisk(string Model, string Way, double Epsilon, double Risk, double Error, double Low, double High, double Violated, double Gain);

/// <summary>Exit thresholds with a guarantee, held to what they promise: chosen on some test images, judged on all others, again and again.</summary>
public static class RiskSplits
{
    public const int Splits = 200;
    public const int Choosing = 1000;
    public const double Delta = 0.1;
    /// <summary>Share of splits above epsilon that a way which is above it with probability delta exceeds in one of twenty such experiments.</summary>
    public static double ViolatedByChance
    {
        get
        {
            var (count, term) = (0, Math.Pow(1 - Delta, Splits));
            for (var below = term; below < 0.95; below += term)
            {
                term *= (double)(Splits - count) / (count + 1) * Delta / (1 - Delta);
                count++;
            }
            return (double)count / Splits;
        }
    }

    public const string Conformal = "conformal";
    public const string UpperBound = "upper bound";
    public static readonly double[] Epsilons = [0.005, 0.01, 0.02, 0.05];

    /// <summary>Temperatures are the card's, fitted on the calibration images: no test image has touched the score.</summary>
    public static IReadOnlyList<ControlledRisk> Of(StudiedModel model, long seed)
    {
        var cascade = Cascade.Of(model.Test, ExitScore.Probability, [.. model.Card.Exits.Select(exit => exit.Temperature)], Cascade.MacsOf(model.Card));
        var (loss, path) = (RiskLoss.AccuracyGap(cascade), RiskControl.CommonLevel(cascade.Exits));
        var splits = Enumerable.Range(0, Splits).Select(split => Split(cascade.Samples, new SeededRandom(seed, $"risk/{model.Card.Name}/{split}"))).ToList();
        return
        [
            .. Epsilons.SelectMany(epsilon => new[]
            {
                Outcome(Conformal, epsilon, (chosen, losses) => RiskControl.Conformal(chosen, losses, path, epsilon)),
                Outcome(UpperBound, epsilon, (chosen, losses) => RiskControl.UpperBound(chosen, losses, path, epsilon, Delta)),
            }),
        ];

        ControlledRisk Outcome(string way, double epsilon, Func<Cascade, RiskLoss, ControlledThresholds> choose)
        {
            var (risks, works) = (new List<double>(), new List<double>());
            foreach (var (choosing, judging) in splits)
            {
                var thresholds = choose(cascade.At(choosing), loss.At(choosing)).Thresholds;
                var judge = cascade.At(judging);
                risks.Add(RiskControl.Risk(judge, loss.At(judging), thresholds));
                works.Add(judge.Evaluate(thresholds).MeanMacs.Value);
            }
            risks.Sort();
            return new ControlledRisk(model.Card.Name, way, epsilon, risks.Average(), Math.Sqrt(risks.Average(risk => (risk - risks.Average()) * (risk - risks.Average())) / (Splits - 1)), risks[Splits / 10], risks[Splits - 1 - Splits / 10], (double)risks.Count(risk => risk > epsilon) / Splits, cascade.Macs[^1].Value / works.Average());
        }
    }

    private static (int[] Choosing, int[] Judging) Split(int samples, Random random)
    {
        var order = Enumerable.Range(0, samples).ToArray();
        random.Shuffle(order);
        return (order[..Choosing], order[Choosing..]);
    }
}
