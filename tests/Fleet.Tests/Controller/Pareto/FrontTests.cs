using CsCheck;
using Fleet.Contracts;
using Fleet.Controller.Judge;
using Fleet.Controller.Pareto;
using Fleet.Controller.Planning;
using Fleet.Emulator.Experiments.Front;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.Controller.Pareto;

/// <summary>Fronts of plans: their laws, their volume, and how near the search comes to looking at every plan.</summary>
public sealed class FrontTests
{
    private const int Sites = 20;
    private static readonly Gen<PlanFigures> Any = Gen.Int[0, 9].Array[4].Select(four => new PlanFigures(four[0] / 10.0, new Seconds(four[1]), new Joules(four[2]), new Bytes(four[3])));
    private static readonly Lazy<IReadOnlyList<SiteWays>> Small = new(() => SmallSites.Of(World.Stock, 1, Sites, plans: 600));

    [Test]
    public void Add_AnyPlans_LeavesNoneThatAnotherBeatsAndNoneOutThatNoneDoes() => Any.Array[1, 30].Sample(all =>
    {
        var front = Front(all);
        var kept = front.Points.Select(point => point.Figures).ToList();
        Assert.That(kept, Is.Unique);
        Assert.That(kept.ToHashSet().SetEquals(all.Where(figures => !all.Any(other => other.Beats(figures)))), Is.True);
    }, iter: 300, threads: 1);

    [Test]
    public void Hypervolume_FewPoints_IsInclusionAndExclusionOfTheirBoxes() => Gen.Double[0, 1].Array[4].Array[1, 6].Sample(points =>
    {
        double[] reference = [1, 1, 1, 1];
        var sum = 0.0;
        for (var subset = 1; subset < 1 << points.Length; subset++)
        {
            var box = 1.0;
            for (var figure = 0; figure < 4; figure++) box *= 1 - points.Where((_, i) => (subset >> i & 1) == 1).Max(point => point[figure]);
            sum += int.IsOddInteger(int.PopCount(subset)) ? box : -box;
        }
        Assert.That(Hypervolume.Of(points, reference), Is.EqualTo(sum).Within(1e-9));
    }, iter: 200, threads: 1);

    [TestCase(new[] { 0.0 }, 1.0)]
    [TestCase(new[] { 0.25 }, 0.75)]
    public void Hypervolume_OneFigure_IsTheDistance(double[] point, double volume) => Assert.That(Hypervolume.Of([point], [1]), Is.EqualTo(volume));

    [Test]
    public void Hypervolume_FigureInWhichAllAreAlike_SeparatesNobody()
    {
        PlanFigures[] front = [new(0.1, new(1), new(5), new(0)), new(0.2, new(0), new(5), new(0))];
        var (ideal, nadir) = (new PlanFigures(0.1, new(0), new(5), new(0)), new PlanFigures(0.2, new(1), new(5), new(0)));
        // Two corners of a square of 1.1 x 1.1: all but the square between them.
        Assert.That(Hypervolume.Of(front, ideal, nadir), Is.EqualTo((1.21 - 1) / 1.21).Within(1e-9));
    }

    [Test]
    public void Knee_OfThree_IsTheOneInTheMiddle()
    {
        var front = Front([new(0, new(10), new(0), new(0)), new(1, new(0), new(0), new(0)), new(0.2, new(2), new(0), new(0))]);
        Assert.That(front.Knee.Figures.Error, Is.EqualTo(0.2));
    }

    /// <summary>The bar: 99 % of the hypervolume that looking at every plan gives.</summary>
    [Test]
    public void Search_TwentySmallSites_CommandsNinetyNinePercentOfTheExactFront()
    {
        foreach (var (ways, i) in Small.Value.Select((ways, i) => (ways, i)))
        {
            var exact = ExactFront.Of(ways);
            var found = new FrontSearch(ways).Run();
            Assert.That(Volume(found, exact) / Volume(exact, exact), Is.GreaterThanOrEqualTo(0.99).And.LessThanOrEqualTo(1 + 1e-9), $"site {i}: {found.Points.Count} of {exact.Points.Count} points");
            foreach (var point in found.Points) Assert.That(ways.IsFeasible(point.Choice), Is.True, $"site {i}");
        }
    }

