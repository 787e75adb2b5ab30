using CsCheck;
using Fleet.Models;
using Fleet.Models.Calibrating;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Bins, what is counted in them, and the split of the Brier score that holds exactly.</summary>
public sealed class ReliabilityDiagramTests
{
    private static readonly Gen<(double P, bool Right)[]> Samples = Gen.Select(Gen.Double[0, 1], Gen.Bool).Array[1, 60];

    [Test]
    public void EqualWidth_ConfidenceOnAnEdge_BelongsToTheBinBelow()
    {
        var bins = ReliabilityDiagram.EqualWidth([0, 0.25, 0.2500001, 0.5, 1], [true, true, false, true, true], bins: 4).Bins;
        Assert.That(bins.Select(bin => bin.Samples), Is.EqualTo(new[] { 2, 2, 0, 1 }));
        Assert.That((bins[0].Low, bins[0].High, bins[3].High), Is.EqualTo((0.0, 0.25, 1.0)));
        Assert.That(bins[1].Accuracy, Is.EqualTo(0.5));
        Assert.That(bins[1].Confidence, Is.EqualTo(0.37500005).Within(1e-12));
    }

    [Test]
    public void EqualMass_DistinctConfidences_SharesThemEvenly()
    {
        var confidences = Enumerable.Range(1, 100).Select(i => i / 200.0).ToArray();
        var diagram = ReliabilityDiagram.EqualMass(confidences, new bool[100], bins: 5);
        Assert.That(diagram.Bins.Select(bin => bin.Samples), Is.EqualTo(new[] { 20, 20, 20, 20, 20 }));
        Assert.That(diagram.Bins[^1].High, Is.EqualTo(1));
    }

    [Test]
    public void EqualMass_Ties_StayTogether()
    {
        var bins = ReliabilityDiagram.EqualMass([0.3, 0.9, 0.9, 0.9, 0.9, 0.9], [true, true, false, true, false, true], bins: 3).Bins;
        Assert.That(bins.Select(bin => bin.Samples), Is.EqualTo(new[] { 6 }).Or.EqualTo(new[] { 1, 5 }));
        Assert.That(bins.Sum(bin => bin.Samples), Is.EqualTo(6));
    }

    [Test]
    public void Ece_KnownBins_IsTheWeightedMeanOfTheGapsAndMceTheWidest()
    {
        // (0, 0.5]: 0.4, 0.4, one right: gap 0.1. (0.5, 1]: 0.9, 0.9, 0.6, all right: gap 0.2.
        var diagram = ReliabilityDiagram.EqualWidth([0.4, 0.4, 0.9, 0.9, 0.6], [true, false, true, true, true], bins: 2);
        Assert.That(diagram.Ece, Is.EqualTo((2 * 0.1 + 3 * 0.2) / 5).Within(1e-12));
        Assert.That(diagram.Mce, Is.EqualTo(0.2).Within(1e-12));
    }

    [Test]
    public void BinnedBrier_AnySamples_IsCalibrationPlusRefinement() => Gen.Select(Samples, Gen.Int[1, 20], Gen.Bool).Sample((samples, bins, equalMass) =>
    {
        var (p, right) = Columns(samples);
        var diagram = equalMass ? ReliabilityDiagram.EqualMass(p, right, bins) : ReliabilityDiagram.EqualWidth(p, right, bins);
        var binned = p.Select(value => diagram.Bins.First(bin => value <= bin.High).Confidence).ToArray();
        return Math.Abs(Calibration.Brier(binned, right) - diagram.Calibration - diagram.Refinement) < 1e-12 && Math.Abs(diagram.BinnedBrier - Calibration.Brier(binned, right)) < 1e-12;
    });

    [Test]
    public void Calibration_BinsOfOneConfidenceEach_SplitsTheBrierScoreItself() => Gen.Select(Gen.Int[0, 10], Gen.Bool).Array[1, 60].Sample(samples =>
    {
        var (p, right) = Columns(Array.ConvertAll(samples, sample => (sample.Item1 / 10.0, sample.Item2)));
        var diagram = ReliabilityDiagram.Of(p, right, [.. Enumerable.Range(0, 11).Select(i => i / 10.0)]);
        return Math.Abs(Calibration.Brier(p, right) - diagram.Calibration - diagram.Refinement) < 1e-12;
    });

    [Test]
    public void Ece_AnySamples_IsBetweenTheOverallGapAndTheWidest() => Samples.Sample(samples =>
    {
        var (p, right) = Columns(samples);
        var diagram = ReliabilityDiagram.EqualWidth(p, right);
        var overall = Math.Abs(p.Average() - right.Average(value => value ? 1.0 : 0));
        return diagram.Ece >= overall - 1e-12 && diagram.Ece <= diagram.Mce + 1e-12;
    });

    [Test]
    public void EqualWidth_NoSampleOrNoProbability_IsRefused()
    {
        Assert.That(() => ReliabilityDiagram.EqualWidth([], []), Throws.ArgumentException.With.Message.Contains("no sample"));
        Assert.That(() => ReliabilityDiagram.EqualWidth([0.5], []), Throws.ArgumentException.With.Message.Contains("1 confidences and 0 outcomes"));
        foreach (var bad in (double[])[-0.1, 1.1, double.NaN])
            Assert.That(() => ReliabilityDiagram.EqualWidth([0.5, bad], [true, true]), Throws.ArgumentException.With.Message.Contains("sample 1"), $"{bad}");
    }

    private static (double[] P, bool[] Right) Columns((double P, bool Right)[] samples) =>
        (Array.ConvertAll(samples, sample => sample.P), Array.ConvertAll(samples, sample => sample.Right));
}
