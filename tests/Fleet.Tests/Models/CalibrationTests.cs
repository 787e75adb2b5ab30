using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Calibration on data whose truth is known, because it was made so.</summary>
public sealed class CalibrationTests
{
    private const int Classes = 10;

    [TestCase(0.5)]
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(5)]
    public void FitTemperature_LogitsScaledByAKnownOne_RecoversIt(double temperature)
    {
        var (logits, labels) = Calibrated(40_000, seed: 1);
        var fitted = Calibration.FitTemperature(Array.ConvertAll(logits, logit => (float)(logit * temperature)), labels, Classes);
        Assert.That(fitted, Is.EqualTo(temperature).Within(3).Percent);
    }

    [Test]
    public void FitTemperature_ScalingTheLogits_ScalesTheTemperature()
    {
        var (logits, labels) = Calibrated(2000, seed: 2);
        var once = Calibration.FitTemperature(logits, labels, Classes);
        var twice = Calibration.FitTemperature(Array.ConvertAll(logits, logit => logit * 2), labels, Classes);
        Assert.That(twice / once, Is.EqualTo(2).Within(1e-3));
    }

    [Test]
    public void FitTemperature_Fitted_IsWhereTheLikelihoodIsBest()
    {
        var (logits, labels) = Calibrated(5000, seed: 3);
        var fitted = Calibration.FitTemperature(logits, labels, Classes);
        var best = Calibration.MeanNll(logits, labels, Classes, fitted);
        foreach (var factor in (double[])[0.5, 0.9, 0.99, 1.01, 1.1, 2]) Assert.That(Calibration.MeanNll(logits, labels, Classes, fitted * factor), Is.GreaterThan(best), $"{factor}");
    }

    [Test]
    public void MeanNll_EqualLogits_IsTheLogarithmOfTheClasses() =>
        Assert.That(Calibration.MeanNll(new float[Classes * 3], [0, 5, 9], Classes, 1), Is.EqualTo(Math.Log(Classes)).Within(1e-12));

    [Test]
    public void Ece_LabelsDrawnFromTheProbabilities_IsNearZeroAndGrowsWhenOverconfident()
    {
        var (logits, labels) = Calibrated(100_000, seed: 4);
        Assert.That(Calibration.Ece(logits, labels, Classes, 1), Is.LessThan(0.01));
        Assert.That(Calibration.Ece(logits, labels, Classes, 0.3), Is.GreaterThan(0.05));
        Assert.That(Calibration.Ece(logits, labels, Classes, 3), Is.GreaterThan(0.05));
    }

    [TestCase(0.9, 100, 100)]
    [TestCase(0.9, 100, 90)]
    [TestCase(0.9, 100, 50)]
    [TestCase(0.6, 1000, 0)]
    [TestCase(0.97, 40, 13)]
    public void Ece_EverySampleEquallyConfident_IsTheDistanceFromTheAccuracy(double confidence, int samples, int correct)
    {
        var logit = (float)Math.Log(confidence / (1 - confidence));
        var logits = Enumerable.Repeat((float[])[logit, 0], samples).SelectMany(row => row).ToArray();
        var labels = Enumerable.Range(0, samples).Select(i => (byte)(i < correct ? 0 : 1)).ToArray();
        Assert.That(Calibration.Ece(logits, labels, 2, 1), Is.EqualTo(Math.Abs((double)correct / samples - confidence)).Within(1e-6));
    }

    [Test]
    public void Ece_TwoBins_IsTheWeightedSumOfTheirGaps()
    {
        // Three samples sure to 0.9, one of them wrong; one sure to 0.6 and right: (|2 - 2.7| + |1 - 0.6|) / 4.
        float sure = (float)Math.Log(9), unsure = (float)Math.Log(1.5);
        Assert.That(Calibration.Ece([sure, 0, sure, 0, sure, 0, unsure, 0], [0, 0, 1, 0], 2, 1), Is.EqualTo(1.1 / 4).Within(1e-6));
    }

    [Test]
    public void Ece_CertainSample_FallsIntoTheLastBin() => Assert.That(Calibration.Ece([1000, 0], [0], 2, 1), Is.Zero);

    [Test]
    public void Accuracy_KnownAnswers_IsTheShareThatIsRight() => Assert.That(Calibration.Accuracy([1, 0, 0, 1, 5, 2, 0, 0], [0, 1, 1, 0], 2), Is.EqualTo(0.75));

    /// <summary>Random logits, and labels drawn from their softmax: perfectly calibrated at temperature 1.</summary>
    private static (float[] Logits, byte[] Labels) Calibrated(int samples, int seed)
    {
        var random = new Random(seed);
        var logits = new float[samples * Classes];
        var labels = new byte[samples];
        var p = new double[Classes];
        for (var i = 0; i < samples; i++)
        {
            var row = logits.AsSpan(i * Classes, Classes);
            for (var c = 0; c < Classes; c++) row[c] = (float)(3 * random.NextDouble());
            row[random.Next(Classes)] += (float)(5 * random.NextDouble());
            Confidence.Softmax(row, 1, p);
            var draw = random.NextDouble();
            var label = 0;
            while (label < Classes - 1 && (draw -= p[label]) >= 0) label++;
            labels[i] = (byte)label;
        }
        return (logits, labels);
    }
}
