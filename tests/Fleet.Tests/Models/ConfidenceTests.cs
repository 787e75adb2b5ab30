using CsCheck;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Probabilities from logits: they sum to one, and only differences of logits count.</summary>
public sealed class ConfidenceTests
{
    private static readonly Gen<float[]> Logits = Gen.Float[-30, 30].Array[2, 20];
    private static readonly Gen<double> Temperature = Gen.Double[0.05, 20];

    [Test]
    public void Softmax_AnyLogits_SumsToOneWithinZeroToOne() => Gen.Select(Logits, Temperature).Sample((logits, temperature) =>
    {
        var p = Softmax(logits, temperature);
        return Math.Abs(p.Sum() - 1) < 1e-12 && p.All(value => value is >= 0 and <= 1);
    });

    [Test]
    public void MaxProbability_AnyLogits_IsTheLargestOfTheSoftmaxAndItsClass() => Gen.Select(Logits, Temperature).Sample((logits, temperature) =>
    {
        var p = Softmax(logits, temperature);
        return Math.Abs(Confidence.MaxProbability(logits, temperature, out var label) - p.Max()) < 1e-12 && label == Confidence.ArgMax(logits) && Math.Abs(p[label] - p.Max()) < 1e-12;
    });

    [Test]
    public void MaxProbability_LogitsShifted_IsTheSame() => Gen.Select(Gen.Int[-30, 30].Array[2, 20], Gen.Int[-1000, 1000], Temperature).Sample((logits, shift, temperature) =>
        Confidence.MaxProbability(Array.ConvertAll(logits, logit => (float)logit), temperature, out var label)
            == Confidence.MaxProbability(Array.ConvertAll(logits, logit => (float)(logit + shift)), temperature, out var shifted) && label == shifted);

    [Test]
    public void MaxProbability_HotterSoftmax_IsNeverMoreConfident() => Gen.Select(Logits, Temperature, Temperature).Sample((logits, a, b) =>
        Confidence.MaxProbability(logits, Math.Max(a, b), out _) <= Confidence.MaxProbability(logits, Math.Min(a, b), out _) + 1e-12);

    [Test]
    public void MaxProbability_EqualLogits_IsOneOverTheClassesAndTheFirst()
    {
        Assert.That(Confidence.MaxProbability(new float[10], 1.5, out var label), Is.EqualTo(0.1).Within(1e-15));
        Assert.That(label, Is.Zero);
    }

    [Test]
    public void MaxProbability_TwoLogits_IsTheLogisticFunctionOfTheirDifference() =>
        Assert.That(Confidence.MaxProbability([1f, 3f], 2, out _), Is.EqualTo(1 / (1 + Math.Exp(-1))).Within(1e-15));

    [Test]
    public void MaxProbability_HugeLogits_StaysFinite() => Assert.That(Confidence.MaxProbability([-3e38f, 3e38f], 0.05, out _), Is.EqualTo(1));

    [TestCase(float.NaN, 1f)]
    [TestCase(1f, float.NaN)]
    [TestCase(float.PositiveInfinity, 1f)]
    [TestCase(float.PositiveInfinity, float.PositiveInfinity)]
    [TestCase(float.NegativeInfinity, float.NegativeInfinity)]
    public void MaxProbability_LogitsThatAreNoNumbers_IsNoConfidenceAtAll(float a, float b) => Assert.That(Confidence.MaxProbability([a, b], 1, out _), Is.Zero);

    [Test]
    public void NormalisedEntropy_FewLogits_IsThatOfTheirSoftmax()
    {
        float[] logits = [1.5f, -0.25f, 3f, 0f];
        var expected = -Softmax(logits, 1).Sum(p => p * Math.Log(p)) / Math.Log(4);
        Assert.That(Confidence.NormalisedEntropy(logits), Is.EqualTo(expected).Within(1e-12));
    }

    [Test]
    public void NormalisedEntropy_EqualLogits_IsOne() => Assert.That(Confidence.NormalisedEntropy(new float[10]), Is.EqualTo(1).Within(1e-15));

    [Test]
    public void NormalisedEntropy_OneCertainClass_IsZero() => Assert.That(Confidence.NormalisedEntropy([0f, 3e38f, -3e38f]), Is.Zero);

    [TestCase(float.NaN, 1f)]
    [TestCase(1f, float.NaN)]
    [TestCase(float.PositiveInfinity, 1f)]
    public void NormalisedEntropy_LogitsThatAreNoNumbers_IsNoCertaintyAtAll(float a, float b) => Assert.That(Confidence.NormalisedEntropy([a, b]), Is.EqualTo(1));

    private static double[] Softmax(float[] logits, double temperature)
    {
        var p = new double[logits.Length];
        Confidence.Softmax(logits, temperature, p);
        return p;
    }
}
