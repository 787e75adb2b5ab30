namespace Fleet.Models.Calibrating;

/// <summary>The families of maps among which <see cref="MapChoice"/> decides.</summary>
public enum MapFamily
{
    /// <summary>One number: <see cref="TemperatureMap"/>.</summary>
    Temperature,

    /// <summary>A number a bin of equal mass: <see cref="HistogramMap"/>.</summary>
    Histogram,

    /// <summary>As many numbers as the data ask for: <see cref="IsotonicMap"/>.</summary>
    Isotonic,

    /// <summary>A temperature first, which uses all logits, then the isotonic map of what is left.</summary>
    TemperatureThenIsotonic,
}

/// <summary>What cross-validation judges maps by: proper scores of the event that the answer is right.</summary>
public enum MapScore
{
    /// <summary>Mean of (confidence - [right])^2.</summary>
    Brier,

    /// <summary>Mean of -ln of the probability given to what happened, which is kept above 1e-3: a bin without an error is no proof.</summary>
    LogLoss,
}

/// <summary>The map chosen for an exit on calibration data, and how the families did on the parts they were not fitted on.</summary>
/// <param name="Map">Of the family chosen, fitted on all calibration samples.</param>
/// <param name="Scores">Cross-validated score of each family, in the order of <see cref="MapFamily"/>; lower is better.</param>
public sealed record MapChoice(CalibrationMap Map, MapFamily Family, IReadOnlyList<double> Scores)
{
    private const int Folds = 10;
    private const double LeastProbability = 1e-3;

    /// <summary>
    /// Chooses by ten-fold cross-validation: the first, that is simplest, family whose score is within one standard error (of the paired
    /// difference) of the best. Logits are [samples x classes] of one exit, of the samples that reach it if the map is for them. Source of
    /// the rule: Breiman et al., "Classification and regression trees", 1984.
    /// </summary>
    /// <exception cref="ArgumentException">Fewer samples than folds.</exception>
    public static MapChoice Fit(float[] logits, byte[] labels, int classes, MapScore score, Random random)
    {
        if (labels.Length < Folds) throw new ArgumentException($"{labels.Length} samples; at least {Folds} are needed", nameof(labels));
        var order = Enumerable.Range(0, labels.Length).ToArray();
        random.Shuffle(order);
        var scores = CrossValidate(logits, labels, classes, score, order);
        var best = scores.MinBy(samples => samples.Average())!;
        var simplest = (MapFamily)Array.FindIndex(scores, samples => IsNear(samples, best));
        return new MapChoice(Fit(simplest, logits, labels, classes), simplest, [.. scores.Select(samples => samples.Average())]);
    }

    /// <summary>
    /// A map for each exit, chosen on the samples that reach it: those whose calibrated probability was below the threshold at every exit
    /// before.
    /// </summary>
    /// <param name="set">Calibration samples.</param>
    /// <param name="thresholds">One for each exit but the last, in calibrated probability.</param>
    /// <param name="score">What maps are judged by.</param>
    /// <param name="random">Shuffles the folds.</param>
    /// <exception cref="ArgumentException">Fewer samples than folds reach an exit.</exception>
    public static IReadOnlyList<MapChoice> OnThoseThatReach(ExitLogits set, IReadOnlyList<double> thresholds, MapScore score, Random random)
    {
        var choices = new List<MapChoice>(set.Exits.Count);
        while (true)
        {
            var logits = set.Exits[choices.Count];
            choices.Add(Fit(logits, set.Labels, set.Classes, score, random));
            if (choices.Count == set.Exits.Count) return choices;
            var (confidences, _) = choices[^1].Map.Judge(logits, set.Labels, set.Classes);
            var threshold = thresholds[choices.Count - 1];
            set = set.At([.. Enumerable.Range(0, set.Samples).Where(sample => confidences[sample] < threshold)]);
        }
    }

    /// <summary>A map of the family, fitted on all samples given.</summary>
    public static CalibrationMap Fit(MapFamily family, ReadOnlySpan<float> logits, ReadOnlySpan<byte> labels, int classes) =>
        Fit(family, TemperatureMap.Fit(logits, labels, classes), logits, labels, classes);

    /// <param name="temperature">Fitted on the same samples; the families without one do not ask.</param>
    private static CalibrationMap Fit(MapFamily family, TemperatureMap temperature, ReadOnlySpan<float> logits, ReadOnlySpan<byte> labels, int classes)
    {
        if (family == MapFamily.Temperature) return temperature;
        var before = family == MapFamily.TemperatureThenIsotonic ? temperature : new TemperatureMap(1);
        var (probabilities, correct) = before.Judge(logits, labels, classes);
        CalibrationMap map = family == MapFamily.Histogram ? HistogramMap.Fit(probabilities, correct) : IsotonicMap.Fit(probabilities, correct);
        return map with { Temperature = before.Temperature };
    }

    /// <summary>For each family the score of every sample, in the order given, by a map fitted on the other folds.</summary>
    private static double[][] CrossValidate(float[] logits, byte[] labels, int classes, MapScore score, int[] order)
    {
        var families = Enum.GetValues<MapFamily>();
        var scores = Array.ConvertAll(families, _ => new List<double>(order.Length));
        for (var fold = 0; fold < Folds; fold++)
        {
            var (from, to) = (fold * order.Length / Folds, (fold + 1) * order.Length / Folds);
            var fitted = ExitLogits.Rows(logits, labels, classes, [.. order[..from], .. order[to..]]);
            var judged = ExitLogits.Rows(logits, labels, classes, order[from..to]);
            var temperature = TemperatureMap.Fit(fitted.Logits, fitted.Labels, classes);
            foreach (var family in families)
            {
                var (confidences, correct) = Fit(family, temperature, fitted.Logits, fitted.Labels, classes).Judge(judged.Logits, judged.Labels, classes);
                scores[(int)family].AddRange(confidences.Zip(correct, (p, right) => Score(score, right ? p : 1 - p)));
            }
        }
        return Array.ConvertAll(scores, samples => samples.ToArray());
    }

    /// <param name="score">Which.</param>
    /// <param name="given">The probability given to what happened.</param>
    private static double Score(MapScore score, double given) => score == MapScore.Brier ? (1 - given) * (1 - given) : -Math.Log(Math.Max(LeastProbability, given));

    private static bool IsNear(double[] scores, double[] best)
    {
        var differences = scores.Zip(best, (a, b) => a - b).ToArray();
        var mean = differences.Average();
        var variance = differences.Sum(difference => (difference - mean) * (difference - mean)) / (differences.Length - 1);
        return mean <= Math.Sqrt(variance / differences.Length);
    }
}
