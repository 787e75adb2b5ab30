using Fleet.Contracts;
using Fleet.Controller.Judge;
using Fleet.Controller.Placement;
using Fleet.Emulator.Experiments.Delivery;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Experiments;

public sealed class DeliveryTests
{
    /// <summary>SNDlib's counts, the cloud and its link besides.</summary>
    [TestCase("abilene", 13, 16, 12)]
    [TestCase("geant", 23, 37, 22)]
    [TestCase("grid", 17, 25, 16)]
    [TestCase("tree", 16, 15, 8)]
    public void Topology_OfAName_HasItsNodesAndEveryEntryReachesTheCloud(string name, int nodes, int links, int entries)
    {
        var topology = Topology.Of(name, new SeededRandom(1, "topology"));
        Assert.That((topology.Network.Nodes.Count, topology.Network.Links.Count, topology.Entries.Count), Is.EqualTo((nodes, links, entries)));
        foreach (var entry in topology.Entries)
        {
            var path = topology.Network.PathToRepository(entry);
            Assert.That(topology.Network.Nodes[path[^1]].Name, Is.EqualTo("cloud"));
            Assert.That(path, Is.Unique);
        }
    }

    [Test]
    public void Topology_UnknownName_NamesWhatIsAllowed() =>
        Assert.That(Assert.Throws<FaultsException>(() => Topology.Of("torus", new SeededRandom(1, "topology")))!.Message, Is.EqualTo("topology: \"torus\" is unknown; allowed: tree, abilene, geant, grid, random"));

    /// <summary>Round trips are twice the distance at two thirds of light: Sunnyvale and Seattle lie 1,135 km apart.</summary>
    [Test]
    public void Backbone_Link_HasTheRoundTripOfItsLength()
    {
        var network = Topology.Of("abilene", new SeededRandom(1, "topology")).Network;
        var (sunnyvale, seattle) = (network.Nodes.ToList().FindIndex(node => node.Name == "SNVAng"), network.Nodes.ToList().FindIndex(node => node.Name == "STTLng"));
        Assert.That(network.Between(sunnyvale, seattle).RoundTrip.Value, Is.EqualTo(0.01135).Within(0.0001));
    }

    [Test]
    public void ZipfRequests_Sliding_MovesTheMostPopularTaskOn()
    {
        var world = new DeliveryWorld("tree", Popularity.Sliding, 100, Tasks: 5, Period: 2, Seed: 3);
        var idn = world.MakeIdn();
        var requests = world.Requests(idn);
        for (var slot = 0; slot < 8; slot++)
        {
            var count = requests.Next([]).ToArray();
            var byTask = Enumerable.Range(0, 5).Select(task => Enumerable.Range(0, 8).Sum(entry => count[entry * 5 + task])).ToList();
            Assert.That(byTask.Sum(), Is.EqualTo(800));
            Assert.That(byTask.IndexOf(byTask.Max()), Is.EqualTo(slot / 2));
        }
    }

    [Test]
    public void AdversarialRequests_WhatIsHeld_IsNotAskedFor()
    {
        var world = new DeliveryWorld("tree", Popularity.Adversarial, 100, Tasks: 3, Period: 1, Seed: 1);
        var idn = world.MakeIdn();
        var held = idn.Minimal();
        foreach (var piece in idn.FreeOf(1).ToArray().Where(piece => piece / 8 == 0)) held[idn.Pieces + piece] = 1;
        var count = world.Requests(idn).Next(held).ToArray();
        Assert.That(Enumerable.Range(0, 8).Sum(entry => count[entry * 3]), Is.Zero);
        Assert.That(count.Sum(), Is.EqualTo(800).Within(1e-9));
    }

    [Test]
    public void TraceRequests_AFile_IsReplayedAndBeginsAnew()
    {
        var idn = new DeliveryWorld("tree", Popularity.Fixed, 100, Tasks: 2, Period: 1, Seed: 1).MakeIdn();
        using var file = new TextFile("slot,entry,task,count\n0,0,0,5\n0,7,1,2.5\n2,3,1,1\n");
        var requests = new TraceRequests(idn, file.Path);
        double[][] slots = [.. Enumerable.Range(0, 4).Select(_ => requests.Next([]).ToArray())];
        Assert.That(slots.Select(slot => slot.Sum()), Is.EqualTo([7.5, 0, 1, 7.5]));
        Assert.That((slots[0][0], slots[0][15], slots[2][7]), Is.EqualTo((5.0, 2.5, 1.0)));
    }

    [Test]
    public void TraceRequests_FaultyLines_AreAllTold()
    {
        var idn = new DeliveryWorld("tree", Popularity.Fixed, 100, Tasks: 2, Period: 1, Seed: 1).MakeIdn();
        using var file = new TextFile("slot,entry,task\n3,0,0,5\n1,0,0,5\n4,8,0,1\nx\n");
        var faults = Assert.Throws<FaultsException>(() => new TraceRequests(idn, file.Path))!.Faults;
        Assert.That(faults, Has.Count.EqualTo(4));
        Assert.That(faults[1], Is.EqualTo("line 3: slot 1 comes after slot 3"));
        Assert.That(faults[2], Does.Contain("entry 0 to 7"));
    }

