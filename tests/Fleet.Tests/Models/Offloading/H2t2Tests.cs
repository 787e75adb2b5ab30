using Fleet.Models.Offloading;
using NUnit.Framework;

namespace Fleet.Tests.Models.Offloading;

public sealed class H2t2Tests
{
    /// <summary>Scores are uniform, an alarm is due with the score's probability; a missed one costs 1, a needless one a half, going on a tenth.</summary>
    [Test]
    public void Chance_LongerHorizons_RegretAnInputFalls()
    {
        double Mean(int horizon) => Enumerable.Range(1, 3).Average(seed => Run(seed, horizon, out _)) / horizon;
        var (early, late) = (Mean(1_000), Mean(30_000));
        Assert.That(late, Is.LessThan(0.5 * early));
        Assert.That(late, Is.LessThan(0.02));
    }

    /// <summary>Bayes: keep "no" while s is below price / missed = 0.1, "yes" from 1 - price / false = 0.8 on.</summary>
    [Test]
    public void Best_CalibratedScore_IsNearTheClosedForm()
    {
        Run(1, 60_000, out var learner);
        Assert.That(learner.Best.Low, Is.EqualTo(0.1).Within(1.5 / 16));
        Assert.That(learner.Best.High, Is.EqualTo(0.8).Within(1.5 / 16));
    }

    /// <summary>An exit so sure that its probability rounds to 1, and always wrong: what keeping costs is more than going on, so that nearly all go on.</summary>
    [Test]
    public void Chance_ScoreOfOneThatIsAlwaysWrong_LearnsToSendIt()
    {
        var (learner, random, sent) = (new H2t2(), new Random(1), 0);
        for (var t = 0; t < 4_000; t++)
        {
            var chance = learner.Chance(1);
            var goesOn = random.NextDouble() < chance;
            learner.Learn(1, price: 0.1, goesOn ? 1 : null, chance);
            if (t >= 2_000 && goesOn) sent++;
        }
        Assert.That(sent, Is.GreaterThan(1_980), "of 2,000");
        Assert.That(learner.Best.High, Is.EqualTo(1));
    }

    [Test]
    public void Of_Errors_CostsBySide()
    {
        var costs = new AlarmCosts(5, 2, [false, true, true, false]);
        Assert.That((costs.Of(0, 0), costs.Of(0, 3), costs.Of(1, 2), costs.Of(0, 1), costs.Of(2, 3)), Is.EqualTo((0.0, 1.0, 1.0, 5.0, 2.0)));
        Assert.That(AlarmCosts.None.Of(4, 1), Is.EqualTo(1));
        Assert.That(costs.Score([0, 0, 0, 0], 1), Is.EqualTo(0.5).Within(1e-12));
    }

    private static double Run(int seed, int horizon, out H2t2 learner)
    {
        const double Price = 0.1;
        const double False = 0.5;
        var (random, regret) = (new Random(seed), 0.0);
        learner = new H2t2();
        for (var t = 0; t < horizon; t++)
        {
            var score = random.NextDouble();
            var isDue = random.NextDouble() < score;
            var kept = Math.Min(score, False * (1 - score));
            var saysYes = False * (1 - score) < score;
            var chance = learner.Chance(score);
            var goesOn = random.NextDouble() < chance;
            learner.Learn(score, Price, goesOn ? saysYes ? isDue ? 0 : False : isDue ? 1 : 0 : null, chance);
            regret += (goesOn ? Price : kept) - Math.Min(Price, kept);
        }
        return regret;
    }
}
