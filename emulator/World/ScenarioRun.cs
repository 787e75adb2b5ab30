using Fleet.Contracts;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>Runs every site of a scenario in virtual time, on as many threads as asked for, and adds them up in the order of the file.</summary>
public sealed class ScenarioRun
{
    private readonly Scenario scenario;
    private readonly long seed;
    private readonly SiteWorld[] worlds;
    private IReadOnlyList<SiteResult>? sites;

    private ScenarioRun(Scenario scenario, long seed, SiteWorld[] worlds) => (this.scenario, this.seed, this.worlds) = (scenario, seed, worlds);

    public IReadOnlyList<SiteWorld> Worlds => worlds;

    /// <param name="threads">Sites that run at once; changes nothing but the time it takes.</param>
    /// <param name="progress">Told the share of the work done, 0 to 1, from any thread.</param>
    /// <param name="begins">Told each site before it runs, from any thread.</param>
    public static ScenarioRun Execute(Scenario scenario, long seed, Stock stock, int threads = 1, bool throughWire = false, Action<double>? progress = null, Action<SiteWorld>? begins = null)
    {
        var planned = Planned.Of(stock, scenario.Model);
        var worlds = new SiteWorld[scenario.Sites.Count];
        var done = new double[worlds.Length];
        void RunSite(int i)
        {
            worlds[i] = new SiteWorld(scenario, scenario.Sites[i], seed, stock, planned, throughWire);
            begins?.Invoke(worlds[i]);
            worlds[i].Run(reached =>
            {
                done[i] = reached / scenario.Duration;
                progress?.Invoke(done.Sum() / done.Length);
            });
        }
        if (threads == 1) for (var i = 0; i < worlds.Length; i++) RunSite(i);
        else Parallel.For(0, worlds.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, RunSite);
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
        foreach (var world in worlds)
        {
            var ledger = world.Ledger;
            var lost = ledger.Lost(world.Devices.Sum(device => device.InFlight));
            if (lost != 0) throw new InvalidOperationException($"inference book: {lost} of {ledger.Total.Started} unexplained");
            if (ledger.Messages.Unexplained(world.MessagesInFlight) is var missing and not 0) throw new InvalidOperationException($"message book: {missing} of {ledger.Messages.DueTotal} unexplained");
            foreach (var device in world.Devices) CheckEnergy(device);
        }
    }

    private static void CheckEnergy(EmulatedDevice device)
    {
        var books = device.Account.Energy;
        var unexplained = books.Unexplained(device.Stored);
        if (Math.Abs(unexplained.Value) > 1e-6 * (1 + books.Used.Value + books.Harvested.Value)) throw new InvalidOperationException($"energy book of {device.Id}: {unexplained} unexplained");
    }
}
