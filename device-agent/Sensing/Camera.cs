using System.Runtime.CompilerServices;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.DeviceAgent.Sensing;

/// <summary>
/// Gives a source's samples at its own pace, as a sensor would: the world does not wait for the device. Sample k belongs to arrival k
/// whatever the device does, so that two policies are compared on the same inputs at the same times. A device that is late by more
/// than the backlog loses the oldest ones, and they are counted.
/// </summary>
/// <param name="source">Ends the camera when it ends.</param>
/// <param name="pace">Of the arrivals, counted from the moment the first sample is asked for; null when the source sets the pace, as <see cref="RawFrameSource"/> does.</param>
/// <param name="time">The clock of the arrivals.</param>
/// <param name="backlogMax">How many mean intervals late a sample may be taken.</param>
public sealed class Camera(IAsyncEnumerable<Sample> source, Pace? pace, TimeProvider time, int backlogMax = Camera.BacklogMax)
{
    /// <summary>A camera driver's ring of buffers is about as long.</summary>
    public const int BacklogMax = 8;

    /// <summary>Samples lost because the device was late.</summary>
    public int Skipped { get; private set; }

    /// <summary>To be enumerated once. Ends with the source, or with <see cref="OperationCanceledException"/> when cancelled.</summary>
    public IAsyncEnumerable<Sample> Samples(CancellationToken cancel) => pace is null ? source : Paced(pace, cancel);

    private async IAsyncEnumerable<Sample> Paced(Pace arrivals, [EnumeratorCancellation] CancellationToken cancel)
    {
        var start = time.GetTimestamp();
        // Due times are summed, not measured, so that waiting a little too long never adds up.
        var due = TimeSpan.Zero;
        await foreach (var sample in source.WithCancellation(cancel))
        {
            due += arrivals.Next();
            var early = due - time.GetElapsedTime(start);
            if (early < TimeSpan.Zero && early < -arrivals.Mean.Span * backlogMax)
            {
                Skipped++;
                continue;
            }
            if (early > TimeSpan.Zero) await time.Delay(Seconds.Of(early), cancel);
            yield return early < TimeSpan.Zero ? sample with { Waited = Seconds.Of(-early) } : sample;
        }
    }
}
