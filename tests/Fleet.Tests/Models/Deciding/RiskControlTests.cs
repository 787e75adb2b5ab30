using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Deciding;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>What was asked of the risk holds on samples that the thresholds were not chosen on.</summary>
public sealed class RiskControlTests
{
    private static readonly Lazy<Cascade> Network = new(() => Cascade.Of(Zoo.Test, ExitScore.Probability, Temperatures, Cascade.MacsOf(Zoo.Card)));

    private static double[] Temperatures => [.. Zoo.Card.Exits.Select(exit => exit.Temperature)];

    /// <summary>200 splits tell badly whether a rate is below a tenth: one of 9 % shows more than 20 of them in about one run of three.</summary>
    private const int Splits = 1000;

    [TestCase(0.02, 500)]
    [TestCase(0.01, 500)]
    [TestCase(0.01, 1000)]
    [TestCase(0.005, 1000)]
    public void AccuracyGap_ManySplitsOfTheZoo_HoldsEpsilonAndDelta(double epsilon, int calibration) =>
        AssertHolds(RiskLoss.AccuracyGap(Network.Value), epsilon, calibration);

    [TestCase(0.03, 500)]
    [TestCase(0.05, 1000)]
    public void BrierGap_ManySplitsOfTheZoo_HoldsEpsilonAndDelta(double epsilon, int calibration) =>
        AssertHolds(RiskLoss.BrierGap(Zoo.Test, Temperatures), epsilon, calibration);

    [Test]
    public void Conformal_LossesKnownAtEveryStep_StopsAtTheLastThatPasses()
    {
        // Risks 0, .02, .04, .10, .02: the fourth step fails, and the last, which would pass, is behind it. Bound (n R + 1) / (n + 1).
        var (cascade, loss, path) = Steps(100, 0, 2, 4, 10, 2);
        var chosen = RiskControl.Conformal(cascade, loss, path, epsilon: 0.06);
        Assert.That((chosen.Step, chosen.Risk, chosen.MeanMacs), Is.EqualTo((3, 0.04, new Macs(3))));
        Assert.That(chosen.Bound, Is.EqualTo(5 / 101.0).Within(1e-12));
        Assert.That(RiskControl.Conformal(cascade, loss, path, 5 / 101.0 + 1e-9).Step, Is.EqualTo(3));
        Assert.That(RiskControl.Conformal(cascade, loss, path, 5 / 101.0 - 1e-9).Step, Is.EqualTo(2));
        Assert.That(RiskControl.Conformal(cascade, loss, path, 0.005), Is.EqualTo(new ControlledThresholds(0, path[0], 0, 0, new Macs(6))), "nothing passes: the full network");
    }

    [Test]
    public void UpperBound_LossesKnownAtEveryStep_StopsBeforeTheFirstThatFails()
    {
        var (cascade, loss, path) = Steps(1000, 0, 2, 4, 200, 2);
        var chosen = RiskControl.UpperBound(cascade, loss, path, epsilon: 0.05, delta: 0.1);
        Assert.That((chosen.Step, chosen.Risk, chosen.MeanMacs), Is.EqualTo((3, 0.004, new Macs(3))));
        Assert.That(chosen.Bound, Is.InRange(0.004, 0.05));
        Assert.That(RiskControl.UpperBound(cascade, loss, path, epsilon: 0.0005, delta: 0.1).Step, Is.Zero);
    }

    [Test]
    public void UpperBound_LessRiskAsked_IsNeverMorePermissiveAndNeverCheaper()
    {
        var (cascade, loss) = (Network.Value, RiskLoss.AccuracyGap(Network.Value));
        var chosen = ((double[])[0.001, 0.005, 0.01, 0.02, 0.05]).Select(epsilon => RiskControl.UpperBound(cascade, loss, RiskControl.CommonLevel(3), epsilon, 0.1)).ToArray();
        Assert.That(chosen.Select(choice => choice.Step), Is.Ordered);
        Assert.That(chosen.Select(choice => -choice.MeanMacs.Value), Is.Ordered);
        Assert.That(chosen[0].Step, Is.LessThan(chosen[^1].Step));
    }

    [Test]
    public void Conformal_SyntheticLosses_HasAMeanRiskOfAtMostEpsilonAndNotFarBelow()
    {
        // Wrong with probability 1 - level at confidence level, uniform: the risk of stopping at all above t is (1 - t)^2 / 2.
        var random = new Random(3);
        var (path, mean) = (RiskControl.CommonLevel(2), 0.0);
        for (var trial = 0; trial < 1000; trial++)
        {
            var sureness = Enumerable.Range(0, 100).Select(_ => random.NextDouble()).ToArray();
            var cascade = new Cascade(ExitScore.Probability, [sureness, sureness], [Array.ConvertAll(sureness, p => random.NextDouble() < p), Array.ConvertAll(sureness, _ => true)], [new(1), new(10)]);
            var level = RiskControl.Conformal(cascade, RiskLoss.AccuracyGap(cascade), path, epsilon: 0.05).Thresholds[0];
            mean += (level > 1 ? 0 : (1 - level) * (1 - level) / 2) / 1000;
        }
        Assert.That(mean, Is.InRange(0.035, 0.05));
    }

