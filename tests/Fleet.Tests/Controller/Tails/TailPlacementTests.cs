using CsCheck;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using Fleet.Controller.Tails;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Controller.Tails;

public sealed class TailPlacementTests
{
    private static readonly ModelCard Card = FleetBuilder.Model.Files.Card;

    /// <summary>Whatever servers and devices there are, what is told fits: for good within memory, on the way within the room besides.</summary>
    [Test]
    public void Decide_AnySite_FitsMemory() => Gen.Select(Gen.Int[0, 1000], Gen.Enum<PlacementKind>(), Gen.Double[0.1, 12], Gen.Double[0, 4]).Sample(
        (seed, kind, megabytes, room) =>
        {
            var (random, clock) = (new Random(seed), new SimClock());
            var placement = new TailPlacement(new PlacementOptions { Kind = kind, SwapPrice = Seconds.Zero, Seed = seed, Grace = Seconds.Zero }, FleetBuilder.Table, FleetBuilder.Costs, clock);
            var fleet = Limited(FleetBuilder.Crowded(random, 12, 2), megabytes, room);
            for (var slot = 0; slot < 5; slot++)
            {
                placement.Advance(fleet);
                placement.Decide(fleet);
                for (var look = 0; look < 4; look++)
                {
                    foreach (var edge in fleet.Edges) Assert.That(SizeOf(placement, edge), Is.LessThanOrEqualTo((megabytes + (placement.IsMoving ? room : 0)) * 1e6), $"{kind} {edge.Id}");
                    fleet = Loaded(placement, fleet);
                    placement.Advance(fleet);
                }
                Assert.That(placement.IsMoving, Is.False);
                fleet = fleet with { Devices = [.. fleet.Devices.Select(device => device with { Budget = device.Budget! with { RequestRate = new Hertz(20 * random.NextDouble()), Uplink = new BytesPerSecond(1e4 * Math.Pow(100, random.NextDouble())) } })] };
            }
        },
        iter: 40, threads: 1);

    [Test]
    public void Told_NoLimit_IsEverything([Values] PlacementKind kind)
    {
        var placement = new TailPlacement(new PlacementOptions { Kind = kind }, FleetBuilder.Table, FleetBuilder.Costs, new SimClock());
        var fleet = FleetBuilder.Fleet([FleetBuilder.Device("cam-1", "pi-zero-2w")], FleetBuilder.Edge("edge-1"));
        placement.Advance(fleet);
        placement.Decide(fleet);
        Assert.That(placement.Told(Nothing, "edge-1") is { Tails: "0,1,2", Bottlenecks: "tiny,small,medium" }, Is.True);
        Assert.That(placement.IsMoving, Is.False);
    }

    [Test]
    public void Advance_AnotherTailIsWanted_MakesBeforeItBreaks()
    {
        var placement = new TailPlacement(new PlacementOptions { Kind = PlacementKind.Greedy, SwapPrice = Seconds.Zero }, FleetBuilder.Table, FleetBuilder.Costs, new SimClock());
        var fleet = HoldingCut2();
        placement.Advance(fleet);
        Assert.That(Told(placement), Is.EqualTo(Cut2), "what stands is kept");
        placement.Decide(fleet);
        var made = Told(placement);
        Assert.That(made, Has.Count.EqualTo(2).And.SupersetOf(Cut2), "first the new one beside the old");
        Assert.That(placement.Offered(fleet).Edges[0].Reported!.StartsIn(Card), Is.EqualTo(Cut2), "until it is there");
        fleet = Loaded(placement, fleet);
        placement.Advance(fleet);
        Assert.That(placement.Offered(fleet).Edges[0].Reported!.StartsIn(Card), Is.EqualTo(made.Except(Cut2)), "then nobody is sent to the old one any more");
        Assert.That(Told(placement), Is.EqualTo(made), "while the device still sends there");
        fleet = fleet with { Devices = [.. fleet.Devices.Select(device => device with { Reported = device.Reported! with { OffloadTo = "" } })] };
        placement.Advance(fleet);
        Assert.That(Told(placement), Is.EqualTo(made.Except(Cut2)));
        Assert.That(placement.IsMoving, Is.False);
    }

    [Test]
    public void Advance_DeviceWillNotMove_GoesOnAfterTheGrace()
    {
        var clock = new SimClock();
        var placement = new TailPlacement(new PlacementOptions { Kind = PlacementKind.Greedy, SwapPrice = Seconds.Zero }, FleetBuilder.Table, FleetBuilder.Costs, clock);
        var fleet = HoldingCut2();
        placement.Advance(fleet);
        placement.Decide(fleet);
        fleet = Loaded(placement, fleet);
        placement.Advance(fleet);
        clock.Run(TimeSpan.FromSeconds(9));
        placement.Advance(fleet);
        Assert.That(placement.IsMoving, Is.True);
        clock.Run(TimeSpan.FromSeconds(11));
        placement.Advance(fleet);
        Assert.That(Told(placement), Has.No.Member(Cut2[0]));
        Assert.That(placement.IsMoving, Is.False);
    }

    [Test]
    public void Advance_ServerGoesWhileTailsMove_HoldsUpNobody()
    {
        var placement = new TailPlacement(new PlacementOptions { Kind = PlacementKind.Greedy, SwapPrice = Seconds.Zero }, FleetBuilder.Table, FleetBuilder.Costs, new SimClock());
        var fleet = HoldingCut2();
        placement.Advance(fleet);
        placement.Decide(fleet);
        placement.Advance(fleet with { Edges = [.. fleet.Edges.Select(edge => edge with { IsOnline = false })] });
        Assert.That(placement.IsMoving, Is.False);
        Assert.That(Told(placement), Has.Count.EqualTo(1).And.No.Member(Cut2[0]), "what it begins anew with");
    }