    [Test]
    public void Search_SameSiteTwice_FindsTheSameFront()
    {
        var ways = Small.Value[0];
        var first = new FrontSearch(ways).Run().Sorted.Select(point => point.Figures).ToList();
        Assert.That(new FrontSearch(ways).Run().Sorted.Select(point => point.Figures), Is.EqualTo(first));
    }

    [Test]
    public void ExactFront_TooManyPlans_IsRefused()
    {
        var fleet = FleetBuilder.Fleet([.. Enumerable.Range(0, 12).Select(i => FleetBuilder.Device($"d{i:D2}", "pi-5"))], FleetBuilder.Edge("e"));
        var ways = SiteWays.Of(fleet, FleetBuilder.Table, FleetBuilder.Costs, wayMax: 20);
        Assert.That(() => ExactFront.Of(ways), Throws.ArgumentException.With.Message.Contains("plans; at most 3000000 are looked at"));
    }

    [Test]
    public void Ways_OfADevice_BeatNoOtherAndKeepTheBestInEachFigureWhenThinned()
    {
        var fleet = FleetBuilder.Fleet([FleetBuilder.Device("a", "pi-zero-2w")], FleetBuilder.Edge("e"));
        var (all, few) = (SiteWays.Of(fleet, FleetBuilder.Table, FleetBuilder.Costs).Ways[0], SiteWays.Of(fleet, FleetBuilder.Table, FleetBuilder.Costs, wayMax: 8).Ways[0]);
        Assert.That(all.Any(way => all.Any(other => other != way && other.Beats(way))), Is.False);
        Assert.That(few, Has.Count.EqualTo(8).And.SubsetOf(all));
        for (var figure = 0; figure < PlanFigures.Count; figure++) Assert.That(few.Min(way => way.Figures[figure]), Is.EqualTo(all.Min(way => way.Figures[figure])));
    }

    /// <summary>What the controller is told of a point leads the planner, on what it saw, to a plan that is no worse.</summary>
    [Test]
    public void Objective_OfEachNamedPoint_IsKeptByDual()
    {
        var fleet = FleetBuilder.Crowded(new Random(3), 3, 1);
        var ways = SiteWays.Of(fleet, FleetBuilder.Table, FleetBuilder.Costs, wayMax: 10);
        var front = new FrontSearch(ways).Run();
        var named = NamedPoint.Of(front, most: 6);
        Assert.That(named.Select(point => point.Name), Is.Unique.And.SupersetOf((string[])["accurate", "fast", "frugal", "quiet", "knee", "p1"]));
        foreach (var point in named)
        {
            var objective = point.Objective(front);
            Assert.That(objective.Faults(), Is.Empty);
            var plan = new Dual(FleetBuilder.Table, new CostModel(new Weights().For(objective))).Plan(fleet, PlannerState.Empty, new Random(1)).Plan;
            var planned = Enumerable.Range(0, ways.Devices.Count).Aggregate(default(PlanFigures), (sum, device) => plan.Choices[ways.Devices[device].Id] is var choice ? sum + PlanFigures.Of(choice.Option, choice.Estimate, ways.Devices[device]) * ways.Share(device) : sum);
            Assert.Multiple(() =>
            {
                Assert.That(1 - planned.Error, Is.GreaterThanOrEqualTo(objective.AccuracyMin!.Value - 1e-6), $"{point.Name}: accuracy");
                Assert.That(planned.Energy.Value, Is.LessThanOrEqualTo(objective.EnergyMax!.Value.Value * (1 + 1e-5)), $"{point.Name}: energy");
                Assert.That(planned.Sent.Value, Is.LessThanOrEqualTo(objective.SentMax!.Value.Value * (1 + 1e-5) + 1e-6), $"{point.Name}: bytes");
                Assert.That(planned.Latency.Value, Is.LessThanOrEqualTo(point.Point.Figures.Latency.Value * 1.1), $"{point.Name}: latency");
            });
        }
    }

    private static ParetoFront Front(IEnumerable<PlanFigures> all)
    {
        var front = new ParetoFront();
        foreach (var figures in all) front.Add(new ParetoPoint([], figures));
        return front;
    }

    private static double Volume(ParetoFront front, ParetoFront scale) => Hypervolume.Of(front.Points.Select(point => point.Figures), scale.Ideal, scale.Nadir);
}
