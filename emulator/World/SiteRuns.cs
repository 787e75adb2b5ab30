using System.Runtime.ExceptionServices;
using Fleet.Contracts;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator;

/// <summary>
/// Runs the sites of a scenario in virtual time, several side by side on threads of their own, and hands over what is left of each in the order of
/// the file. A world lives no longer than its site's run: memory holds those that run and what is left of a few that wait for a slower one before them.
/// </summary>
public sealed class SiteRuns(Scenario scenario, long seed, Stock stock)
{
    /// <summary>Ended sites that may wait for a slower one before them, for each thread.</summary>
    private const int Ahead = 4;

    private readonly object gate = new();
    private int next, handedOver;
    private long progress;
    private ExceptionDispatchInfo? failure;

    /// <summary>Sites that run at once; changes nothing but the time it takes.</summary>
    public int Threads { get; init; } = 1;

    public bool ThroughWire { get; init; }

    /// <summary>Which sites are run.</summary>
    public Shard Shard { get; init; } = Shard.Whole;

    /// <summary>Told the share of the work done, 0 to 1, from any thread.</summary>
    public Action<double>? Progress { get; init; }

    /// <summary>Told each site before it runs, from any thread.</summary>
    public Action<SiteWorld>? Begins { get; init; }

    /// <summary>To be called once.</summary>
    /// <param name="sum">What is to be left of a site, from its own thread.</param>
    /// <param name="ended">Given that, site after site, one at a time, from any thread.</param>
    public void Run<T>(Func<SiteWorld, T> sum, Action<T> ended)
    {
        var sites = Shard.Of(scenario.Sites);
        var planned = Planned.Of(stock, scenario.Model, scenario.Control.ExitRisk);
        var waiting = new Dictionary<int, T>();
        void Work()
        {
            try
            {
                while (Take(sites.Count) is { } i) HandOver(i, sum(RunSite(sites[i], sites.Count, planned)), waiting, ended);
            }
            catch (Exception e)
            {
                // Whatever it is, it is told by the caller's thread, which waits.
                Fail(e);
            }
        }
        var threads = Enumerable.Range(1, Math.Min(Threads, sites.Count)).Select(i => new Thread(Work) { Name = $"sites {i}", IsBackground = true }).ToList();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        failure?.Throw();
    }

    private SiteWorld RunSite(SiteSpec site, int count, Planned planned)
    {
        const double Whole = 1e9;
        var world = new SiteWorld(scenario, site, seed, stock, planned, ThroughWire);
        Begins?.Invoke(world);
        var told = 0L;
        world.Run(reached =>
        {
            var parts = (long)(reached / scenario.Duration * Whole);
            var all = Interlocked.Add(ref progress, parts - told);
            told = parts;
            Progress?.Invoke(all / Whole / count);
        });
        return world;
    }

    /// <summary>The next site to run; null when there is none. Whoever is far ahead of the slowest waits for it.</summary>
    private int? Take(int count)
    {
        lock (gate)
        {
            while (failure is null && next < count && next - handedOver >= Ahead * Threads) Monitor.Wait(gate);
            return failure is null && next < count ? next++ : null;
        }
    }

    private void HandOver<T>(int i, T left, Dictionary<int, T> waiting, Action<T> ended)
    {
        lock (gate)
        {
            waiting[i] = left;
            for (; waiting.Remove(handedOver, out var first); handedOver++) ended(first);
            Monitor.PulseAll(gate);
        }
    }

    private void Fail(Exception e)
    {
        lock (gate)
        {
            failure ??= ExceptionDispatchInfo.Capture(e);
            Monitor.PulseAll(gate);
        }
    }
}
