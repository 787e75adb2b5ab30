using Fleet.Controller.Judge;
using Fleet.Controller.Placement;
using Fleet.Emulator.Experiments.Delivery;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Controller.Placement;

public sealed class InfidaTests
{
    private static readonly AscentOptions[] Ascents =
        [new(), new() { IsOptimistic = true }, new() { Share = 0.01 }, new() { IsScaled = false, Rate = 1e-3 }];

    [TestCaseSource(nameof(Ascents))]
    public void MirrorAscent_AnyOptions_StaysWithinBudgetsAndComesCloseToTheOptimum(AscentOptions options)
    {
        var world = new DeliveryWorld("tree", Popularity.Fixed, 100, Tasks: 4, Period: 10, Seed: 1);
        var (idn, slots) = (world.MakeIdn(), 150);
        var learner = new MirrorAscent(idn, options);
        var batches = Batches(world, idn, slots);
        var late = 0.0;
        foreach (var (batch, slot) in batches.Select((batch, slot) => (batch, slot)))
        {
            if (slot >= slots / 2) late += Serving.Gain(batch, learner.Fractional);
            learner.Learn(batch);
            for (var node = 0; node < idn.Nodes; node++)
                if (idn.FreeOf(node).Length > 0) Assert.That(idn.Used(node, learner.Fractional), Is.EqualTo(Math.Min(idn.Budget[node], AnyIdn.Sizes(idn, node).Sum())).Within(1e-6));
        }
        var optimum = FractionalOptimum.Of([(Batch.Mean([.. batches.Skip(slots / 2)]), slots / 2)]).Gain;
        Assert.That(late / optimum, Is.InRange(0.93, 1 + 1e-9));
    }

    [Test]
    public void HedgedAscent_SlidingPopularity_IsAboutAsGoodAsItsBestRate()
    {
        var world = new DeliveryWorld("tree", Popularity.Sliding, 300, Tasks: 6, Period: 15, Seed: 1);
        var idn = world.MakeIdn();
        var batches = Batches(world, idn, 90);
        double[] rates = [0.25, 1, 4, 16];
        var best = rates.Max(rate => Run(new MirrorAscent(idn, new AscentOptions { Rate = rate })));
        Assert.That(Run(new HedgedAscent(idn, rates, new AscentOptions())), Is.GreaterThan(0.97 * best));

        double Run(ILearner learner) => batches.Sum(batch =>
        {
            var gain = Serving.Gain(batch, learner.Fractional);
            learner.Learn(batch);
            return gain;
        });
    }

    /// <summary>Each ingredient alone, and all: memory is kept where it must be, and all together gain more and fetch less than none.</summary>
    [Test]
    public void Rounding_EachIngredient_DoesWhatItIsFor()
    {
        var world = new DeliveryWorld("tree", Popularity.Fixed, 100, Tasks: 6, Period: 15, Seed: 2);
        var idn = world.MakeIdn();
        var batches = Batches(world, idn, 60);
        var plain = Run(RoundingOptions.Plain);
        Assert.That(plain.Over, Is.Positive.And.LessThan(idn.Size.Max()));
        Assert.That(Run(new() { Repairs = true }).Over, Is.Zero);
        Assert.That(Run(new() { Repairs = true, Fills = true }).Gain, Is.GreaterThan(plain.Gain));
        Assert.That(Run(new() { Repairs = true, Draws = 8 }).Gain, Is.GreaterThan(plain.Gain));
        Assert.That(Run(new() { KeepsIncumbent = true }).Fetched, Is.LessThan(plain.Fetched / 2));
        Assert.That(Run(new() { IsCoupled = true }).Fetched, Is.LessThan(plain.Fetched / 2));
        Assert.That(Run(new() { Refresh = 10 }).Fetched, Is.LessThan(plain.Fetched / 4));
        var practical = Run(RoundingOptions.Practical);
        Assert.That(practical.Over, Is.Zero);
        Assert.That(practical.Gain, Is.GreaterThan(1.02 * plain.Gain));
        Assert.That(practical.Fetched, Is.LessThan(plain.Fetched / 5));

        (double Gain, double Fetched, double Over) Run(RoundingOptions options)
        {
            var infida = new Infida("infida", new MirrorAscent(idn, new AscentOptions { Rate = 4 }), options, new SeededRandom(1, "infida"));
            var (gain, fetched, over, before) = (0.0, 0.0, 0.0, infida.Held.ToArray());
            foreach (var batch in batches)
            {
                gain += Serving.Gain(batch, infida.Held);
                for (var holding = 0; holding < idn.Holdings; holding++) fetched += infida.Held[holding] > before[holding] ? idn.Size[holding % idn.Pieces] : 0;
                for (var node = 0; node < idn.Nodes; node++) over = Math.Max(over, idn.Used(node, infida.Held) - idn.Budget[node] * (1 + 1e-9));
                before = infida.Held.ToArray();
                infida.Learn(batch);
            }
            return (gain, fetched, Math.Max(0, over));
        }
    }

    /// <summary>Means stay whatever the allocation has moved through.</summary>
    [Test]
    public void CoupledRounding_MovingParts_KeepsTheirMeans()
    {
        var idn = AnyIdn.Make(21, hasSplits: false);
        var random = new SeededRandom(3, "coupled");
        var path = Enumerable.Range(0, 4).Select(_ => AnyIdn.Fractional(idn, random)).ToList();
        const int Draws = 4000;
        var mean = new double[idn.Holdings];
        for (var draw = 0; draw < Draws; draw++)
        {
            var rounding = new Rounding(idn, new RoundingOptions { IsCoupled = true }, random);
            var held = idn.Minimal();
            foreach (var parts in path) rounding.Round(parts, held, last: null);
            for (var i = 0; i < mean.Length; i++) mean[i] += held[i] / Draws;
        }
        Assert.That(mean, Is.EqualTo(path[^1]).Within(0.05));
    }

    private static List<Batch> Batches(DeliveryWorld world, Idn idn, int slots)
    {
        var requests = world.Requests(idn);
        return [.. Enumerable.Range(0, slots).Select(_ => new Batch(idn, requests.Next([])))];
    }
}
