using Fleet.Contracts;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>A run whose worlds are all kept, to be looked at: for scenarios of a few sites. See <see cref="SiteRuns"/> for others.</summary>
public sealed class ScenarioRun
{
    private readonly Scenario scenario;
    private readonly long seed;
    private readonly IReadOnlyList<SiteWorld> worlds;
    private IReadOnlyList<SiteResult>? sites;

    private ScenarioRun(Scenario scenario, long seed, IReadOnlyList<SiteWorld> worlds) => (this.scenario, this.seed, this.worlds) = (scenario, seed, worlds);

    public IReadOnlyList<SiteWorld> Worlds => worlds;

    /// <param name="threads">Sites that run at once; changes nothing but the time it takes.</param>
    /// <param name="progress">Told the share of the work done, 0 to 1, from any thread.</param>
    /// <param name="begins">Told each site before it runs, from any thread.</param>
    public static ScenarioRun Execute(Scenario scenario, long seed, Stock stock, int threads = 1, bool throughWire = false, Action<double>? progress = null, Action<SiteWorld>? begins = null)
    {
        var worlds = new List<SiteWorld>();
        new SiteRuns(scenario, seed, stock) { Threads = threads, ThroughWire = throughWire, Progress = progress, Begins = begins }.Run(world => world, worlds.Add);
        return new ScenarioRun(scenario, seed, worlds);
    }

    /// <summary>Of each site, in the order of the file.</summary>
    public IReadOnlyList<SiteResult> Sites => sites ??= [.. worlds.Select(SiteResult.Of)];

    public RunResult Result() => Sum().Result();

    /// <summary>All sites together.</summary>
    public RunSum Sum()
    {
        var sum = new RunSum(scenario, seed);
        foreach (var site in Sites) sum.Add(site);
        return sum;
    }

    /// <summary>Throws when a book does not close: a bug in the emulator, never a property of the scenario.</summary>
    public void CheckBooks()
    {
        foreach (var world in worlds) CheckBooks(world);
    }

    /// <inheritdoc cref="CheckBooks()"/>
    public static void CheckBooks(SiteWorld world)
    {
        var ledger = world.Ledger;
        var lost = ledger.Lost(world.Devices.Sum(device => device.InFlight));
        if (lost != 0) throw new InvalidOperationException($"inference book of {world.Name}: {lost} of {ledger.Total.Started} unexplained");
        if (ledger.Messages.Unexplained(world.MessagesInFlight) is var missing and not 0) throw new InvalidOperationException($"message book of {world.Name}: {missing} of {ledger.Messages.DueTotal} unexplained");
        foreach (var device in world.Devices) CheckEnergy(device);
    }

    private static void CheckEnergy(EmulatedDevice device)
    {
        var books = device.Account.Energy;
        var unexplained = books.Unexplained(device.Stored);
        if (Math.Abs(unexplained.Value) > 1e-6 * (1 + books.Used.Value + books.Harvested.Value)) throw new InvalidOperationException($"energy book of {device.Id}: {unexplained} unexplained");
    }
}
