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
    private readonly IAsyncEnumerable<Sample> source = source;
    private readonly TimeProvider time = time;
    private readonly int backlogMax = backlogMax;

    /// <summary>A camera driver's ring of buffers is about as long.</summary>
    public const int BacklogMax = 8;

    /// <summary>How often a sample is due in the mean; null when the source sets the pace.</summary>
    public Hertz? Rate => pace?.Mean is { Value: > 0 } mean ? new Hertz(1 / mean.Value) : null;

    /// <summary>Samples lost because the device was late.</summary>
    public int Skipped { get; private set; }

    /// <summary>To be enumerated once. Ends with the source, or with <see cref="OperationCanceledException"/> when cancelled.</summary>
    public IAsyncEnumerable<Sample> Samples(CancellationToken cancel) => pace is null ? source : new Arrivals(this, pace, cancel);

    /// <summary>Written out, not an iterator: it is the hottest loop of an emulated device, and an iterator would post each sample.</summary>
    private sealed class Arrivals(Camera camera, Pace pace, CancellationToken stop) : IAsyncEnumerable<Sample>, IAsyncEnumerator<Sample>
    {
        private readonly Alarm alarm = new(camera.time, stop);
        private readonly IAsyncEnumerator<Sample> samples = camera.source.GetAsyncEnumerator(stop);
        private readonly long start = camera.time.GetTimestamp();

        // Due times are summed, not measured, so that waiting a little too long never adds up.
        private TimeSpan due;

        public Sample Current { get; private set; }

        public IAsyncEnumerator<Sample> GetAsyncEnumerator(CancellationToken cancellationToken = default) => this;

        [AsyncMethodBuilder(typeof(LoopMethod<>))]
        public async ValueTask<bool> MoveNextAsync()
        {
            while (await samples.MoveNextAsync())
            {
                due += pace.Next();
                var early = due - camera.time.GetElapsedTime(start);
                if (early < TimeSpan.Zero && early < -pace.Mean.Span * camera.backlogMax)
                {
                    camera.Skipped++;
                    continue;
                }
                if (early > TimeSpan.Zero && !await alarm.Sleep(Seconds.Of(early))) throw new OperationCanceledException(stop);
                Current = early < TimeSpan.Zero ? samples.Current with { Waited = Seconds.Of(-early) } : samples.Current;
                return true;
            }
            return false;
        }

        public ValueTask DisposeAsync()
        {
            alarm.Dispose();
            return samples.DisposeAsync();
        }
    }
}
