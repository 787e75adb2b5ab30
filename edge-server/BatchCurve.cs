using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.EdgeServer;

/// <summary>
/// Chooses a batch size by measurement: on one CPU thread a larger batch often gains nothing per sample and only makes the first
/// frame wait for the last, so it must earn at least 5 % over half its size.
/// </summary>
public static class BatchCurve
{
    private const double GainNeeded = 0.05;
    private const int Runs = 3;

    /// <summary>The largest power of two, up to the tail's capacity, that still paid, and the time of one frame in it.</summary>
    public static async Task<(int Batch, Seconds PerFrame)> Choose(Tail tail)
    {
        var best = 1;
        var bestPerSample = await PerSample(tail, 1);
        for (var batch = 2; batch <= tail.BatchMax; batch *= 2)
        {
            var perSample = await PerSample(tail, batch);
            if (perSample > bestPerSample * (1 - GainNeeded)) break;
            (best, bestPerSample) = (batch, perSample);
        }
        return (best, bestPerSample);
    }

    private static async Task<Seconds> PerSample(Tail tail, int batch)
    {
        tail.LoadBlank(batch);
        await tail.Run(batch);
        var fastest = new Seconds(double.PositiveInfinity);
        for (var run = 0; run < Runs; run++) fastest = Seconds.Min(fastest, await tail.Run(batch));
        return fastest / batch;
    }
}
