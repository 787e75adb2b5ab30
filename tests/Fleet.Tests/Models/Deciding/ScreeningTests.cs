using CsCheck;
using Fleet.Contracts;
using Fleet.Models.Deciding;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>The prefix sums find what trying every set finds.</summary>
public sealed class ScreeningTests
{
    /// <summary>Cascades of 2 to 4 exits with few distinct scores, so that samples and thresholds tie.</summary>
    private static readonly Gen<(Cascade Cascade, double[][] Grids)> Any = Gen.Select(Gen.Int[2, 4], Gen.Int[1, 30], Gen.Enum<ExitScore>(), Gen.Int[0, int.MaxValue]).Select((exits, samples, score, seed) =>
    {
        var random = new Random(seed);
        var sign = score is ExitScore.Entropy or ExitScore.NormalisedEntropy ? -1 : 1;
        double[] Row(int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(0, 8) / 8.0)];
        var cascade = new Cascade(score,
            [.. Enumerable.Range(0, exits).Select(_ => Array.ConvertAll(Row(samples), value => sign * value))],
            [.. Enumerable.Range(0, exits).Select(_ => Array.ConvertAll(Row(samples), value => value < 0.5))],
            [.. Enumerable.Range(1, exits).Select(exit => new Macs(exit * exit))]);
        return (cascade, Enumerable.Range(1, exits - 1).Select(_ => Row(1 + random.Next(4))).ToArray());
    });

    [Test]
    public void ParetoFront_AnyCascade_IsThatOfAllSetsTriedOneByOne() => Any.Sample((cascade, grids) =>
    {
        var front = Screening.ParetoFront(cascade, grids);
        var all = AllSets(grids, ExitRule.Never(cascade.Score).Threshold).Select(cascade.Evaluate).ToArray();
        var undominated = all.Where(a => !all.Any(b => Dominates(b, a))).Select(Point).ToHashSet();
        return undominated.SetEquals(front.Select(Point)) && front.Count == undominated.Count;
    });

    [Test]
    public void ParetoFront_AnyCascade_RisesInWorkAndAccuracyAndHoldsTheFullAccuracy() => Any.Sample((cascade, grids) =>
    {
        var front = Screening.ParetoFront(cascade, grids);
        return front.Zip(front.Skip(1), (a, b) => a.Accuracy < b.Accuracy && a.MeanMacs < b.MeanMacs).All(rises => rises) && front[^1].Accuracy >= cascade.FullAccuracy;
    });

    [Test]
    public void Cheapest_AnAccuracy_IsTheFirstThatHasIt()
    {
        CascadeOutcome[] front = [new([], 0.5, [], [], new(1)), new([], 0.7, [], [], new(2)), new([], 0.9, [], [], new(3))];
        Assert.That(Screening.Cheapest(front, 0.6), Is.SameAs(front[1]));
        Assert.That(Screening.Cheapest(front, 0.9 - 0.2), Is.SameAs(front[1]));
        Assert.That(Screening.Cheapest(front, 0.91), Is.Null);
    }

    [Test]
    public void ParetoFront_TheZooByItsCalibrationTrace_KeepsFullAccuracyAtAThirdOfTheWorkOnTheTestTrace([Values] ExitScore score)
    {
        var macs = Cascade.MacsOf(Zoo.Card);
        var temperatures = Zoo.Card.Exits.Select(exit => exit.Temperature).ToArray();
        var (calibration, test) = (Cascade.Of(Zoo.Calibration, score, temperatures, macs), Cascade.Of(Zoo.Test, score, temperatures, macs));
        var chosen = Screening.Cheapest(Screening.ParetoFront(calibration, Screening.DefaultGrids(calibration)), calibration.FullAccuracy - 0.0005)!;
        var outcome = test.Evaluate(chosen.Thresholds);
        Assert.That(outcome.Accuracy, Is.GreaterThanOrEqualTo(test.FullAccuracy - 0.002));
        Assert.That(outcome.MeanMacs / macs[^1], Is.LessThan(0.3));
    }

    [Test]
    public void DefaultGrids_Entropy_AreBranchyNetsAndElseQuantiles()
    {
        var (entropy, probability) = (Cascade.Of(Zoo.Calibration, ExitScore.Entropy, [1, 1, 1], Cascade.MacsOf(Zoo.Card)), Cascade.Of(Zoo.Calibration, ExitScore.Probability, [1, 1, 1], Cascade.MacsOf(Zoo.Card)));
        Assert.That(Screening.DefaultGrids(entropy), Is.EqualTo(new[] { Screening.LeNetEntropies, Screening.LeNetEntropies }).AsCollection);
        var grid = Screening.DefaultGrids(probability, quantiles: 10)[0];
        for (var i = 0; i < 10; i++) Assert.That(probability.Evaluate([grid[i], 2]).ExitShares[0], Is.EqualTo(1 - i / 10.0).Within(0.01), $"quantile {i}");
    }

    [Test]
    public void ParetoFront_MoreSetsThanAreScreenedOrGridsThatDoNotFit_IsRefused()
    {
        var exits = Enumerable.Range(0, 8).Select(_ => (double[])[0.5]).ToArray();
        var cascade = new Cascade(ExitScore.Entropy, exits, [.. exits.Select(_ => (bool[])[true])], [.. exits.Select(_ => new Macs(1))]);
        Assert.That(() => Screening.ParetoFront(cascade, Screening.DefaultGrids(cascade)), Throws.ArgumentException.With.Message.Contains("sets of thresholds"));
        Assert.That(() => Screening.ParetoFront(cascade, []), Throws.ArgumentException.With.Message.Contains("0 grids for 8 exits"));
    }

    private static (double Accuracy, double Macs) Point(CascadeOutcome outcome) => (outcome.Accuracy, Math.Round(outcome.MeanMacs.Value, 9));

    private static bool Dominates(CascadeOutcome b, CascadeOutcome a)
    {
        var (better, worse) = (Point(b), Point(a));
        return better.Accuracy >= worse.Accuracy && better.Macs <= worse.Macs && better != worse;
    }

    private static IEnumerable<double[]> AllSets(double[][] grids, double never) => grids.Aggregate((IEnumerable<double[]>)[[]], (sets, grid) => sets.SelectMany(set => grid.Append(never).Select(threshold => (double[])[.. set, threshold])));
}
