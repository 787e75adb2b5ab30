using Fleet.Contracts;
using Fleet.Controller.Placement;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Controller.Placement;

/// <summary>The identities that INFIDA's theorem stands on, on random networks.</summary>
public sealed class IdnTests
{
    private const int Instances = 300;

    /// <summary>G(x) = sum over ranks below the repository's of (next cost - cost) (Z(x) - Z(w)), Z(x) = min(r, sum of what is held up to the rank).</summary>
    [Test]
    public void Gain_ByDefinition_IsTheTelescopedSum()
    {
        for (var seed = 0; seed < Instances; seed++)
        {
            var (idn, random) = (AnyIdn.Make(seed, hasSplits: true), new SeededRandom(seed, "gain"));
            var (batch, held) = (AnyIdn.Batch(idn, random), AnyIdn.Fractional(idn, random));
            var telescoped = 0.0;
            foreach (var type in batch.Active)
            {
                var (mine, minimal) = (0.0, 0.0);
                for (var option = idn.Start[type]; option < idn.Start[type + 1] - 1; option++)
                {
                    mine += batch.Capacity[option] * Serving.Held(idn, option, held);
                    minimal += batch.Capacity[option] * Serving.Held(idn, option, idn.Minimal());
                    telescoped += (idn.Cost[option + 1] - idn.Cost[option]) * (Math.Min(batch.Count[type], mine) - Math.Min(batch.Count[type], minimal));
                }
            }
            Assert.That(Serving.Gain(batch, held), Is.EqualTo(telescoped).Within(1e-9 * Math.Max(1, Serving.Cost(batch, idn.Minimal()))), $"seed {seed}");
        }
    }

    [Test]
    public void Supergradient_AnywhereElse_GainIsBelowItsPlane()
    {
        for (var seed = 0; seed < Instances; seed++)
        {
            var (idn, random) = (AnyIdn.Make(seed, hasSplits: true), new SeededRandom(seed, "plane"));
            var batch = AnyIdn.Batch(idn, random);
            for (var pair = 0; pair < 5; pair++)
            {
                var (at, other) = (AnyIdn.Fractional(idn, random), AnyIdn.Fractional(idn, random));
                var slopes = new double[idn.Holdings];
                Serving.AddSupergradient(batch, at, slopes);
                var plane = Serving.Gain(batch, at);
                for (var i = 0; i < slopes.Length; i++) plane += slopes[i] * (other[i] - at[i]);
                Assert.That(Serving.Gain(batch, other), Is.LessThanOrEqualTo(plane + 1e-9 * Serving.Cost(batch, idn.Minimal())), $"seed {seed}");
            }
        }
    }

    /// <summary>Rounding keeps 1 - 1/e of the concave gain in the mean, of splits too as long as devices keep their heads: then an option is on one node again.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public void Rounding_OfOptionsFreeAtOneNode_ExpectsOneMinusOneOverEOfTheFractionalGain(bool hasSplits)
    {
        var worst = double.PositiveInfinity;
        for (var seed = 0; seed < 200; seed++)
        {
            var (idn, random) = (AnyIdn.Make(seed, hasSplits, holdsHeads: true), new SeededRandom(seed, "round"));
            var (batch, held) = (AnyIdn.Batch(idn, random), AnyIdn.Fractional(idn, random));
            var fractional = Serving.Gain(batch, held);
            if (fractional < 1e-6) continue;
            const int Draws = 200;
            var mean = Enumerable.Range(0, Draws).Average(_ => Serving.Gain(batch, AnyIdn.Rounded(idn, held, random)));
            worst = Math.Min(worst, mean / fractional);
        }
        Assert.That(worst, Is.GreaterThanOrEqualTo(1 - 1 / Math.E).And.LessThan(1));
    }

    [Test]
    public void Make_PartsThatDoNotFit_NamesAllFaultsAtOnce()
    {
        var network = new DeliveryNetwork([new DeliveryNode("a", new Bytes(1), 0)], []);
        var catalogue = new Catalogue([default, default], [new Piece("p", default, [new PieceService(default, 1)])], [new Way(2, 1.5, 3)]);
        var thrown = Assert.Throws<FaultsException>(() => Idn.Make(network, catalogue, [new RequestType(0, [0])], -1))!;
        Assert.That(thrown.Faults, Has.Count.EqualTo(8));
        Assert.That(thrown.Message, Does.Contain("ways[0].accuracy is 1.5; allowed: 0 to 1").And.Contain("types[0].path does not end in a repository"));
    }

    [Test]
    public void Cost_OfASplit_CountsInputUpToTheHeadAndLatentBehindIt()
    {
        // Device - edge - cloud: 2 and 10 ms, 1 us and 3 us a byte.
        var network = new DeliveryNetwork(
            [new DeliveryNode("device", default, 0) { Pinned = [0] }, new DeliveryNode("edge", new Bytes(5e6), 0), new DeliveryNode("cloud", default, 0, IsRepository: true)],
            [new DeliveryLink(0, 1, new Seconds(0.002), new Seconds(1e-6)), new DeliveryLink(1, 2, new Seconds(0.010), new Seconds(3e-6))]);
        PieceService? service = new PieceService(new Seconds(0.004), 5);
        var catalogue = new Catalogue([new Bytes(1000)], [new Piece("head", new Bytes(1), [service]), new Piece("tail", new Bytes(2e6), [service]), new Piece("whole", new Bytes(3e6), [service])],
            [new Way(0, 0.9, 0, 1, new Bytes(100)), new Way(0, 0.9, 2)]);
        var idn = Idn.Make(network, catalogue, [new RequestType(0, [0, 1, 2])], alpha: 100);
        // 10 ms for inaccuracy each. Split at the edge: 2 + 0.1 + 8; whole at the edge: 2 + 1 + 4; split or whole at the cloud: 12 + 0.4 + 8 and 12 + 4 + 4.
        Assert.That(idn.Cost, Is.EqualTo([17, 20.1, 30]).Within(1e-9));
        Assert.That(idn.Head[1] / idn.Pieces, Is.Zero);
        Assert.That(idn.Tail[1] / idn.Pieces, Is.EqualTo(1));
        var batch = new Batch(idn, [8]);
        var held = idn.Minimal();
        held[idn.Tail[1]] = 1;
        // Five of the eight that the device's head can serve a slot; the edge's tail is shared by nobody else.
        Assert.That(Serving.Gain(batch, held), Is.EqualTo(5 * (30 - 20.1)).Within(1e-9));
    }
}
