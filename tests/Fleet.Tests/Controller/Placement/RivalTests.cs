using Fleet.Controller.Judge;
using Fleet.Controller.Placement;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Controller.Placement;

/// <summary>Rivals against brute force and against each other, on networks small enough to look at every allocation.</summary>
public sealed class RivalTests
{
    [Test]
    public void FractionalOptimum_SmallNetworks_IsAboveEveryWholeAllocationAndAttained()
    {
        for (var seed = 0; seed < 25; seed++)
        {
            var (idn, random) = (AnyIdn.Make(seed, hasSplits: true), new SeededRandom(seed, "lp"));
            var batches = new[] { AnyIdn.Batch(idn, random), AnyIdn.Batch(idn, random) };
            var optimum = FractionalOptimum.Of([(batches[0], 1), (batches[1], 2)]);
            var scale = 1e-7 * Math.Max(1, Serving.Cost(batches[0], idn.Minimal()));
            Assert.That(Weighted(optimum.Parts), Is.EqualTo(optimum.Gain).Within(10 * scale), $"seed {seed}");
            if (idn.Free.Length > 12) continue;
            Assert.That(AnyIdn.Whole(idn).Max(Weighted), Is.LessThanOrEqualTo(optimum.Gain + scale), $"seed {seed}");

            double Weighted(double[] held) => Serving.Gain(batches[0], held) + 2 * Serving.Gain(batches[1], held);
        }
    }

    [Test]
    public void StaticGreedyAndJ3o_SmallNetworks_KeepBudgetsAndComeCloseToBruteForce()
    {
        var (greedy, j3o, best) = (0.0, 0.0, 0.0);
        for (var seed = 0; seed < 60; seed++)
        {
            var (idn, random) = (AnyIdn.Make(seed, hasSplits: true), new SeededRandom(seed, "greedy"));
            if (idn.Free.Length > 12) continue;
            var batch = AnyIdn.Batch(idn, random);
            var (placed, guided) = (StaticGreedy.Place([batch]), J3o.Place([batch], FractionalOptimum.Of([(batch, 1)])));
            foreach (var held in new[] { placed, guided })
                for (var node = 0; node < idn.Nodes; node++) Assert.That(idn.Used(node, held), Is.LessThanOrEqualTo(idn.Budget[node] * (1 + 1e-9)));
            greedy += Serving.Gain(batch, placed);
            j3o += Serving.Gain(batch, guided);
            best += AnyIdn.Whole(idn).Max(held => Serving.Gain(batch, held));
        }
        Assert.That(best, Is.GreaterThan(0));
        Assert.That(greedy / best, Is.InRange(0.85, 1 + 1e-9));
        Assert.That(j3o / best, Is.InRange(greedy / best, 1 + 1e-9));
    }

    /// <summary>The lazy heap takes what a greedy that looks at everything each time would take.</summary>
    [Test]
    public void StaticGreedy_WithoutSplits_EqualsEagerGreedy()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var idn = AnyIdn.Make(seed, hasSplits: false);
            var batch = AnyIdn.Batch(idn, new SeededRandom(seed, "lazy"));
            var board = new Scoreboard([batch], idn.Minimal());
            while (true)
            {
                var next = Enumerable.Range(0, idn.Nodes).SelectMany(node => idn.FreeOf(node).ToArray().Select(piece => (node, piece)))
                    .Where(pair => board.Held[pair.node * idn.Pieces + pair.piece] == 0 && idn.Size[pair.piece] <= (idn.Budget[pair.node] - idn.Used(pair.node, board.Held)) * (1 + 1e-9))
                    .Select(pair => (Density: board.Saving([pair.node * idn.Pieces + pair.piece], 1) / idn.Size[pair.piece], Holding: pair.node * idn.Pieces + pair.piece))
                    .Where(offer => offer.Density > 0).OrderByDescending(offer => offer.Density).FirstOrDefault((0, -1));
                if (next.Item2 < 0) break;
                board.Set(next.Item2, 1);
            }
            Assert.That(Serving.Gain(batch, StaticGreedy.Place([batch])), Is.EqualTo(Serving.Gain(batch, board.Held)).Within(1e-6), $"seed {seed}");
        }
    }

    [Test]
    public void Scoreboard_AfterManyChanges_HasTheCostOfAFreshOne()
    {
        var (idn, random) = (AnyIdn.Make(7, hasSplits: true), new SeededRandom(7, "board"));
        var board = new Scoreboard([AnyIdn.Batch(idn, random)], idn.Minimal());
        for (var change = 0; change < 50; change++)
        {
            var holding = random.Next(idn.Holdings);
            if (idn.Pinned[holding]) continue;
            var (before, value) = (board.Cost, random.Next(2));
            var saving = board.Saving([holding], value);
            board.Set(holding, value);
            Assert.That(before - board.Cost, Is.EqualTo(saving).Within(1e-9));
        }
    }

    [Test]
    public void Olag_SteadyRequests_SettlesWithinBudgetsAndGains()
    {
        var (idn, random) = (AnyIdn.Make(11, hasSplits: false), new SeededRandom(11, "olag"));
        var batch = AnyIdn.Batch(idn, random);
        var olag = new Olag(idn);
        for (var slot = 0; slot < 30; slot++) olag.Learn(batch);
        for (var node = 0; node < idn.Nodes; node++) Assert.That(idn.Used(node, olag.Held), Is.LessThanOrEqualTo(idn.Budget[node] * (1 + 1e-9)));
        Assert.That(Serving.Gain(batch, olag.Held), Is.InRange(0, FractionalOptimum.Of([(batch, 1)]).Gain + 1e-6));
    }
}
