using Fleet.Models;
using Fleet.Models.Calibrating;
using Fleet.Models.Deciding;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>The right family is found where it is known, and calibrates the network that ships.</summary>
public sealed class MapChoiceTests
{
    [Test]
    public void Fit_LabelsByATemperature_ChoosesTemperature([Values] MapScore score)
    {
        var (logits, labels) = Made.ByTemperature(4000, 10, temperature: 2.5, seed: 1);
        var choice = MapChoice.Fit(logits, labels, 10, score, new Random(1));
        Assert.That(choice.Family, Is.EqualTo(MapFamily.Temperature));
        Assert.That(choice.Map.Temperature, Is.EqualTo(2.5).Within(10).Percent);
    }

    [Test]
    public void Fit_AccuracyThatFallsWhereConfidenceRises_ChoosesTheHistogram([Values] MapScore score)
    {
        var (logits, labels) = Made.ByAccuracy(4000, p => p is > 0.6 and < 0.8 ? 0.95 : 0.55, seed: 2);
        Assert.That(MapChoice.Fit(logits, labels, 2, score, new Random(2)).Family, Is.EqualTo(MapFamily.Histogram));
    }

    [Test]
    public void Fit_AccuracyInOneStep_ChoosesAMapThatFollowsIt([Values] MapScore score)
    {
        var (logits, labels) = Made.ByAccuracy(4000, p => p < 0.85 ? 0.5 : 0.98, seed: 3);
        var choice = MapChoice.Fit(logits, labels, 2, score, new Random(3));
        Assert.That(choice.Family, Is.Not.EqualTo(MapFamily.Temperature));
        Assert.That(choice.Map.Calibrate(0.7), Is.EqualTo(0.5).Within(0.06));
        Assert.That(choice.Map.Calibrate(0.95), Is.EqualTo(0.98).Within(0.02));
    }

    [Test]
    public void Fit_SameSeed_IsTheSame()
    {
        var (logits, labels) = Made.ByTemperature(500, 3, temperature: 2, seed: 4);
        var (once, again) = (MapChoice.Fit(logits, labels, 3, MapScore.Brier, new Random(5)), MapChoice.Fit(logits, labels, 3, MapScore.Brier, new Random(5)));
        Assert.That(once.Scores, Is.EqualTo(again.Scores).AsCollection);
        Assert.That(once.Family, Is.EqualTo(again.Family));
    }

    [Test]
    public void Fit_FewerSamplesThanFolds_IsRefused() =>
        Assert.That(() => MapChoice.Fit(new float[18], new byte[9], 2, MapScore.Brier, new Random(6)), Throws.ArgumentException.With.Message.Contains("9 samples"));

    [Test]
    public void Fit_CalibrationTraceOfTheZoo_CalibratesEveryExitOnTheTestTrace([Values] MapScore score)
    {
        var (calibration, test) = (Zoo.Calibration, Zoo.Test);
        for (var exit = 0; exit < test.Exits.Count; exit++)
        {
            var map = MapChoice.Fit(calibration.Exits[exit], calibration.Labels, calibration.Classes, score, new Random(7)).Map;
            var (confidences, correct) = map.Judge(test.Exits[exit], test.Labels, test.Classes);
            Assert.That(correct.Average(right => right ? 1.0 : 0), Is.EqualTo(Calibration.Accuracy(test.Exits[exit], test.Labels, test.Classes)).Within(1e-12), $"exit {exit + 1}");
            Assert.That(ReliabilityDiagram.EqualWidth(confidences, correct).Ece, Is.LessThanOrEqualTo(0.015), $"exit {exit + 1}");
        }
    }

    [TestCase(0.8)]
    [TestCase(0.9)]
    public void Fit_SamplesOfTheZooThatReachAnExit_CannotBeToldFromCalibrated(double threshold)
    {
        double[] thresholds = [threshold, threshold];
        var maps = MapChoice.OnThoseThatReach(Zoo.Calibration, thresholds, MapScore.LogLoss, new Random(8)).Select(choice => choice.Map).ToArray();
        var cascade = Cascade.Of(Zoo.Test, maps, Cascade.MacsOf(Zoo.Card));
        for (var exit = 1; exit <= 3; exit++)
        {
            var reaching = Zoo.Test.At(cascade.Reaching(exit, thresholds));
            var (confidences, correct) = maps[exit - 1].Judge(reaching.Exits[exit - 1], reaching.Labels, reaching.Classes);
            var (ece, band) = (ReliabilityDiagram.EqualWidth(confidences, correct).Ece, EceBand.Upper(confidences, new Random(9)));
            TestContext.Out.WriteLine($"exit {exit}: {reaching.Samples} samples, ECE {ece:F4}, band {band:F4}");
            Assert.That(reaching.Samples, Is.GreaterThan(1000), $"exit {exit}");
            Assert.That(ece, Is.LessThanOrEqualTo(band), $"exit {exit}");
        }
    }

    [Test]
    public void OnThoseThatReach_LaterExits_AreFittedOnTheRestOnly()
    {
        // Exit 1 is sure of one half, about which exit 2 is always wrong, and knows nothing of the other, where exit 2 has temperature 2.
        var (hard, truths) = Made.ByTemperature(2000, 4, temperature: 2, seed: 11);
        var sure = Enumerable.Repeat((float[])[20, 0, 0, 0], 2000).SelectMany(row => row).ToArray();
        var set = new ExitLogits([[.. new float[hard.Length], .. sure], [.. hard, .. Enumerable.Repeat((float[])[0, 20, 0, 0], 2000).SelectMany(row => row)]], [.. truths, .. new byte[2000]], 4);
        var choices = MapChoice.OnThoseThatReach(set, [0.99], MapScore.LogLoss, new Random(12));
        Assert.That(choices, Has.Count.EqualTo(2));
        Assert.That(choices[1].Map, Is.EqualTo(MapChoice.Fit(hard, truths, 4, MapScore.LogLoss, new Random(13)).Map).Using<CalibrationMap>((a, b) => Math.Abs(a.Temperature - b.Temperature) < 1e-9));
        Assert.That(choices[1].Map.Temperature, Is.EqualTo(2).Within(10).Percent);
    }
}