    [Test]
    public void DeliveryCell_AWorld_OrdersPoliciesAsTheoryWantsAndTwiceAlike()
    {
        var world = new DeliveryWorld("tree", Popularity.Fixed, 100, Tasks: 6, Period: 10, Seed: 1);
        var (first, again) = (DeliveryCell.Run(world, 30), DeliveryCell.Run(world, 30));
        Assert.That(again, Is.EqualTo(first));
        Assert.That(first.Keys, Is.EquivalentTo(DeliveryCell.Policies));
        var bound = first[DeliveryCell.Bound].Gain;
        foreach (var policy in new[] { StaticGreedy.PolicyName, J3o.PolicyName, DeviceOnly.PolicyName }) Assert.That(first[policy].Gain, Is.InRange(0.3 * bound, bound * (1 + 1e-9)), policy);
        Assert.That(first[J3o.PolicyName].Gain, Is.GreaterThan(first[DeviceOnly.PolicyName].Gain));
        Assert.That(first[DeliveryCell.CloudOnly], Is.EqualTo(new PolicyRun(0, 0, 0)));
        Assert.That(first[DeliveryCell.Practical].Gain, Is.GreaterThan(first[DeliveryCell.Plain].Gain));
    }

    /// <summary>Heads on devices and tails above: what a split may use is a superset, and the bound cannot fall.</summary>
    [Test]
    public void ZooCatalogue_MoreSplitting_OffersMoreWays()
    {
        var stock = new Fleet.Emulator.Stock();
        var catalogues = Enum.GetValues<Splitting>().Select(splitting => ZooCatalogue.Of(stock, splitting, new Seconds(1))).ToList();
        Assert.That(catalogues.SelectMany(catalogue => catalogue.Faults()), Is.Empty);
        Assert.That(catalogues.Select(catalogue => catalogue.Ways.Count), Is.Ordered.Ascending.And.Unique);
        Assert.That(catalogues[0].Ways.Any(way => way.IsSplit), Is.False);
        Assert.That(catalogues[2].Ways.Where(way => way.IsSplit).Min(way => way.Crossing.Value), Is.LessThan(catalogues[1].Ways.Where(way => way.IsSplit).Min(way => way.Crossing.Value)));
    }

    /// <summary>The bar of regret, at a tenth of its longest horizon: both figures fall, and learning keeps its bound.</summary>
    [Test]
    public void RegretPoint_AtTheTheoremsRate_FallsWithTheHorizon([Values] Popularity popularity)
    {
        var (brief, far) = (RegretPoint.Of(popularity, RegretRate.Theorem, 100, 1), RegretPoint.Of(popularity, RegretRate.Theorem, 1000, 1));
        Assert.That(far.Promised, Is.LessThan(brief.Promised));
        Assert.That(far.Fractional, Is.LessThan(brief.Fractional));
        Assert.That(brief.Fractional, Is.InRange(0, brief.Bound));
        Assert.That(far.OptimumDrawn, Is.InRange(RegretPoint.Factor * far.Optimum, far.Optimum));
    }

    /// <summary>One node of two pieces of a megabyte, memory for one, ten requests that save 5 ms each: b ln(S / b) = ln 2, and a slope of 50 ms a megabyte.</summary>
    [Test]
    public void AscentBound_OfOneNode_IsTheClosedForm()
    {
        var pieces = Enumerable.Range(0, 2).Select(i => new Piece($"piece {i}", new Bytes(1e6), [new PieceService(default, 10)])).ToList();
        var network = new DeliveryNetwork([new("edge", new Bytes(1e6), 0), new("cloud", default, 0, IsRepository: true)], [new(0, 1, new Seconds(0.005))]);
        var idn = Idn.Make(network, new Catalogue([default, default], pieces, [new(0, 1, 0), new(1, 1, 1)]), [new(0, [0, 1]), new(1, [0, 1])], 1);
        foreach (var slots in new[] { 100, 400 })
        {
            var bound = AscentBound.Of(idn, 100, slots);
            Assert.That(bound.Rate, Is.EqualTo(Math.Sqrt(Math.Log(2) / ((Math.E - 2) * slots)) / 50).Within(1e-12));
            Assert.That(bound.Regret, Is.EqualTo(2 * 50 * Math.Sqrt((Math.E - 2) * slots * Math.Log(2))).Within(1e-9));
        }
        Assert.That(Assert.Throws<ArgumentOutOfRangeException>(() => AscentBound.Of(idn, 100, 0))!.Message, Does.Contain("allowed are more slots"));
    }

    [Test]
    public void SplitStudy_Devices_HoldAnyOneEncoderAndNoWholeNetwork()
    {
        var reach = SplitStudy.Reach();
        Assert.That(reach.Select(task => task.Task), Is.EqualTo(["b-lenet", "fmnist", "scenes"]));
        Assert.That(reach.Select(task => task.Exit < task.Whole), Is.All.True);
        Assert.That(reach.Select(task => task.Split > task.Exit), Is.EqualTo([false, true, true]), "b-lenet has no bottleneck");
        Assert.That(reach.Skip(1).Select(task => task.Bytes < task.Input / 5), Is.All.True);
    }
}
