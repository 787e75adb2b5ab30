using Fleet.Contracts;
using Fleet.Models.Calibrating;

namespace Fleet.Models.Deciding;

/// <summary>What a set of thresholds makes of a cascade, on the samples it was judged on.</summary>
/// <param name="Thresholds">One for each exit but the last, in the score's own unit.</param>
/// <param name="Accuracy">Share of samples answered rightly.</param>
/// <param name="ExitShares">Share of samples each exit answers, 1..N.</param>
/// <param name="ExitAccuracies">Accuracy of each exit on what it answers; 0 where it answers nothing.</param>
/// <param name="MeanMacs">Work a sample, the heads of all exits it passed included.</param>
public sealed record CascadeOutcome(double[] Thresholds, double Accuracy, double[] ExitShares, double[] ExitAccuracies, Macs MeanMacs);

/// <summary>
/// The exits of a network on a labelled set: how sure each is of every sample and whether it is right. A sample leaves by the first exit
/// whose rule it passes; the last exit takes the rest.
/// </summary>
public sealed class Cascade
{
    private readonly double[][] sureness;
    private readonly bool[][] correct;

    /// <param name="score">The score that thresholds are in.</param>
    /// <param name="sureness">For exit 1..N, one a sample, see <see cref="ExitRule.Sureness"/>; that of the last is never asked.</param>
    /// <param name="correct">For exit 1..N: whether it is right about a sample.</param>
    /// <param name="macs">For exit 1..N: all work up to it, the heads of earlier exits included.</param>
    /// <exception cref="ArgumentException">Counts differ, or there is no exit or no sample.</exception>
    public Cascade(ExitScore score, IReadOnlyList<double[]> sureness, IReadOnlyList<bool[]> correct, IReadOnlyList<Macs> macs)
    {
        if (sureness.Count == 0 || sureness.Count != correct.Count || sureness.Count != macs.Count)
            throw new ArgumentException($"scores of {sureness.Count}, outcomes of {correct.Count} and work of {macs.Count} exits; as many of each are needed, at least one");
        var samples = sureness[0].Length;
        if (samples == 0 || sureness.Any(row => row.Length != samples) || correct.Any(row => row.Length != samples))
            throw new ArgumentException("every exit needs a score and an outcome for each of at least one sample");
        (Score, this.sureness, this.correct, Macs) = (score, [.. sureness], [.. correct], macs);
    }

    public ExitScore Score { get; }

    public int Exits => sureness.Length;

    public int Samples => sureness[0].Length;

    public IReadOnlyList<Macs> Macs { get; }

    /// <summary>Accuracy of the last exit on all samples: that of the full network.</summary>
    public double FullAccuracy => (double)correct[^1].Count(right => right) / Samples;

    /// <summary>A cascade that asks a score of each exit's logits at its own temperature.</summary>
    public static Cascade Of(ExitLogits set, ExitScore score, IReadOnlyList<double> temperatures, IReadOnlyList<Macs> macs)
    {
        var sureness = set.Exits.Select((logits, exit) => Rows(set, logits, row => ExitRule.Sureness(score, row, temperatures[exit])));
        var correct = set.Exits.Select(logits => IsRight(set, logits));
        return new Cascade(score, [.. sureness], [.. correct], macs);
    }

    /// <summary>A cascade that decides by each exit's calibrated probability to be right.</summary>
    public static Cascade Of(ExitLogits set, IReadOnlyList<CalibrationMap> maps, IReadOnlyList<Macs> macs)
    {
        var judged = set.Exits.Select((logits, exit) => maps[exit].Judge(logits, set.Labels, set.Classes)).ToArray();
        return new Cascade(ExitScore.Probability, [.. judged.Select(exit => exit.Confidences)], [.. judged.Select(exit => exit.Correct)], macs);
    }

    /// <summary>All work up to exit 1..N of a model, by its card.</summary>
    public static IReadOnlyList<Macs> MacsOf(ModelCard card) => [.. Enumerable.Range(1, card.StageCount).Select(head => card.HeadWork(head).Total)];

    /// <summary>The same exits on some of the samples.</summary>
    public Cascade At(int[] samples) => new(Score, [.. sureness.Select(row => Pick(row, samples))], [.. correct.Select(row => Pick(row, samples))], Macs);

    /// <summary>How sure exit 1..N is of every sample.</summary>
    public ReadOnlySpan<double> Sureness(int exit) => sureness[exit - 1];

    /// <summary>Whether exit 1..N is right about every sample.</summary>
    public ReadOnlySpan<bool> Correct(int exit) => correct[exit - 1];

    /// <summary>The exit, 1..N, by which each sample leaves.</summary>
    /// <param name="thresholds">One for each exit but the last.</param>
    /// <exception cref="ArgumentException">Not as many thresholds.</exception>
    public int[] ExitsTaken(IReadOnlyList<double> thresholds)
    {
        if (thresholds.Count != Exits - 1) throw new ArgumentException($"{thresholds.Count} thresholds for {Exits} exits; each but the last has one", nameof(thresholds));
        var bars = thresholds.Select(threshold => new ExitRule(Score, threshold).Bar).ToArray();
        var taken = new int[Samples];
        for (var sample = 0; sample < taken.Length; sample++)
        {
            var exit = 0;
            while (exit < bars.Length && !(sureness[exit][sample] >= bars[exit])) exit++;
            taken[sample] = exit + 1;
        }
        return taken;
    }

    /// <summary>The samples that no exit before <paramref name="exit"/> (1..N) answers.</summary>
    public int[] Reaching(int exit, IReadOnlyList<double> thresholds)
    {
        var taken = ExitsTaken(thresholds);
        return [.. Enumerable.Range(0, Samples).Where(sample => taken[sample] >= exit)];
    }

    public CascadeOutcome Evaluate(IReadOnlyList<double> thresholds)
    {
        var (taken, right) = (new int[Exits], new int[Exits]);
        var exits = ExitsTaken(thresholds);
        for (var sample = 0; sample < exits.Length; sample++)
        {
            var exit = exits[sample] - 1;
            taken[exit]++;
            if (correct[exit][sample]) right[exit]++;
        }
        var work = taken.Zip(Macs, (count, macs) => count * macs.Value).Sum() / Samples;
        return new CascadeOutcome([.. thresholds], (double)right.Sum() / Samples, [.. taken.Select(count => (double)count / Samples)], [.. right.Zip(taken, Share)], new Macs(work));
    }

    private static double[] Rows(ExitLogits set, float[] logits, Func<ReadOnlySpan<float>, double> value)
    {
        var values = new double[set.Samples];
        for (var i = 0; i < values.Length; i++) values[i] = value(logits.AsSpan(i * set.Classes, set.Classes));
        return values;
    }

    private static bool[] IsRight(ExitLogits set, float[] logits)
    {
        var right = new bool[set.Samples];
        for (var i = 0; i < right.Length; i++) right[i] = Confidence.ArgMax(logits.AsSpan(i * set.Classes, set.Classes)) == set.Labels[i];
        return right;
    }

    private static T[] Pick<T>(T[] row, int[] samples) => Array.ConvertAll(samples, sample => row[sample]);

    private static double Share(int part, int whole) => whole == 0 ? 0 : (double)part / whole;
}
