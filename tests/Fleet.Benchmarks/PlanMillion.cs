using System.Globalization;
using Fleet.Contracts;
using Fleet.Controller.Judge;
using Fleet.Controller.Planning;
using Fleet.Emulator;
using Fleet.Emulator.Simulation;

namespace Fleet.Benchmarks;

/// <summary>
/// `-- planning`: `dual` on a million devices that are all different. Times are of this process's own processor use on one thread, since the
/// machine may be shared.
/// </summary>
internal static class PlanMillion
{
    private static readonly Seconds ColdMax = new(3);
    private static readonly Seconds WarmMax = new(0.5);
    private const double GapMax = 0.001;
    private const double BytesMax = 300;
    private const int ChangedEvery = 20;

    /// <returns>0 when within every bar, else 1.</returns>
    public static int Run(TextWriter output, int devices)
    {
        var stock = new Stock();
        var planned = Planned.Of(stock, "scenes");
        var instance = new PlanInstance(devices, planned, stock, seed: 1);
        var capacity = Capacities(instance);
        output.WriteLine(Text($"{devices:N0} devices, all different; {instance.Routes} routes each, {instance.EdgeTerms.Count} edge servers; one thread, processor time"));
        // Once before, on a few: what follows is not the compiler's time.
        Plan(new PlanInstance(20_000, planned, stock, seed: 2), [.. capacity.Select(room => room * 20_000 / devices)], out _);

        var before = Environment.WorkingSet;
        var cold = Plan(instance, capacity, out var candidates);
        var bytes = (double)(instance.Bytes + candidates.Bytes + 2L * sizeof(int) * devices) / devices;
        var full = Full(candidates, cold.Solved);
        output.WriteLine(Text($"cold: {cold.Pruning.Value + cold.Solving.Value:F2} s ({cold.Pruning.Value:F2} s to prune {instance.Routes} routes to {(double)candidates.Total / devices:F1}, {cold.Solving.Value:F2} s to price and repair); gap {cold.Solved.Gap * 100:F4} %; {full} of {candidates.Edges} edge servers full; feasible: {cold.Solved.IsFeasible}"));
        output.WriteLine(Text($"memory: {bytes:F0} bytes a device in columns; working set grew by {(double)(Environment.WorkingSet - before) / devices:F0} bytes a device"));

        var random = new SeededRandom(3, "drift");
        var (warm, warmTime) = Replan(instance, candidates, cold.Solved.Prices, random);
        output.WriteLine(Text($"warm, every {ChangedEvery}th device changed and every edge server's capacity by up to a tenth: {warmTime.Value:F2} s; gap {warm.Gap * 100:F4} %; feasible: {warm.IsFeasible}"));

        var argmin = Neurosurgeon(instance);
        output.WriteLine(Text($"Neurosurgeon's argmin over the same routes: {argmin.Value:F2} s; the cold plan takes {(cold.Pruning.Value + cold.Solving.Value) / argmin.Value:F1} times as long"));
        AgainstGlop(output, planned, stock, capacity, devices);

        var isWithin = cold.Pruning.Value + cold.Solving.Value <= ColdMax.Value && warmTime <= WarmMax && cold.Solved.Gap <= GapMax && warm.Gap <= GapMax && bytes <= BytesMax && full * 2 >= candidates.Edges && cold.Solved.IsFeasible && warm.IsFeasible;
        output.WriteLine(Text($"bars: cold {ColdMax.Value} s, warm {WarmMax.Value} s, gap {GapMax * 100} %, {BytesMax} bytes a device, half of the edge servers full: {(isWithin ? "within" : "NOT within")}"));
        return isWithin ? 0 : 1;
    }

    private static (SolvedChoice Solved, Seconds Pruning, Seconds Solving) Plan(PlanInstance instance, double[] capacity, out Candidates candidates)
    {
        var began = Environment.CpuUsage.TotalTime;
        candidates = new Candidates(instance.Devices, capacity, expected: 6);
        var pruning = new Pruning(instance.Columns, instance.EdgeTerms, new Weights(), PruningKind.OffTheHull, candidates);
        var terms = instance.NewTerms();
        for (var device = 0; device < instance.Devices; device++)
        {
            instance.Fill(terms, device);
            pruning.Put(device, terms);
        }
        var pruned = Environment.CpuUsage.TotalTime;
        var solved = DualSolver.Solve(candidates);
        return (solved, Seconds.Of(pruned - began), Seconds.Of(Environment.CpuUsage.TotalTime - pruned));
    }

