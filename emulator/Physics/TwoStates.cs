using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Physics;

/// <summary>
/// A process that is either good or bad and stays so for exponential times: clouds before the sun, bursts of loss on a link (Gilbert,
/// "Capacity of a burst-noise channel", Bell System Technical Journal 39, 1960). It is looked at rather than run: the chance of each state
/// after any time is known in closed form, so that a look costs one draw however long ago the last one was.
/// </summary>
/// <param name="goodMean">Mean time it stays good.</param>
/// <param name="badMean">Mean time it stays bad.</param>
public sealed class TwoStates(Seconds goodMean, Seconds badMean, SeededRandom random)
{
    private readonly double badRatio = badMean / (goodMean + badMean);
    private readonly double forgetting = 1 / goodMean.Value + 1 / badMean.Value;
    private Seconds? lookedAt;
    private bool isBad;

    /// <summary>Whether it is bad; times must not decrease. The first look finds it in its long-run mix.</summary>
    public bool IsBad(Seconds now)
    {
        var memory = lookedAt is { } last ? Math.Exp(-forgetting * (now - last).Value) : 0;
        lookedAt = now;
        // P(bad at t | state at 0) = b + ((state is bad) - b) exp(-(1/good + 1/bad) t), b = bad / (good + bad).
        return isBad = random.NextDouble() < badRatio + ((isBad ? 1 : 0) - badRatio) * memory;
    }
}
