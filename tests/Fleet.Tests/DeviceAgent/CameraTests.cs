using Fleet.Contracts;
using Fleet.DeviceAgent.Sensing;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

public sealed class CameraTests
{
    [Test]
    public async Task Samples_ConsumerInTime_ComeAtTheirTimesAndNoneIsSkipped()
    {
        var clock = new CameraClock();
        var camera = new Camera(Numbers(5), Pace.Periodic(new Hertz(10), new Seconds(0.05)), clock);
        await using var samples = camera.Samples(CancellationToken.None).GetAsyncEnumerator();
        for (var k = 0; k < 5; k++)
        {
            Assert.That(await Next(samples, clock), Is.True);
            Assert.That(samples.Current.Index, Is.EqualTo(k));
            Assert.That(clock.Now.TotalSeconds, Is.EqualTo(0.05 + 0.1 * k).Within(1e-6));
        }
        Assert.That(await Next(samples, clock), Is.False);
        Assert.That(camera.Skipped, Is.Zero);
    }

    [Test]
    public async Task Samples_ConsumerLateWithinTheBacklog_AllComeAtOnce()
    {
        var clock = new CameraClock();
        var camera = new Camera(Numbers(100), Pace.Periodic(new Hertz(10)), clock);
        await using var samples = camera.Samples(CancellationToken.None).GetAsyncEnumerator();
        await Next(samples, clock);
        clock.Advance(TimeSpan.FromSeconds(0.85));
        for (var k = 1; k <= 8; k++) await Next(samples, clock);
        Assert.That(samples.Current.Index, Is.EqualTo(8));
        Assert.That(clock.Now.TotalSeconds, Is.EqualTo(0.85).Within(1e-6), "none was waited for");
        Assert.That(camera.Skipped, Is.Zero);
    }

    [Test]
    public async Task Samples_ConsumerTooLate_TheOldestAreSkippedAndCounted()
    {
        var clock = new CameraClock();
        var camera = new Camera(Numbers(1000), Pace.Periodic(new Hertz(10)), clock);
        await using var samples = camera.Samples(CancellationToken.None).GetAsyncEnumerator();
        await Next(samples, clock);
        // Sample k was due at k / 10 s; at 2.05 s those due at 1.25 s or later are young enough.
        clock.Advance(TimeSpan.FromSeconds(2.05));
        await Next(samples, clock);
        Assert.That(samples.Current.Index, Is.EqualTo(13));
        Assert.That(camera.Skipped, Is.EqualTo(12));
    }

    [Test]
    public async Task Samples_AfterSkipping_SampleKStillBelongsToArrivalK()
    {
        var clock = new CameraClock();
        var camera = new Camera(Numbers(1000), Pace.Periodic(new Hertz(10)), clock, backlogMax: 1);
        await using var samples = camera.Samples(CancellationToken.None).GetAsyncEnumerator();
        await Next(samples, clock);
        clock.Advance(TimeSpan.FromSeconds(5.01));
        do await Next(samples, clock);
        while (samples.Current.Index < 60);
        Assert.That(clock.Now.TotalSeconds, Is.EqualTo(6.0).Within(1e-6));
    }

    [Test]
    public async Task Samples_Cancelled_EndsWithOperationCanceled()
    {
        var clock = new CameraClock();
        using var stop = new CancellationTokenSource();
        await using var samples = new Camera(Numbers(5), Pace.Periodic(new Hertz(1), new Seconds(1)), clock).Samples(stop.Token).GetAsyncEnumerator(stop.Token);
        var next = samples.MoveNextAsync().AsTask();
        stop.Cancel();
        Assert.That(async () => await next, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Samples_WithoutPace_ComeAsTheSourceGivesThem()
    {
        var clock = new CameraClock();
        var indices = await new Camera(Numbers(3), null, clock).Samples(CancellationToken.None).Select(sample => sample.Index).ToListAsync();
        Assert.That(indices, Is.EqualTo(new[] { 0, 1, 2 }));
        Assert.That(clock.Now, Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void Poisson_ManyIntervals_HaveTheMeanAndTheSpreadOfAnExponential()
    {
        var pace = Pace.Poisson(new Hertz(50), new Random(1));
        var intervals = Enumerable.Range(0, 100_000).Select(_ => pace.Next().TotalSeconds).ToList();
        var mean = intervals.Average();
        var deviation = Math.Sqrt(intervals.Average(interval => (interval - mean) * (interval - mean)));
        // The standard error of the mean is 0.02 / sqrt(100,000) = 6.3e-5.
        Assert.That(mean, Is.EqualTo(0.02).Within(4 * 6.3e-5));
        Assert.That(deviation, Is.EqualTo(0.02).Within(2).Percent);
    }

    [Test]
    public void Poisson_SameSeed_GivesTheSameIntervals()
    {
        var (a, b) = (Pace.Poisson(new Hertz(3), new Random(7)), Pace.Poisson(new Hertz(3), new Random(7)));
        for (var k = 0; k < 100; k++) Assert.That(a.Next(), Is.EqualTo(b.Next()));
    }

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(double.NaN)]
    [TestCase(double.PositiveInfinity)]
    public void Periodic_RateOutOfRange_SaysWhatIsAllowed(double rate) =>
        Assert.That(() => Pace.Periodic(new Hertz(rate)), Throws.TypeOf<FaultsException>().With.Message.Contains("allowed: 0.000001 to 100000 Hz"));

    private static async IAsyncEnumerable<Sample> Numbers(int count)
    {
        await Task.CompletedTask;
        for (var i = 0; i < count; i++) yield return new Sample(i, i % 10, new byte[4]);
    }

    /// <summary>Asks for the next sample and moves the clock to whatever it waits for.</summary>
    private static async Task<bool> Next(IAsyncEnumerator<Sample> samples, CameraClock clock)
    {
        var next = samples.MoveNextAsync().AsTask();
        if (!next.IsCompleted) clock.AdvanceToNextTimer();
        return await next;
    }
}

/// <summary>A clock that stands until it is moved; timers fire on the mover's thread.</summary>
internal sealed class CameraClock : TimeProvider
{
    private readonly List<Timer> timers = [];

    public TimeSpan Now { get; private set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Now.Ticks;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + Now;

    public void Advance(TimeSpan time)
    {
        var until = Now + time;
        while (timers.Where(timer => timer.Due <= until).MinBy(timer => timer.Due) is { } next)
        {
            timers.Remove(next);
            Now = next.Due;
            next.Fire();
        }
        Now = until;
    }

    public void AdvanceToNextTimer() => Advance(timers.Min(timer => timer.Due) - Now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(CameraClock clock, Action fire) : ITimer
    {
        public TimeSpan Due { get; private set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            clock.timers.Remove(this);
            if (dueTime == Timeout.InfiniteTimeSpan) return true;
            Due = clock.Now + dueTime;
            clock.timers.Add(this);
            return true;
        }

        public void Dispose() => clock.timers.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
