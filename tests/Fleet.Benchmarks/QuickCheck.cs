using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator;

namespace Fleet.Benchmarks;

/// <summary>
/// The agent's bar: at most a fifth slower than the bare calls, and no allocation. Both run in many short rounds turn by turn in one
/// process, so that noise of a shared machine hits both; the median of the rounds' ratios is what counts.
/// </summary>
internal static class QuickCheck
{
    public const double RatioMax = 1.20;

    private const int Rounds = 400;

    private static readonly Seconds RoundLength = new(0.01);

    /// <returns>0 when every head keeps within the bar, else 1.</returns>
    public static int Run(TextWriter output)
    {
        var stock = new Stock();
        var isWithin = true;
        output.WriteLine($"{Rounds} rounds of {RoundLength.Value * 1e3:F0} ms each way, one thread; bar: median ratio at most {RatioMax.ToString("F2", CultureInfo.InvariantCulture)}, 0 B an inference");
        foreach (var (name, model) in stock.Models)
            foreach (var depth in new[] { 1, model.Card.StageCount })
            {
                using var bare = new BareOnnx(stock, name, depth);
                using var agent = new AgentPath(stock, name, depth);
                var (ratio, quarter, bareTime, agentTime) = Compare(bare.Infer, agent.Infer);
                var (bareBytes, agentBytes) = (Allocated(bare.Infer), Allocated(agent.Infer));
                isWithin &= ratio <= RatioMax && agentBytes == 0;
                output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{name} head {depth}: bare {bareTime.Value * 1e6:F1} us, agent {agentTime.Value * 1e6:F1} us; median ratio {ratio:F3} (quartiles {quarter.Low:F3} to {quarter.High:F3}); allocated an inference: bare {bareBytes:F1} B, agent {agentBytes:F1} B"));
            }
        output.WriteLine(isWithin ? "within the bar" : "NOT within the bar");
        return isWithin ? 0 : 1;
    }

    private static (double Ratio, (double Low, double High) Quartiles, Seconds Bare, Seconds Agent) Compare(Action bare, Action agent)
    {
        var count = Count(bare);
        Time(agent, count);
        var rounds = new List<(double Bare, double Agent)>(Rounds);
        for (var round = 0; round < Rounds; round++)
        {
            // Who goes first changes, so that neither always pays for the other's traces in the caches.
            var first = round % 2 == 0 ? Time(bare, count) : Time(agent, count);
            var second = round % 2 == 0 ? Time(agent, count) : Time(bare, count);
            rounds.Add(round % 2 == 0 ? (first, second) : (second, first));
        }
        var ratios = rounds.Select(round => round.Agent / round.Bare).Order().ToList();
        return (ratios[Rounds / 2], (ratios[Rounds / 4], ratios[3 * Rounds / 4]),
            new Seconds(rounds.Select(round => round.Bare).Order().ElementAt(Rounds / 2)), new Seconds(rounds.Select(round => round.Agent).Order().ElementAt(Rounds / 2)));
    }

    /// <summary>Runs that fill a round.</summary>
    private static int Count(Action work)
    {
        Time(work, 200);
        return Math.Max(1, (int)(RoundLength.Value / Time(work, 200)));
    }

    /// <summary>Seconds one run took.</summary>
    private static double Time(Action work, int count)
    {
        var began = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < count; i++) work();
        return TimeProvider.System.Since(began).Value / count;
    }

    /// <summary>
    /// Bytes a run: the least of three stretches. What a run allocates, each of them has, and so do they what comes once in a thousand runs; what the runtime does once on this thread
    /// (it has been seen to take a few hundred bytes at no moment that could be foretold) falls into one of them. Runs that are not counted come first, behind a collection.
    /// </summary>
    private static double Allocated(Action work)
    {
        const int Runs = 1000;
        GC.Collect();
        for (var i = 0; i < Runs; i++) work();
        var least = double.PositiveInfinity;
        for (var stretch = 0; stretch < 3; stretch++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < Runs; i++) work();
            least = Math.Min(least, (GC.GetAllocatedBytesForCurrentThread() - before) / (double)Runs);
        }
        return least;
    }
}
