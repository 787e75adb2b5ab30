using Fleet.Models.Offloading;
using NUnit.Framework;

namespace Fleet.Tests.Models.Offloading;

public sealed class HiLcbTests
{
    private const double Price = 0.2;

    /// <summary>Regret is of order log T: each ten-fold horizon adds about as much as the one before, where order root T would add three times as much.</summary>
    [TestCase(true, true)]
    [TestCase(false, true)]
    [TestCase(true, false)]
    [TestCase(false, false)]
    public void GoesOn_LongerHorizons_RegretGrowsLikeTheLogarithm(bool isMonotone, bool isAsPublished)
    {
        var regrets = Enumerable.Range(1, 4).Select(seed => Regrets(new HiLcb(isMonotone, isAsPublished), seed, [1_000, 10_000, 100_000])).ToList();
        double Mean(int horizon) => regrets.Average(one => one[horizon]);
        var (first, second) = (Mean(1) - Mean(0), Mean(2) - Mean(1));
        Assert.That(second, Is.LessThan((isMonotone || isAsPublished ? 2 : 2.5) * first), $"{Mean(0):F1}, {Mean(1):F1}, {Mean(2):F1}");
        Assert.That(Mean(2), Is.LessThan(0.05 * 100_000 * Price), "far below sending everything");
    }

    [Test]
    public void GoesOn_MonotoneOrBernoullisOwnBound_ExploresLess()
    {
        double Mean(bool isMonotone, bool isAsPublished) => Enumerable.Range(1, 5).Average(seed => Regrets(new HiLcb(isMonotone, isAsPublished), seed, [20_000])[0]);
        Assert.That(Mean(true, true), Is.LessThan(Mean(false, true)));
        Assert.That(Mean(true, false), Is.LessThan(0.7 * Mean(true, true)));
    }

    [Test]
    public void GoesOn_NothingKnown_GoesOnUnlessThatCostsMoreThanAnyError()
    {
        Assert.That(new HiLcb(true).GoesOn(0.99, Price), Is.True);
        Assert.That(new HiLcb(true).GoesOn(0.99, 1.01), Is.False);
    }

    [Test]
    public void Learn_HigherBinNeverSeen_MonotoneBoundComesFromBelow()
    {
        var (monotone, lite) = (new HiLcb(true), new HiLcb(false));
        for (var i = 0; i < 500; i++)
            foreach (var learner in new[] { monotone, lite })
            {
                learner.GoesOn(0.9, 0);
                learner.Learn(0.9, agrees: true);
            }
        Assert.That(monotone.GoesOn(0.999, Price), Is.False, "whoever is surer is right no less often");
        Assert.That(lite.GoesOn(0.999, Price), Is.True);
    }

    [Test]
    public void Learn_OutcomesChange_ForgetsAndFollows()
    {
        var (learner, random) = (new HiLcb(true), new Random(3));
        for (var i = 0; i < 5_000; i++) Audit(learner, random, right: 0.98);
        Assert.That(learner.Changes, Is.Zero);
        Assert.That(learner.GoesOn(0.97, Price), Is.False);
        for (var i = 0; i < 300; i++) Audit(learner, random, right: 0.6);
        Assert.That(learner.Changes, Is.EqualTo(1));
        Assert.That(learner.GoesOn(0.97, Price), Is.True);
    }

    [Test]
    public void GoesOn_AnyInput_AllocatesNothing()
    {
        var learner = new HiLcb(true);
        void Some()
        {
            for (var i = 0; i < 1_000; i++)
                if (learner.GoesOn(i / 1_000.0, Price)) learner.Learn(i / 1_000.0, i % 3 > 0);
        }
        Some();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Some();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static void Audit(HiLcb learner, Random random, double right)
    {
        learner.GoesOn(0.965, Price);
        learner.Learn(0.965, random.NextDouble() < right);
    }

    /// <summary>Expected losses beyond the best decision in each bin, where an exit is right with its confidence's probability.</summary>
    private static double[] Regrets(HiLcb learner, int seed, int[] horizons)
    {
        var (random, regret, at) = (new Random(seed), 0.0, new List<double>());
        for (var t = 1; t <= horizons[^1]; t++)
        {
            var bin = random.Next(ConfidenceScale.Bins);
            var (confidence, wrong) = (ConfidenceScale.Centre(bin), 1 - ConfidenceScale.Centre(bin));
            var goesOn = learner.GoesOn(confidence, Price);
            if (goesOn) learner.Learn(confidence, random.NextDouble() >= wrong);
            regret += (goesOn ? Price : wrong) - Math.Min(Price, wrong);
            if (horizons.Contains(t)) at.Add(regret);
        }
        return [.. at];
    }
}