    [Test]
    public void Decide_SavesLessThanLoadingCosts_KeepsWhatIsThere()
    {
        var placement = new TailPlacement(new PlacementOptions { Kind = PlacementKind.Greedy, SwapPrice = new Seconds(1) }, FleetBuilder.Table, FleetBuilder.Costs, new SimClock());
        var fleet = HoldingCut2();
        placement.Advance(fleet);
        placement.Decide(fleet);
        Assert.That(Told(placement), Is.EqualTo(Cut2));
        Assert.That(placement.IsMoving, Is.False);
    }

    /// <summary>A way costs whoever runs something else what planners ask for the switch to its best option; whoever runs nothing yet pays for none.</summary>
    [Test]
    public void TailNetwork_DeviceRunsAnotherHead_WaysCostTheSwitch()
    {
        var device = FleetBuilder.Device("cam-1", "nucleo-l4r5zi", rate: 2, roundTrip: 0.002);
        var standing = FleetBuilder.Table.Find(device.Reported!)!;
        var estimate = FleetBuilder.Costs.Estimate(standing, device, edge: null)!.Value;
        var (fresh, running) = (WaysOf(device with { Reported = null }), WaysOf(device));
        Assert.That(running.Keys.Intersect(fresh.Keys).Count(tail => tail.Bottleneck > 0), Is.GreaterThan(0));
        foreach (var tail in running.Keys.Intersect(fresh.Keys))
        {
            var prices = FleetBuilder.Table.All.Where(option => option.Route?.Tail == tail).Select(option => 1e3 * Switching.Price(standing, estimate, option, device, FleetBuilder.Costs.Weights)).ToList();
            Assert.That(prices.Min(), Is.GreaterThan(0));
            Assert.That(running[tail] - fresh[tail], Is.InRange(prices.Min() - 1e-9, prices.Max() + 1e-9), tail.ToString());
        }
    }

    /// <summary>Milliseconds of each way to finish on a server that holds all.</summary>
    private static Dictionary<TailStart, double> WaysOf(DeviceView device)
    {
        var (fleet, tails) = (FleetBuilder.Fleet([device], FleetBuilder.Edge("edge-1")), new TailPlacement(new PlacementOptions(), FleetBuilder.Table, FleetBuilder.Costs, new SimClock()).Tails);
        var idn = TailNetwork.Of(fleet, [.. fleet.Edges], FleetBuilder.Table, FleetBuilder.Costs, tails, new Seconds(30))!.Idn;
        return Enumerable.Range(0, idn.Head.Length).Where(option => idn.Head[option] < tails.Count).ToDictionary(option => tails[idn.Head[option]], option => idn.Cost[option]);
    }

    [TestCase("0,1", "", 0, 0, true)]
    [TestCase("1,2", "", 0, 0, false)]
    [TestCase("1,2", "small", 1, 2, true)]
    [TestCase("1,2", "small", 1, 1, false)]
    public void Estimate_TailThatIsNotHeld_IsNoWay(string tails, string bottlenecks, int cut, int bottleneck, bool isOffered)
    {
        var edge = FleetBuilder.Edge("edge-1");
        var option = FleetBuilder.Table.All.First(option => option.Route is { } route && route.Tail == new TailStart(cut, bottleneck));
        var estimate = FleetBuilder.Costs.Estimate(option, FleetBuilder.Device("cam-1", "pi-4b"), edge with { Reported = edge.Reported! with { Tails = tails, Bottlenecks = bottlenecks } });
        Assert.That(estimate is not null, Is.EqualTo(isOffered));
    }

    [Test]
    public void KindNamed_Unknown_NamesWhatThereIs() =>
        Assert.That(() => PlacementOptions.KindNamed("--placement", "best"), Throws.TypeOf<FaultsException>().With.Message.Contains("is \"best\"; allowed: all, greedy, infida"));

    private static TailAssignment Nothing => new() { Version = 1, Epoch = 1, Model = Card.Name, CardSha256 = FleetBuilder.Model.Files.CardSha256, Tails = "" };

    private static readonly TailStart[] Cut2 = [new TailStart(2)];

    /// <summary>One server that another controller told to hold a tail, to which a slow board sends; it has memory for that or for one of the bottlenecks', and room for a second.</summary>
    private static FleetSnapshot HoldingCut2()
    {
        var held = Nothing.Naming(Cut2, Card);
        var device = FleetBuilder.Device("cam-1", "nucleo-l4r5zi", rate: 2, roundTrip: 0.002);
        return Limited(FleetBuilder.Fleet([device with { Reported = device.Reported! with { OffloadTo = "edge-1", Head = 2, Cut = 2 } }], FleetBuilder.Edge("edge-1") with { Desired = held, Reported = held }), megabytes: 1.1, room: 1);
    }

    private static IReadOnlyList<TailStart> Told(TailPlacement placement) => placement.Told(Nothing, "edge-1").StartsIn(Card);

    private static FleetSnapshot Limited(FleetSnapshot fleet, double megabytes, double room) => fleet with
    {
        Edges = [.. fleet.Edges.Select(edge => edge with { Info = edge.Info! with { TailMemory = new Bytes(megabytes * 1e6), TailRoom = new Bytes(room * 1e6) } })],
    };

    /// <summary>Every server has what it was told.</summary>
    private static FleetSnapshot Loaded(TailPlacement placement, FleetSnapshot fleet) => fleet with { Edges = [.. fleet.Edges.Select(edge => edge with { Reported = placement.Told(Nothing, edge.Id) })] };

    private static double SizeOf(TailPlacement placement, EdgeView edge) => placement.Told(Nothing, edge.Id).StartsIn(Card).Sum(start => (double)Card.Tail(start).FileBytes);
}
