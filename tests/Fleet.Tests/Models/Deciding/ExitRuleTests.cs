using CsCheck;
using Fleet.Models;
using Fleet.Models.Deciding;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Exit scores as their papers define them, and the one comparison they come down to.</summary>
public sealed class ExitRuleTests
{
    private static readonly Gen<float[]> Logits = Gen.Float[-30, 30].Array[2, 20];
    private static readonly Gen<double> Temperature = Gen.Double[0.05, 20];

    [Test]
    public void Entropy_AnyLogits_IsMinusTheSumOfPLnP() => Gen.Select(Logits, Temperature).Sample((logits, temperature) =>
    {
        var p = Softmax(logits, temperature);
        return Math.Abs(Confidence.Entropy(logits, temperature) + p.Where(value => value > 0).Sum(value => value * Math.Log(value))) < 1e-9;
    });

    [Test]
    public void Margin_AnyLogits_IsTheGapOfTheTwoLargest() => Gen.Select(Logits, Temperature).Sample((logits, temperature) =>
    {
        var p = Softmax(logits, temperature).OrderDescending().ToArray();
        return Math.Abs(Confidence.Margin(logits, temperature) - (p[0] - p[1])) < 1e-12;
    });

    [Test]
    public void Entropy_EqualLogits_IsTheLogarithmOfTheClassesAndOneWhenNormalised()
    {
        Assert.That(Confidence.Entropy(new float[10], 2), Is.EqualTo(Math.Log(10)).Within(1e-15));
        Assert.That(ExitRule.Sureness(ExitScore.NormalisedEntropy, new float[10], 2), Is.EqualTo(-1).Within(1e-15));
    }

    [Test]
    public void Entropy_HugeLogits_IsZero() => Assert.That(Confidence.Entropy([-3e38f, 3e38f], 0.05), Is.Zero);

    [TestCase(ExitScore.Entropy)]
    [TestCase(ExitScore.NormalisedEntropy)]
    public void Exits_EntropyAtTheThreshold_DoesNot(ExitScore score)
    {
        float[] logits = [2, 0.5f, -1];
        var entropy = -ExitRule.Sureness(score, logits, 1);
        Assert.That(new ExitRule(score, entropy).Exits(logits, 1), Is.False);
        Assert.That(new ExitRule(score, Math.BitIncrement(entropy)).Exits(logits, 1), Is.True);
    }

    [TestCase(ExitScore.Probability)]
    [TestCase(ExitScore.Margin)]
    public void Exits_ProbabilityAtTheThreshold_Does(ExitScore score)
    {
        float[] logits = [2, 0.5f, -1];
        var sureness = ExitRule.Sureness(score, logits, 1);
        Assert.That(new ExitRule(score, sureness).Exits(logits, 1), Is.True);
        Assert.That(new ExitRule(score, Math.BitIncrement(sureness)).Exits(logits, 1), Is.False);
    }

    [Test]
    public void Exits_TwoClasses_AllScoresAgreeOnWhichIsSurer() => Gen.Select(Gen.Float[-5, 5], Gen.Float[-5, 5]).Sample((a, b) =>
    {
        if (Math.Abs(Math.Abs(a) - Math.Abs(b)) < 1e-3) return true;
        return Enum.GetValues<ExitScore>().All(score => ExitRule.Sureness(score, [a, 0], 1) > ExitRule.Sureness(score, [b, 0], 1) == Math.Abs(a) > Math.Abs(b));
    });

    [Test]
    public void NeverAndAlways_AnyScore_DoAsTheySay([Values] ExitScore score)
    {
        float[][] rows = [[0, 0], [1, 3], [100, -100], [3e38f, -3e38f]];
        Assert.That(rows.Select(row => ExitRule.Never(score).Exits(row, 1)), Has.All.False);
        Assert.That(rows.Select(row => ExitRule.Always(score).Exits(row, 1)), Has.All.True);
    }

    [Test]
    public void AtLeast_ASureness_PassesItAndNothingBelow([Values] ExitScore score)
    {
        foreach (var sureness in (double[])[-0.7, 0.1, 0.93])
        {
            var rule = ExitRule.AtLeast(score, sureness);
            Assert.That(rule.Bar, Is.EqualTo(sureness), $"{sureness}");
            Assert.That(new ExitRule(score, rule.Threshold).Bar, Is.EqualTo(sureness), $"{sureness}");
        }
    }

    [TestCase(float.NaN, 1f)]
    [TestCase(float.PositiveInfinity, 1f)]
    [TestCase(float.NegativeInfinity, float.NegativeInfinity)]
    public void Exits_LogitsThatAreNoNumbers_NeverByARuleOfUse(float a, float b)
    {
        Assert.That(new ExitRule(ExitScore.Probability, 0.01).Exits([a, b], 1), Is.False);
        Assert.That(new ExitRule(ExitScore.Entropy, 10).Exits([a, b], 1), Is.False);
        Assert.That(new ExitRule(ExitScore.NormalisedEntropy, 1.1).Exits([a, b], 1), Is.False);
        Assert.That(new ExitRule(ExitScore.Margin, 0.01).Exits([a, b], 1), Is.False);
    }

    private static double[] Softmax(float[] logits, double temperature)
    {
        var p = new double[logits.Length];
        Confidence.Softmax(logits, temperature, p);
        return p;
    }
}
