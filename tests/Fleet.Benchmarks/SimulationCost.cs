using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Benchmarks;

/// <summary>
/// Virtual time's bar: at least 300,000 traced inferences a CPU second on one thread, with 1,000 devices a site and the full code of agent, edge server
/// and controller. Costs are differences of two durations, so that start and compilation drop out. Beside it an event loop that does nothing,
/// on the runtime's PriorityQueue and with as many events and timers: what cannot be saved, and what a busy machine does to both.
/// </summary>
internal static class SimulationCost
{
    public const double RateMin = 300_000;

    private const int Devices = 1000;
    private static readonly Seconds Short = new(20);
    private static readonly Seconds Long = new(80);

    /// <returns>0 when the local fleet keeps the bar, else 1.</returns>
    public static int Run(TextWriter output)
    {
        var stock = new Stock();
        var isWithin = true;
        foreach (var policy in (string[])["local-only", "static-split", "greedy"])
        {
            // Long enough that the runtime has compiled what runs often for good, which it does beside the run and on its account.
            Bare(Measure(stock, policy, Long).Events);
            var (from, to) = (Measure(stock, policy, Short), Measure(stock, policy, Long));
            var (inferences, events, cpu) = (to.Inferences - from.Inferences, to.Events - from.Events, to.Cpu - from.Cpu);
            var bare = Bare(events);
            var rate = inferences / cpu.Value;
            if (policy is "local-only") isWithin = rate >= RateMin;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{policy}: {rate:N0} inferences a CPU second ({inferences:N0} in {cpu.Value:F2} s, {to.Offloaded:P0} at the edge); {cpu.Value / events * 1e9:N0} ns an event, a bare loop {bare.Value / events * 1e9:N0} ns: ratio {cpu / bare:F1}; {to.Bytes:N0} B a device"));
        }
        output.WriteLine(isWithin ? "within the bar" : "NOT within the bar");
        return isWithin ? 0 : 1;
    }

    private static (long Inferences, long Events, Seconds Cpu, double Offloaded, double Bytes) Measure(Stock stock, string policy, Seconds duration)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var began = Environment.CpuUsage.TotalTime;
        var run = ScenarioRun.Execute(Fleet(policy, duration), seed: 1, stock);
        var cpu = Seconds.Of(Environment.CpuUsage.TotalTime - began);
        run.CheckBooks();
        var bytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Devices;
        var result = run.Result();
        GC.KeepAlive(run);
        return (result.Figures.Inferences, result.Events, cpu, result.Figures.OffloadRatio ?? 0, bytes);
    }

    /// <summary>Ten inputs a second each; an edge server that can take half of the fleet's work.</summary>
    private static Scenario Fleet(string policy, Seconds duration) => new()
    {
        Name = "cost",
        Duration = duration,
        Control = new ControlSpec { Policy = policy },
        Sites =
        [
            new SiteSpec
            {
                Name = "site",
                Devices = [Group("pi-zero-2w", 400), Group("pi-4b", 350), Group("pi-5", 250)],
                Edges = [new EdgeSpec { Id = "edge-1", Profile = "rtx-3060-ti", Workers = 8, QueueMax = 4096 }],
            },
        ],
    };

    private static DeviceGroup Group(string board, int count) => new() { Board = board, Count = count, Rate = new Hertz(10) };

    /// <summary>CPU time of a loop that takes the first of as many timers as there are devices and sets it anew.</summary>
    private static Seconds Bare(long events)
    {
        var random = new SeededRandom(1, "bare");
        var due = new PriorityQueue<int, (long Due, long Sequence)>();
        for (var i = 0; i < Devices; i++) due.Enqueue(i, (random.Next(1_000_000), i));
        var began = Environment.CpuUsage.TotalTime;
        for (var sequence = (long)Devices; sequence < Devices + events; sequence++)
        {
            due.TryDequeue(out var timer, out var at);
            due.Enqueue(timer, (at.Due + random.Next(1_000_000), sequence));
        }
        return Seconds.Of(Environment.CpuUsage.TotalTime - began);
    }
}
