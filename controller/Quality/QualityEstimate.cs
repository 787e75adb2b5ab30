using Fleet.Contracts;

namespace Fleet.Controller.Quality;

/// <summary>How good the answers of a site are, by its audits, under the thresholds that its devices run now: an input audited under others is judged anew.</summary>
/// <param name="Inputs">Audits it rests on.</param>
/// <param name="Agreement">Share of answers that are the tail's; null without audits.</param>
/// <param name="Accuracy">Share of right answers; null when no label is known.</param>
/// <param name="ExitAgreements">Of exit 1..N, on what it answers; null where it answered nothing.</param>
/// <param name="ExitAccuracies">Likewise.</param>
public sealed record QualityEstimate(int Inputs, Proportion? Agreement, Proportion? Accuracy, IReadOnlyList<Proportion?> ExitAgreements, IReadOnlyList<Proportion?> ExitAccuracies)
{
    /// <summary>Labels from which confidence is taken to help.</summary>
    private const int LabelsForRegression = 30;

    /// <param name="runs">What a device runs now. Null when that is unknown: its audits are left out, as are those of devices that decide for themselves.</param>
    public static QualityEstimate Of(IEnumerable<WatchedInput> inputs, Func<string, Assignment?> runs, int exits)
    {
        var judged = inputs.Select(input => (input.Weight, Verdict: runs(input.Device) is { Decision: null } rule ? input.Under(rule) : null))
            .Where(one => one.Verdict is not null).Select(one => (one.Weight, Verdict: one.Verdict!.Value)).ToList();
        var byExit = Enumerable.Range(1, exits).Select(exit => judged.Where(one => one.Verdict.Exit == exit).ToList()).ToList();
        return new QualityEstimate(judged.Count, AgreementOf(judged), AccuracyOf(judged), [.. byExit.Select(AgreementOf)], [.. byExit.Select(AccuracyOf)]);
    }

    /// <summary>The summary with what is estimated in it.</summary>
    public Summary In(Summary summary)
    {
        static PerExit Of(IReadOnlyList<Proportion?> exits, Func<Proportion, double> value) => new(exits.Select(exit => exit is { } known ? Quantity.Rounded(value(known)) : double.NaN));
        double? Rounded(double? value) => value is { } known ? Quantity.Rounded(known) : null;
        return summary with
        {
            Watched = Inputs,
            Agreement = Rounded(Agreement?.Value),
            AgreementLow = Rounded(Agreement?.Low),
            AgreementHigh = Rounded(Agreement?.High),
            AccuracyAudited = Rounded(Accuracy?.Value),
            AccuracyAuditedLow = Rounded(Accuracy?.Low),
            AccuracyAuditedHigh = Rounded(Accuracy?.High),
            ExitAgreements = Of(ExitAgreements, share => share.Value),
            ExitAgreementsLow = Of(ExitAgreements, share => share.Low),
            ExitAgreementsHigh = Of(ExitAgreements, share => share.High),
            ExitAccuracies = Of(ExitAccuracies, share => share.Value),
            ExitAccuraciesLow = Of(ExitAccuracies, share => share.Low),
            ExitAccuraciesHigh = Of(ExitAccuracies, share => share.High),
        };
    }

    /// <summary>Weighed by what each stands for (Hajek); worth (sum w)^2 / sum w^2 observations (Kish).</summary>
    private static Proportion? AgreementOf(List<(double Weight, Verdict Verdict)> judged)
    {
        if (judged.Count == 0) return null;
        var sum = judged.Sum(one => one.Weight);
        return Proportion.Wilson(judged.Sum(one => one.Verdict.Agrees ? one.Weight : 0) / sum, sum * sum / judged.Sum(one => one.Weight * one.Weight));
    }

    /// <summary>
    /// Few audits have a label, all have a confidence, which foretells whether the answer is right, and more so when it is known that the tail disagrees. So the
    /// labelled are corrected by how they differ from all in x = (agrees ? confidence : 0), the regression estimator of two-phase sampling (Cochran, Sampling Techniques,
    /// 1977, 12.6): y_L + b (x - x_L), variance S_(y - b x)^2 / n_L + b^2 S_x^2 / n.
    /// </summary>
    private static Proportion? AccuracyOf(List<(double Weight, Verdict Verdict)> judged)
    {
        var (all, labelled) = (new Moments(), new Moments());
        foreach (var (weight, verdict) in judged)
        {
            var x = verdict.Agrees ? verdict.Confidence : 0;
            all.Add(weight, x, 0);
            if (verdict.IsRight is { } right) labelled.Add(weight, x, right ? 1 : 0);
        }
        if (labelled.Count == 0) return null;
        var slope = labelled.Count < LabelsForRegression || labelled.VarianceX <= 0 ? 0 : labelled.Covariance / labelled.VarianceX;
        var residual = labelled.VarianceY - 2 * slope * labelled.Covariance + slope * slope * labelled.VarianceX;
        return Proportion.OfVariance(labelled.MeanY + slope * (all.MeanX - labelled.MeanX), residual / labelled.Worth + slope * slope * all.VarianceX / all.Worth, labelled.Worth);
    }

    /// <summary>Weighted sums of two variables.</summary>
    private sealed class Moments
    {
        private double sum, squares, x, y, xx, xy, yy;

        public int Count { get; private set; }

        public double Worth => sum * sum / squares;

        public double MeanX => x / sum;

        public double MeanY => y / sum;

        public double VarianceX => xx / sum - MeanX * MeanX;

        public double VarianceY => yy / sum - MeanY * MeanY;

        public double Covariance => xy / sum - MeanX * MeanY;

        public void Add(double weight, double first, double second)
        {
            Count++;
            sum += weight;
            squares += weight * weight;
            x += weight * first;
            y += weight * second;
            xx += weight * first * first;
            xy += weight * first * second;
            yy += weight * second * second;
        }
    }
}
