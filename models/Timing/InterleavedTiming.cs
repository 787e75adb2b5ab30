using Fleet.Contracts;

namespace Fleet.Models.Timing;

/// <summary>How long and how often a measurement runs.</summary>
/// <param name="Rounds">At least 1; each runs every work once, in a block.</param>
/// <param name="Block">A block repeats its work for about so long, so that a clock's resolution does not matter.</param>
/// <param name="WarmUp">Every work runs so long before the first round.</param>
public readonly record struct TimingPlan(int Rounds, Seconds Block, Seconds WarmUp)
{
    public static readonly TimingPlan Default = new(Rounds: 41, Block: new Seconds(0.004), WarmUp: new Seconds(0.05));
}

/// <summary>
/// Times several works in one run, so that whatever else the machine does falls on all of them alike: every round runs a block of each,
/// forwards in one round and backwards in the next. Times are medians over rounds and ratios medians of ratios of one round.
/// </summary>
public static class InterleavedTiming
{
    /// <summary>No work is so short that more runs than this are needed; a clock that stands still ends here.</summary>
    private const int RunsMax = 100_000;

    /// <summary>The times of each work, in the order given.</summary>
    /// <param name="works">Each is one run.</param>
    /// <param name="progress">Told the share of rounds done, 0 to 1.</param>
    /// <exception cref="OperationCanceledException">Stopped; between two blocks.</exception>
    public static IReadOnlyList<RunTimes> Measure(IReadOnlyList<Action> works, TimingPlan plan, TimeProvider clock, Action<double> progress, CancellationToken stop = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(plan.Rounds, 1, nameof(plan));
        var runs = works.Select(work => RunsOfABlock(work, plan, clock, stop)).ToArray();
        var times = works.Select(_ => new Seconds[plan.Rounds]).ToArray();
        for (var round = 0; round < plan.Rounds; round++)
        {
            for (var i = 0; i < works.Count; i++)
            {
                stop.ThrowIfCancellationRequested();
                var which = round % 2 == 0 ? i : works.Count - 1 - i;
                times[which][round] = TimeOfARun(works[which], runs[which], clock);
            }
            progress((round + 1.0) / plan.Rounds);
        }
        return [.. times.Select(rounds => new RunTimes(rounds))];
    }

    private static int RunsOfABlock(Action work, TimingPlan plan, TimeProvider clock, CancellationToken stop)
    {
        var (began, runs) = (clock.GetTimestamp(), 0);
        do
        {
            stop.ThrowIfCancellationRequested();
            work();
            runs++;
        }
        while (clock.Since(began) < plan.WarmUp && runs < RunsMax);
        var each = clock.Since(began) / runs;
        return each > Seconds.Zero ? Math.Clamp((int)Math.Round(plan.Block / each), 1, RunsMax) : RunsMax;
    }

    private static Seconds TimeOfARun(Action work, int runs, TimeProvider clock)
    {
        var began = clock.GetTimestamp();
        for (var run = 0; run < runs; run++) work();
        return clock.Since(began) / runs;
    }
}
