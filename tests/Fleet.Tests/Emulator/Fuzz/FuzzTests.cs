using System.Text;
using System.Text.Json;
using Fleet.Contracts;
using Fleet.Emulator;
using Fleet.Emulator.Fuzz;
using Fleet.Emulator.Scenarios;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Fuzz;

public sealed class FuzzTests
{
    private const int Seeds = 100;

    /// <summary>The small brother of `fleet fuzz --seeds 1000`.</summary>
    [Test]
    public void Sweep_HundredSeeds_BooksCloseAndHashesAreEqual()
    {
        var sweep = new Sweep(World.Stock);
        sweep.Run(from: 1, Seeds, threads: Environment.ProcessorCount);
        Assert.That(sweep.Failures.Select(failure => $"seed {failure.Seed}: {failure.Problem}"), Is.Empty);
        Assert.That(sweep.Inferences, Is.GreaterThan(Seeds * 20), "they are not empty");
    }

    [Test]
    public void RandomScenario_AnySeed_IsLawfulAndOwnToItsSeed()
    {
        var scenarios = Enumerable.Range(1, Seeds).Select(seed => RandomScenario.Of(seed, World.Stock)).ToList();
        Assert.That(scenarios.SelectMany(scenario => scenario.Faults(World.Stock)), Is.Empty);
        Assert.That(Text(RandomScenario.Of(7, World.Stock)), Is.EqualTo(Text(scenarios[6])));
        Assert.That(scenarios.Select(Text).Distinct().Count(), Is.EqualTo(Seeds));
        Assert.That(scenarios.SelectMany(scenario => scenario.FaultList).Select(fault => fault.Kind).Distinct(), Is.EquivalentTo(Enum.GetValues<FaultKind>()), "every kind occurs");
        Assert.That(scenarios.SelectMany(scenario => scenario.Sites).SelectMany(site => site.Devices).Select(group => group.Arrivals).Distinct(), Is.SupersetOf(Enum.GetValues<Arrivals>().Except([Arrivals.Recorded])));
    }

    [Test]
    public void RandomScenario_WrittenAndRead_RunsAlike()
    {
        var scenario = RandomScenario.Of(3, World.Stock);
        var read = StrictJson.Parse("fuzz", Encoding.UTF8.GetBytes(Text(scenario)), Json.File.Info<Scenario>(), written => written.Faults(World.Stock));
        Assert.That(ScenarioRun.Execute(read, 3, World.Stock).Result().TraceHash, Is.EqualTo(ScenarioRun.Execute(scenario, 3, World.Stock).Result().TraceHash));
    }

    /// <summary>A bug that needs one fault on a site with an edge server: nothing else is left.</summary>
    [Test]
    public void Shrink_FailureWithACause_LeavesTheCauseOnly()
    {
        bool Fails(Scenario scenario) => scenario.FaultList.Any(fault => fault.Kind is FaultKind.BrokerRestart && scenario.Sites.Any(site => site.Name == fault.Site && site.Edges.Count > 0));
        var large = Enumerable.Range(1, 1000).Select(seed => RandomScenario.Of(seed, World.Stock)).First(scenario => Fails(scenario) && scenario.FaultList.Count > 3);
        var smallest = Shrink.Smallest(large, scenario => !scenario.Faults(World.Stock).Any(), Fails);
        Assert.That(Fails(smallest) && !smallest.Faults(World.Stock).Any());
        Assert.That(smallest.FaultList.Single().Kind, Is.EqualTo(FaultKind.BrokerRestart));
        var site = smallest.Sites.Single();
        Assert.That((site.Devices.Single().Count, site.Edges.Count, site.Cloud.Count, smallest.Stages.Count), Is.EqualTo((1, 1, 0, 0)));
        Assert.That(site.Devices[0], Has.Property(nameof(DeviceGroup.Radio)).Null.And.Property(nameof(DeviceGroup.Battery)).Null.And.Property(nameof(DeviceGroup.Arrivals)).EqualTo(Arrivals.Periodic));
    }

    private static string Text(Scenario scenario) => JsonSerializer.Serialize(scenario, Json.File.Info<Scenario>());
}
