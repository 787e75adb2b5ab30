using Fleet.Models.Calibrating;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>The band holds what chance alone makes, and not more.</summary>
public sealed class EceBandTests
{
    [Test]
    public void Upper_CalibratedExits_HoldsNineteenOfTwenty()
    {
        var random = new Random(1);
        var inside = 0;
        for (var trial = 0; trial < 400; trial++)
        {
            var (confidences, correct) = Calibrated(300, random);
            if (ReliabilityDiagram.EqualWidth(confidences, correct).Ece <= EceBand.Upper(confidences, random, draws: 200)) inside++;
        }
        // 95 % of 400, give or take three standard deviations of 4.4.
        Assert.That(inside, Is.InRange(380 - 14, 380 + 14));
    }

    [Test]
    public void Upper_ExitSurerThanRight_IsLeft()
    {
        var (confidences, correct) = Calibrated(2000, new Random(2));
        var boasting = Array.ConvertAll(confidences, p => 1 - (1 - p) / 2);
        Assert.That(ReliabilityDiagram.EqualWidth(boasting, correct).Ece, Is.GreaterThan(2 * EceBand.Upper(boasting, new Random(3))));
    }

    [Test]
    public void Upper_CertainExit_IsZero() => Assert.That(EceBand.Upper([1, 1, 1], new Random(4)), Is.Zero);

    [Test]
    public void Upper_OneSample_IsWhatOneSampleCanMiss()
    {
        // Right with probability 0.7: the ECE is 0.3 then, 0.7 else, and 0.7 is not rare.
        Assert.That(EceBand.Upper([0.7], new Random(5)), Is.EqualTo(0.7).Within(1e-12));
        Assert.That(EceBand.Upper([0.7], new Random(5), quantile: 0.5), Is.EqualTo(0.3).Within(1e-12));
    }

    [Test]
    public void Upper_SameSeed_IsTheSame()
    {
        var (confidences, _) = Calibrated(100, new Random(6));
        var (once, again) = (EceBand.Upper(confidences, new Random(7)), EceBand.Upper(confidences, new Random(7)));
        Assert.That(once, Is.EqualTo(again).And.GreaterThan(0));
    }

    private static (double[] Confidences, bool[] Correct) Calibrated(int samples, Random random)
    {
        var confidences = Enumerable.Range(0, samples).Select(_ => 0.3 + 0.7 * random.NextDouble()).ToArray();
        return (confidences, Array.ConvertAll(confidences, p => random.NextDouble() < p));
    }
}