    [Test]
    public void RiskLoss_Gaps_AreZeroAtTheLastExitAndNeverNegative()
    {
        foreach (var loss in (RiskLoss[])[RiskLoss.AccuracyGap(Network.Value), RiskLoss.BrierGap(Zoo.Test, Temperatures)])
        {
            Assert.That(loss.PerExit[^1], Has.All.Zero);
            Assert.That(loss.PerExit.SelectMany(losses => losses).Min(), Is.Zero);
            Assert.That(loss.PerExit[0].Max(), Is.GreaterThan(0.5).And.LessThanOrEqualTo(loss.Largest));
        }
    }

    [Test]
    public void BrierGap_KnownProbabilities_IsTheDifferenceOfTheirScores()
    {
        // (0.5, 0.5) scores 0.5 whatever the truth; (0.8, 0.2) scores 0.08 when right and 1.28 when wrong.
        var sure = (float)Math.Log(4);
        var loss = RiskLoss.BrierGap(new ExitLogits([[0, 0, sure, 0], [sure, 0, 0, 0]], [0, 1], 2), [1, 1]);
        Assert.That(loss.PerExit[0], Is.EqualTo(new[] { 0.42, 0.78 }).Within(1e-6));
    }

    [Test]
    public void Conformal_PathThatDoesNotStartSafeOrTurnsBack_IsRefused()
    {
        var (cascade, loss, _) = Steps(10, 0);
        Assert.That(() => RiskControl.Conformal(cascade, loss, [[0.5]], 0.5), Throws.ArgumentException.With.Message.Contains("no exit answers"));
        Assert.That(() => RiskControl.Conformal(cascade, loss, [[2], [0.9], [0.95]], 0.5), Throws.ArgumentException.With.Message.Contains("step 2 of the path is stricter at exit 1"));
    }

    /// <summary>A path of so many steps, each of which lets all samples leave one exit earlier, and the number of samples that lose 1 there.</summary>
    private static (Cascade Cascade, RiskLoss Loss, double[][] Path) Steps(int samples, params int[] losses)
    {
        var steps = losses.Length;
        var cascade = new Cascade(ExitScore.Probability,
            [.. Enumerable.Range(0, steps + 1).Select(_ => Enumerable.Repeat(0.5, samples).ToArray())],
            [.. Enumerable.Range(0, steps + 1).Select(_ => new bool[samples])],
            [.. Enumerable.Range(1, steps + 1).Select(exit => new Macs(exit))]);
        var perExit = losses.Reverse().Append(0).Select(lost => Enumerable.Range(0, samples).Select(sample => sample < lost ? 1.0 : 0).ToArray());
        var path = Enumerable.Range(0, steps + 1).Select(step => Enumerable.Range(0, steps).Select(exit => exit >= steps - step ? 0.0 : 2).ToArray());
        return (cascade, new RiskLoss([.. perExit], 1), [.. path]);
    }

    private static void AssertHolds(RiskLoss loss, double epsilon, int calibration)
    {
        const double Delta = 0.1;
        var splits = Split(Network.Value, loss, epsilon, Delta, calibration, Splits);
        Assert.That(splits.Over, Is.InRange(1, Delta * Splits));
        Assert.That(splits.MeanConformalRisk, Is.LessThanOrEqualTo(epsilon));
        Assert.That(splits.MeanConformalMacs, Is.LessThan(splits.MeanBoundedMacs).And.LessThan(0.3), "of use: a fraction of the full network's work");
        Assert.That(splits.MeanBoundedMacs, Is.LessThan(0.45));
    }

    /// <summary>Chooses on some samples, measures on the rest, again and again.</summary>
    private static (int Over, double MeanConformalRisk, double MeanConformalMacs, double MeanBoundedMacs) Split(Cascade cascade, RiskLoss loss, double epsilon, double delta, int calibration, int splits)
    {
        var (random, path, full) = (new Random(7), RiskControl.CommonLevel(cascade.Exits), cascade.Macs[^1]);
        var (over, conformalRisk, conformalMacs, boundedMacs) = (0, 0.0, 0.0, 0.0);
        for (var split = 0; split < splits; split++)
        {
            var order = Enumerable.Range(0, cascade.Samples).ToArray();
            random.Shuffle(order);
            var (chosenOn, measuredOn, losses) = (cascade.At(order[..calibration]), cascade.At(order[calibration..]), loss.At(order[calibration..]));
            var conformal = RiskControl.Conformal(chosenOn, loss.At(order[..calibration]), path, epsilon);
            var bounded = RiskControl.UpperBound(chosenOn, loss.At(order[..calibration]), path, epsilon, delta);
            if (RiskControl.Risk(measuredOn, losses, bounded.Thresholds) > epsilon) over++;
            conformalRisk += RiskControl.Risk(measuredOn, losses, conformal.Thresholds) / splits;
            conformalMacs += conformal.MeanMacs / full / splits;
            boundedMacs += bounded.MeanMacs / full / splits;
        }
        return (over, conformalRisk, conformalMacs, boundedMacs);
    }
}