    private static (SolvedChoice Solved, Seconds Time) Replan(PlanInstance instance, Candidates candidates, double[] prices, SeededRandom random)
    {
        for (var device = 0; device < instance.Devices; device += ChangedEvery) instance.Make(device, random);
        for (var edge = 0; edge < candidates.Edges; edge++) candidates.Capacity[edge] *= 0.9 + 0.2 * random.NextDouble();
        var began = Environment.CpuUsage.TotalTime;
        var pruning = new Pruning(instance.Columns, instance.EdgeTerms, new Weights(), PruningKind.OffTheHull, candidates);
        var terms = instance.NewTerms();
        for (var device = 0; device < instance.Devices; device += ChangedEvery)
        {
            instance.Fill(terms, device);
            pruning.Put(device, terms);
        }
        var solved = DualSolver.Solve(candidates, prices);
        return (solved, Seconds.Of(Environment.CpuUsage.TotalTime - began));
    }

    /// <summary>Between a third and one and a half of what each edge server would be asked for if all were free: about two thirds are too small.</summary>
    private static double[] Capacities(PlanInstance instance)
    {
        var candidates = new Candidates(instance.Devices, Enumerable.Repeat(1.0, instance.EdgeTerms.Count).ToArray(), expected: 6);
        var pruning = new Pruning(instance.Columns, instance.EdgeTerms, new Weights(), PruningKind.OffTheHull, candidates);
        var terms = instance.NewTerms();
        for (var device = 0; device < instance.Devices; device++)
        {
            instance.Fill(terms, device);
            pruning.Put(device, terms);
        }
        var relaxation = new Relaxation(candidates);
        relaxation.At(new double[candidates.Edges]);
        return [.. relaxation.Demand.Select((demand, edge) => Math.Max(1e-6, demand * (0.35 + 1.15 * (edge * 37 % 100) / 100)))];
    }

    private static int Full(Candidates candidates, SolvedChoice solved)
    {
        var load = new double[candidates.Edges];
        foreach (var j in solved.Choice)
            if (candidates.At(j) is { Edge: var edge } taken && edge < load.Length) load[edge] += taken.Use;
        return load.Where((sum, edge) => sum > 0.999 * candidates.Capacity[edge]).Count();
    }

    /// <summary>The cheapest route of every device, whatever the others do: all 200 of them, nothing pruned.</summary>
    private static Seconds Neurosurgeon(PlanInstance instance)
    {
        var began = Environment.CpuUsage.TotalTime;
        var argmin = new PlanArgmin(instance);
        var sum = 0.0;
        for (var device = 0; device < instance.Devices; device++) sum += argmin.Of(device);
        var took = Seconds.Of(Environment.CpuUsage.TotalTime - began);
        return double.IsFinite(sum) ? took : throw new InvalidOperationException("a device has no finite route");
    }

    /// <summary>The linear programme of ever larger parts of the site, up to the first that takes GLOP more than a quarter of a minute: each next one takes it ten times as long.</summary>
    private static void AgainstGlop(TextWriter output, Planned planned, Stock stock, double[] capacity, int devices)
    {
        for (var size = 1000; size <= devices; size *= 4)
        {
            var part = new PlanInstance(size, planned, stock, seed: 4);
            var dual = Plan(part, [.. capacity.Select(room => room * size / devices)], out var candidates);
            var began = Environment.CpuUsage.TotalTime;
            var linear = Exact.LinearBound(candidates, TimeSpan.FromMinutes(30));
            var took = Seconds.Of(Environment.CpuUsage.TotalTime - began);
            if (linear is null)
            {
                output.WriteLine(Text($"GLOP fails on {size:N0} devices"));
                return;
            }
            output.WriteLine(Text($"{size:N0} devices: GLOP {took.Value:F2} s, dual {dual.Pruning.Value + dual.Solving.Value:F3} s ({took.Value / (dual.Pruning.Value + dual.Solving.Value):F0} times as fast); dual's bound is {(linear.Bound - dual.Solved.Bound) / linear.Bound * 100:F4} % below the linear programme's, its plan {(dual.Solved.Cost - linear.Bound) / linear.Bound * 100:F4} % above"));
            if (took.Value > 15) return;
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
