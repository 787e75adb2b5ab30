using Fleet.Contracts;
using Fleet.Models.Timing;
using NUnit.Framework;

namespace Fleet.Tests.Models.Timing;

public sealed class InterleavedTimingTests
{
    private static readonly TimingPlan Plan = new(Rounds: 5, Block: new Seconds(0.004), WarmUp: new Seconds(0.01));

    [Test]
    public void Measure_WorksOfKnownTime_GivesTheTimeOfOneRun()
    {
        var clock = new WorkClock();
        var times = InterleavedTiming.Measure([() => clock.Work(0.001), () => clock.Work(0.0005)], Plan, clock, _ => { });
        Assert.That(times.Select(time => time.Median.Value), Is.EqualTo(new[] { 0.001, 0.0005 }).Within(1e-9));
        Assert.That(times[1].Over(times[0]).Median, Is.EqualTo(0.5).Within(1e-6));
    }

    /// <summary>The machine is ten times slower in every other round: times spread, ratios stay.</summary>
    [Test]
    public void Measure_MachineThatIsDisturbed_KeepsTheRatio()
    {
        var clock = new WorkClock();
        var slow = 1.0;
        void Round(double done) => slow = slow > 1 ? 1 : 10;
        var times = InterleavedTiming.Measure([() => clock.Work(0.001 * slow), () => clock.Work(0.002 * slow)], Plan, clock, Round);
        Assert.That(times[0].UpperQuartile / times[0].LowerQuartile, Is.EqualTo(10).Within(1e-6));
        var ratio = times[0].Over(times[1]);
        Assert.That(ratio, Is.EqualTo(new TimeRatio(ratio.Median, ratio.Median, ratio.Median)).Using<TimeRatio>((a, b) => Math.Abs(a.LowerQuartile - b.LowerQuartile) + Math.Abs(a.UpperQuartile - b.UpperQuartile) < 1e-6));
        Assert.That(ratio.Median, Is.EqualTo(0.5).Within(1e-6));
        Assert.That(ratio.IsFaster, Is.True);
        Assert.That(ratio.IsSlower, Is.False);
    }

    [Test]
    public void Measure_Rounds_RunForwardsAndBackwards()
    {
        var clock = new WorkClock();
        var order = new List<char>();
        var warm = true;
        Action Works(char name) => () =>
        {
            clock.Work(0.01);
            if (!warm) order.Add(name);
        };
        Action last = Works('c');
        InterleavedTiming.Measure([Works('a'), Works('b'), () => { last(); warm = false; }], Plan with { Rounds = 2 }, clock, _ => { });
        Assert.That(string.Concat(order), Is.EqualTo("abccba"));
    }

    [Test]
    public void Measure_Progress_EndsAtOne()
    {
        var clock = new WorkClock();
        var told = new List<double>();
        InterleavedTiming.Measure([() => clock.Work(0.001)], Plan, clock, told.Add);
        Assert.That(told, Is.EqualTo(new[] { 0.2, 0.4, 0.6, 0.8, 1.0 }).Within(1e-12));
    }

    [Test]
    public void Measure_Stopped_SaysSo()
    {
        var clock = new WorkClock();
        using var stop = new CancellationTokenSource();
        Assert.That(() => InterleavedTiming.Measure([() => clock.Work(0.001)], Plan, clock, _ => stop.Cancel(), stop.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void Over_OtherRounds_Throws() =>
        Assert.That(() => new RunTimes([new Seconds(1)]).Over(new RunTimes([new Seconds(1), new Seconds(1)])), Throws.ArgumentException);

    [TestCase(new[] { 1.0, 1.1, 1.2, 1.3 }, false, true)]
    [TestCase(new[] { 0.5, 0.9, 1.1, 1.2 }, false, false)]
    [TestCase(new[] { 0.5, 0.6, 0.7, 1.3 }, true, false)]
    public void Over_Ratios_CallFasterWhatThreeOfFourAgreeOn(double[] ratios, bool faster, bool slower)
    {
        var ratio = new RunTimes([.. ratios.Select(value => new Seconds(value))]).Over(new RunTimes([.. ratios.Select(_ => new Seconds(1))]));
        Assert.That((ratio.IsFaster, ratio.IsSlower), Is.EqualTo((faster, slower)));
    }
}
