using CsCheck;
using Fleet.Models.Calibrating;
using Fleet.Models.Deciding;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Decisions of least expected cost, and the sets of probabilities at which they are taken.</summary>
public sealed class CostsTests
{
    private static readonly Gen<double> Cost = Gen.Double[0.1, 10];
    private static readonly Gen<double> Probability = Gen.Double[0.001, 1];
    private static readonly double[] Tenths = [.. Enumerable.Range(1, 10).Select(i => i / 10.0)];

    [Test]
    public void SaysYes_AnyCosts_IsTheCheaperAnswer() => Gen.Select(Cost, Cost, Probability).Sample((fp, fn, p) =>
    {
        var costs = new ErrorCosts(fp, fn);
        return Math.Abs((costs.SaysYes(p) ? fp * (1 - p) : fn * p) - costs.Expected(p)) < 1e-9;
    });

    [Test]
    public void Offloaded_AnyCosts_IsWhereAskingIsCheaperThanEitherAnswer() => Gen.Select(Cost, Cost, Gen.Double[0, 6], Probability).Sample((fp, fn, beta, p) =>
    {
        var costs = new ErrorCosts(fp, fn);
        return Math.Abs(costs.Expected(p) - beta) < 1e-9 || costs.Offloaded(beta).Contains(p) == costs.Expected(p) > beta;
    });

    [Test]
    public void Offloaded_KnownCosts_AreTheTwoThresholds()
    {
        var interval = new ErrorCosts(FalsePositive: 1, FalseNegative: 4).Offloaded(0.2).Intervals.Single();
        Assert.That(interval.Low, Is.EqualTo(0.05).Within(1e-12));
        Assert.That(interval.High, Is.EqualTo(0.8).Within(1e-12).And.LessThan(0.8));
        Assert.That(new ErrorCosts(1, 4).Offloaded(0.8).Intervals, Is.Empty);
    }

    [Test]
    public void Yes_MapThatFalls_TakesSeveralIntervals()
    {
        var map = new HistogramMap([0.2, 0.4, 0.6, 0.8, 1], [0.7, 0.9, 0.1, 0.3, 0.8]);
        Assert.That(new ErrorCosts(1, 1).Yes(map).Intervals, Is.EqualTo(new Interval[] { new(0, 0.4), new(0.8, 1) }));
        Assert.That(new ErrorCosts(1, 3).Yes(map).Intervals, Is.EqualTo(new Interval[] { new(0, 0.4), new(0.6, 1) }));
        Assert.That(new ErrorCosts(99, 1).Yes(map).Intervals, Is.Empty);
    }

    [Test]
    public void Yes_HistogramMap_ErrsNoMoreThanTheHalfRule() => Gen.Select(Gen.Double[0, 1], Gen.Bool).Array[1, 80].Sample(samples =>
    {
        // Bins with an edge at 0.5 refine the rule, and each takes the better answer for itself: Cohen and Goldszmidt, HPL-2004-22R1.
        var (scores, truths) = (Array.ConvertAll(samples, sample => sample.Item1), Array.ConvertAll(samples, sample => sample.Item2));
        var yes = new ErrorCosts(1, 1).Yes(HistogramMap.Fit(scores, truths, Tenths));
        return samples.Count(sample => yes.Contains(sample.Item1) != sample.Item2) <= samples.Count(sample => sample.Item1 > 0.5 != sample.Item2) + samples.Count(sample => sample.Item1 == 0);
    });

    [Test]
    public void Yes_HistogramMap_CostsNoMoreThanAnySingleThresholdOnItsEdges() => Gen.Select(Gen.Select(Gen.Double[0.001, 1], Gen.Bool).Array[1, 80], Cost, Cost).Sample((samples, fp, fn) =>
    {
        var (scores, truths) = (Array.ConvertAll(samples, sample => sample.Item1), Array.ConvertAll(samples, sample => sample.Item2));
        var yes = new ErrorCosts(fp, fn).Yes(HistogramMap.Fit(scores, truths, Tenths));
        double Total(Func<double, bool> says) => samples.Sum(sample => says(sample.Item1) == sample.Item2 ? 0 : sample.Item2 ? fn : fp);
        return Tenths.Prepend(0).All(threshold => Total(yes.Contains) <= Total(score => score > threshold) + 1e-9);
    });

    [Test]
    public void Kept_ElsewhereEquallyGood_IsWhereNothingIsGainedByGoingOn() => Gen.Select(Gen.Double[0, 1].Array[10], Gen.Double[0.5, 1], Gen.Double[0, 0.5], Probability).Sample((values, there, cost, p) =>
    {
        var (map, costs) = (new HistogramMap(Tenths, values), new OffloadCosts(cost, PriceOfError: 2));
        return Math.Abs(there - map.Calibrate(p) - cost / 2) < 1e-9 || costs.Kept(map, there).Contains(p) == !costs.Offloads(map.Calibrate(p), there);
    });

    [Test]
    public void Kept_ElsewhereBetterAtSomeInputs_FollowsBothMaps()
    {
        // Going on gains 0.3, 0.1, 0.05 and 0.
        var (here, there) = (new HistogramMap([0.5, 1], [0.6, 0.9]), new HistogramMap([0.25, 0.5, 0.75, 1], [0.9, 0.7, 0.95, 0.9]));
        Assert.That(new OffloadCosts(0.07, 1).Kept(here, there).Intervals, Is.EqualTo(new Interval[] { new(0.5, 1) }));
        Assert.That(new OffloadCosts(0.2, 1).Kept(here, there).Intervals, Is.EqualTo(new Interval[] { new(0.25, 1) }));
        Assert.That(new OffloadCosts(0.02, 1).Kept(here, there).Intervals, Is.EqualTo(new Interval[] { new(0.75, 1) }));
    }

    [Test]
    public void Contains_ProbabilityZero_IsInNoSet()
    {
        foreach (var set in (ThresholdSet[])[ThresholdSet.Above(-1), ThresholdSet.Where(Tenths, _ => true), ThresholdSet.None]) Assert.That(set.Contains(0), Is.False);
        Assert.That(ThresholdSet.Where(Tenths, _ => true).Intervals, Is.EqualTo(new Interval[] { new(0, 1) }));
    }
}
