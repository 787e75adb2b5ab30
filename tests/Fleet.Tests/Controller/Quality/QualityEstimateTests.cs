using Fleet.Contracts;
using Fleet.Controller.Quality;
using Fleet.Emulator.Simulation;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.Controller.Quality;

public sealed class QualityEstimateTests
{
    private static readonly Assignment Rule = TinyModel.Assign(1, "edge-1", threshold: 0.7);

    /// <summary>Wilson 1927; the figures are those of Agresti and Coull, Am. Stat. 52(2), 1998, for 0 and 9 of 10.</summary>
    [TestCase(0, 10, 0, 0.2775)]
    [TestCase(0.9, 10, 0.5958, 0.9821)]
    [TestCase(0.5, 100, 0.4038, 0.5962)]
    public void Wilson_KnownCases_AreTheTextbooks(double value, double sample, double low, double high)
    {
        var share = Proportion.Wilson(value, sample);
        Assert.That((share.Low, share.High), Is.EqualTo((low, high)).Using<(double, double)>((a, b) => Math.Abs(a.Item1 - b.Item1) + Math.Abs(a.Item2 - b.Item2) < 2e-4));
    }

    [Test]
    public void Of_ManySamples_IntervalsCoverTheTruthAsOftenAsTheySay()
    {
        var (covered, agreements, samples) = (0, 0, 400);
        for (var seed = 1; seed <= samples; seed++)
        {
            var random = new SeededRandom(seed, "cover");
            var inputs = Enumerable.Range(0, 200).Select(_ => Draw(random, weight: 1)).ToList();
            var estimate = QualityEstimate.Of(inputs, _ => Rule, 1);
            if (estimate.Accuracy is { } accuracy && accuracy.Low <= TrueAccuracy && TrueAccuracy <= accuracy.High) covered++;
            if (estimate.Agreement is { } agreement && agreement.Low <= TrueAgreement && TrueAgreement <= agreement.High) agreements++;
        }
        Assert.That((double)covered / samples, Is.EqualTo(0.95).Within(0.035));
        Assert.That((double)agreements / samples, Is.EqualTo(0.95).Within(0.035));
    }

    /// <summary>Half of the inputs come from devices that draw ten times less: weighed, they count as much.</summary>
    [Test]
    public void Of_DrawnUnequally_WeighsEachByWhatItStandsFor()
    {
        var random = new SeededRandom(1, "weights");
        var often = Enumerable.Range(0, 20_000).Select(_ => Input(random, isSure: true, agrees: true, isRight: null, weight: 1));
        var seldom = Enumerable.Range(0, 2_000).Select(_ => Input(random, isSure: true, agrees: false, isRight: null, weight: 10));
        var estimate = QualityEstimate.Of([.. often, .. seldom], _ => Rule, 1);
        Assert.That(estimate.Agreement!.Value.Value, Is.EqualTo(0.5).Within(1e-9));
        Assert.That(estimate.Agreement.Value.High - estimate.Agreement.Value.Low, Is.GreaterThan(0.02), "worth fewer observations than were made");
        Assert.That(estimate.Accuracy, Is.Null, "nobody has told a label");
        Assert.That(estimate.ExitAgreements.Single()!.Value.Value, Is.EqualTo(0.5).Within(1e-9));
    }

    [Test]
    public void Of_OtherThresholds_JudgesTheSameAuditsAnew()
    {
        var random = new SeededRandom(1, "anew");
        var inputs = Enumerable.Range(0, 1000).Select(_ => Draw(random, weight: 1)).ToList();
        var strict = QualityEstimate.Of(inputs, _ => Rule with { Thresholds = new PerExit([2]) }, 1);
        Assert.That(strict.Agreement!.Value.Value, Is.EqualTo(1), "the tail agrees with itself");
        Assert.That(strict.ExitAgreements.Single(), Is.Null);
        Assert.That(QualityEstimate.Of(inputs, _ => null, 1).Inputs, Is.Zero, "nobody knows what runs");
    }

    private const double Sure = 0.7, AgreesWhenSure = 0.9, RightWhenAgreeing = 0.92, RightWhenNot = 0.3, RightTail = 0.75;
    private const double TrueAgreement = Sure * AgreesWhenSure + 1 - Sure;
    private const double TrueAccuracy = Sure * (AgreesWhenSure * RightWhenAgreeing + (1 - AgreesWhenSure) * RightWhenNot) + (1 - Sure) * RightTail;

    /// <summary>Half of them labelled.</summary>
    private static WatchedInput Draw(SeededRandom random, double weight)
    {
        var isSure = random.NextDouble() < Sure;
        var agrees = !isSure || random.NextDouble() < AgreesWhenSure;
        var isRight = random.NextDouble() < (!isSure ? RightTail : agrees ? RightWhenAgreeing : RightWhenNot);
        return Input(random, isSure, agrees, random.NextDouble() < 0.5 ? isRight : null, weight);
    }

    /// <summary>The exit says 0 and is sure or not; the tail says 0 or 1; where the answer is wrong the class is 2.</summary>
    private static WatchedInput Input(SeededRandom random, bool isSure, bool agrees, bool? isRight, double weight)
    {
        var tail = agrees ? 0 : 1;
        return new WatchedInput("cam-1", [[isSure ? 5 : 0.5f, 0, 0, 0, 0]], tail, isSure ? 0.95 : 0.6 + 0.3 * random.NextDouble(), isRight is null ? null : isRight.Value ? 0 : 2, weight);
    }
}
