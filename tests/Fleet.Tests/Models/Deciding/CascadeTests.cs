using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Deciding;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Shares, accuracies and work of a cascade, counted by hand and on the network that ships.</summary>
public sealed class CascadeTests
{
    [Test]
    public void Evaluate_FourSamples_IsWhatAHandCounts()
    {
        var cascade = new Cascade(ExitScore.Probability,
            [[0.9, 0.5, 0.8, 0.2], [0.1, 0.9, 0.9, 0.3], [0, 0, 0, 0]],
            [[true, true, false, true], [false, true, true, false], [true, true, true, true]],
            [new(10), new(30), new(100)]);
        var outcome = cascade.Evaluate([0.8, 0.9]);
        Assert.That(cascade.ExitsTaken([0.8, 0.9]), Is.EqualTo(new[] { 1, 2, 1, 3 }));
        Assert.That(outcome.ExitShares, Is.EqualTo(new[] { 0.5, 0.25, 0.25 }));
        Assert.That(outcome.ExitAccuracies, Is.EqualTo(new[] { 0.5, 1, 1 }));
        Assert.That((outcome.Accuracy, outcome.MeanMacs), Is.EqualTo((0.75, new Macs((10 + 30 + 10 + 100) / 4.0))));
        Assert.That(cascade.Reaching(2, [0.8, 0.9]), Is.EqualTo(new[] { 1, 3 }));
        Assert.That(cascade.Reaching(3, [0.8, 0.9]), Is.EqualTo(new[] { 3 }));
    }

    [Test]
    public void Evaluate_BranchyLeNetAtItsPublishedShare_IsFourTimesLessWorkWithBranchesCounted()
    {
        // LeNet has 1,140,070 MACs; exit 1 of B-LeNet is reached with 220,150, the end of both heads with 1,247,720. BranchyNet, ICPR 2016, table I: 94.3 % leave early.
        var sureness = Enumerable.Range(0, 1000).Select(i => i < 943 ? -0.01 : -1).ToArray();
        var right = Enumerable.Repeat(true, 1000).ToArray();
        var outcome = new Cascade(ExitScore.Entropy, [sureness, sureness], [right, right], [new(220_150), new(1_247_720)]).Evaluate([0.025]);
        Assert.That(outcome.MeanMacs.Value, Is.EqualTo(278_721).Within(1));
        Assert.That(1_140_070 / outcome.MeanMacs.Value, Is.EqualTo(4.09).Within(0.005));
    }

    [Test]
    public void Evaluate_NeverAndAlways_AreTheLastAndTheFirstExit([Values] ExitScore score)
    {
        var cascade = Cascade.Of(Zoo.Test, score, [1, 1, 1], Cascade.MacsOf(Zoo.Card));
        var (never, always) = (ExitRule.Never(score).Threshold, ExitRule.Always(score).Threshold);
        var (full, first) = (cascade.Evaluate([never, never]), cascade.Evaluate([always, always]));
        Assert.That((full.Accuracy, full.MeanMacs), Is.EqualTo((cascade.FullAccuracy, cascade.Macs[2])));
        Assert.That((first.Accuracy, first.MeanMacs), Is.EqualTo((Calibration.Accuracy(Zoo.Test.Exits[0], Zoo.Test.Labels, 10), cascade.Macs[0])));
    }

    [Test]
    public void Evaluate_StricterThresholds_AreNeverLessWork([Values] ExitScore score)
    {
        var cascade = Cascade.Of(Zoo.Test, score, [1, 1, 1], Cascade.MacsOf(Zoo.Card));
        var work = Screening.Quantiles(cascade, 1, 20).Order().Select(threshold => cascade.Evaluate([threshold, threshold]).MeanMacs.Value).ToArray();
        if (score is ExitScore.Entropy or ExitScore.NormalisedEntropy) Array.Reverse(work);
        Assert.That(work, Is.Ordered);
        Assert.That(work[0], Is.LessThan(work[^1]));
    }

    [Test]
    public void At_SomeSamples_IsTheCascadeOfTheirLogits()
    {
        int[] samples = [17, 3, 99, 4711];
        var macs = Cascade.MacsOf(Zoo.Card);
        var (picked, made) = (Cascade.Of(Zoo.Test, ExitScore.Margin, [1, 1, 1], macs).At(samples), Cascade.Of(Zoo.Test.At(samples), ExitScore.Margin, [1, 1, 1], macs));
        for (var exit = 1; exit <= 3; exit++)
        {
            Assert.That(picked.Sureness(exit).ToArray(), Is.EqualTo(made.Sureness(exit).ToArray()));
            Assert.That(picked.Correct(exit).ToArray(), Is.EqualTo(made.Correct(exit).ToArray()));
        }
    }

    [Test]
    public void MacsOf_TheZoo_AreTheHeadsOfItsCard() =>
        Assert.That(Cascade.MacsOf(Zoo.Card), Is.EqualTo(new Macs[] { new(846_896), new(5_551_696), new(18_898_224) }));

    [Test]
    public void Constructor_CountsThatDiffer_AreRefused()
    {
        Assert.That(() => new Cascade(ExitScore.Margin, [], [], []), Throws.ArgumentException);
        Assert.That(() => new Cascade(ExitScore.Margin, [[1]], [[true]], []), Throws.ArgumentException.With.Message.Contains("work of 0 exits"));
        Assert.That(() => new Cascade(ExitScore.Margin, [[1], [1, 2]], [[true], [true]], [new(1), new(2)]), Throws.ArgumentException.With.Message.Contains("for each"));
        Assert.That(() => new Cascade(ExitScore.Margin, [[]], [[]], [new(1)]), Throws.ArgumentException.With.Message.Contains("at least one sample"));
        Assert.That(() => new Cascade(ExitScore.Margin, [[1], [1]], [[true], [true]], [new(1), new(2)]).Evaluate([]), Throws.ArgumentException.With.Message.Contains("0 thresholds for 2 exits"));
    }
}
