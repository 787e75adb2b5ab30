using CsCheck;
using Fleet.Models;
using Fleet.Models.Calibrating;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Maps change how sure an exit is said to be, never what it answers.</summary>
public sealed class CalibrationMapTests
{
    private const int Classes = 4;
    private static readonly Gen<double[]> Ascending = Gen.Double[0, 1].Array[2, 12].Select(values => values.Distinct().Order().ToArray());
    private static readonly Gen<(double P, bool Right)[]> Samples = Gen.Select(Gen.Int[1, 40].Select(i => i / 40.0), Gen.Bool).Array[1, 60];

    private static readonly Gen<CalibrationMap> AnyMap = Gen.OneOf(
        Gen.Double[0.2, 5].Select(temperature => (CalibrationMap)new TemperatureMap(temperature)),
        Gen.Select(Ascending, Gen.Double[0, 1].Array[13]).Select((edges, values) => (CalibrationMap)new HistogramMap([.. edges.Where(edge => edge < 1), 1], values[..(edges.Count(edge => edge < 1) + 1)])),
        Gen.Select(Ascending, Gen.Double[0, 1].Array[12]).Select((knots, values) => (CalibrationMap)new IsotonicMap(knots, [.. values[..knots.Length].Order()])));

    [Test]
    public void Confidence_AnyMap_AnswersTheLargestLogitWithAProbability() => Gen.Select(AnyMap, Gen.Float[-20, 20].Array[2, 10]).Sample((map, logits) =>
        map.Confidence(logits, out var label) is >= 0 and <= 1 && label == Confidence.ArgMax(logits));

    [Test]
    public void Above_AnyMapAndBar_IsWhereTheCalibratedValueIsAbove() => Gen.Select(AnyMap, Gen.Double[-0.1, 1.1], Gen.Double[0.001, 1]).Sample((map, bar, p) =>
        Math.Abs(map.Calibrate(p) - bar) < 1e-9 || map.Above(bar).Contains(p) == map.Calibrate(p) > bar);

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    public void Confidence_LogitThatIsNoNumber_IsZeroByEveryMap(float bad)
    {
        foreach (var map in (CalibrationMap[])[new TemperatureMap(2), new HistogramMap([0.5, 1], [0.4, 0.9]), new IsotonicMap([0.2, 0.9], [0.3, 0.8])])
            Assert.That(map.Confidence([1, bad], out _), Is.Zero, map.ToString());
    }

    [Test]
    public void HistogramFit_JudgedOnItsOwnBins_IsCalibrated() => Gen.Select(Samples, Gen.Int[1, 15]).Sample((samples, bins) =>
    {
        var (p, right) = Columns(samples);
        var map = HistogramMap.Fit(p, right, bins);
        return Groups(p, right, map).All(group => Math.Abs(group.Value - group.Accuracy) < 1e-12);
    });

    [Test]
    public void HistogramFit_BinWithoutSamples_KeepsItsMiddle()
    {
        var map = HistogramMap.Fit([0.1, 0.9], [true, false], [0.25, 0.5, 1.0]);
        Assert.That(map.Values, Is.EqualTo(new[] { 1, 0.375, 0 }));
    }

    [Test]
    public void IsotonicFits_OnTheirOwnSamples_AgreeWithTheRegression() => Samples.Sample(samples =>
    {
        var (p, right) = Columns(samples);
        var (lines, steps, blocks) = (IsotonicMap.Fit(p, right), IsotonicMap.FitSteps(p, right), IsotonicRegression.Fit(p, right));
        return p.All(value => blocks.Single(block => block.First <= value && value <= block.Last).Value is var fit
            && Math.Abs(lines.Calibrate(value) - fit) < 1e-12 && Math.Abs(steps.Calibrate(value) - fit) < 1e-12);
    });

    [Test]
    public void IsotonicFit_AnySamples_NeverFallsAndNeverWorsensTheBrierScore() => Samples.Sample(samples =>
    {
        var (p, right) = Columns(samples);
        var map = IsotonicMap.Fit(p, right);
        var mapped = Enumerable.Range(0, 201).Select(i => map.Calibrate(i / 200.0)).ToArray();
        return mapped.Zip(mapped.Skip(1), (a, b) => a <= b + 1e-12).All(rises => rises) && Calibration.Brier(Array.ConvertAll(p, map.Calibrate), right) <= Calibration.Brier(p, right) + 1e-12;
    });

    [Test]
    public void Calibrate_BetweenKnots_IsOnTheLineAndConstantOutside()
    {
        var map = new IsotonicMap([0.2, 0.6], [0.1, 0.9]);
        Assert.That(map.Calibrate(0.3), Is.EqualTo(0.3).Within(1e-12));
        Assert.That((map.Calibrate(0), map.Calibrate(1)), Is.EqualTo((0.1, 0.9)));
    }

    [Test]
    public void MapFit_AnyFamily_LeavesAccuracyAsItIs([Values] MapFamily family)
    {
        var (logits, labels) = Made.ByTemperature(2000, Classes, temperature: 3, seed: 1);
        var (_, correct) = MapChoice.Fit(family, logits, labels, Classes).Judge(logits, labels, Classes);
        Assert.That(correct.Average(right => right ? 1.0 : 0), Is.EqualTo(Calibration.Accuracy(logits, labels, Classes)).Within(1e-12));
    }

    [Test]
    public void MapFit_AnyFamily_BringsTheErrorDown([Values] MapFamily family)
    {
        var (logits, labels) = Made.ByTemperature(20_000, Classes, temperature: 3, seed: 2);
        var (fresh, truths) = Made.ByTemperature(20_000, Classes, temperature: 3, seed: 3);
        var (confidences, correct) = MapChoice.Fit(family, logits, labels, Classes).Judge(fresh, truths, Classes);
        Assert.That(Calibration.Ece(fresh, truths, Classes, 1), Is.GreaterThan(0.05));
        Assert.That(ReliabilityDiagram.EqualWidth(confidences, correct).Ece, Is.LessThan(0.02));
    }

    private static IEnumerable<(double Value, double Accuracy)> Groups(double[] p, bool[] right, HistogramMap map) =>
        p.Zip(right).GroupBy(sample => Array.FindIndex(map.UpperEdges, edge => sample.First <= edge)).Select(group => (map.Values[group.Key], group.Average(sample => sample.Second ? 1.0 : 0)));

    private static (double[] P, bool[] Right) Columns((double P, bool Right)[] samples) =>
        (Array.ConvertAll(samples, sample => sample.P), Array.ConvertAll(samples, sample => sample.Right));
}
