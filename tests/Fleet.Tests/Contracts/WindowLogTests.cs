using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

public sealed class WindowLogTests
{
    [TestCase(new[] { 0, 1, 2 }, new[] { true, true, true }, TestName = "in order")]
    [TestCase(new[] { 0, 1, 1, 0 }, new[] { true, true, false, false }, TestName = "each again")]
    [TestCase(new[] { 0, 3, 1, 2, 1, 3 }, new[] { true, true, true, true, false, false }, TestName = "overtaken, then again")]
    [TestCase(new[] { 7, 100, 50, 50, 37, 37 }, new[] { true, true, true, false, true, false }, TestName = "late by up to 63")]
    [TestCase(new[] { 0, 500, 499, 499 }, new[] { true, true, true, false }, TestName = "a long silence")]
    public void Take_OneLife_CountsEachWindowOnce(int[] sequences, bool[] isNew)
    {
        var log = new WindowLog();
        Assert.That(sequences.Select(sequence => log.Take(Sent(sequence, sequence), out _)), Is.EqualTo(isNew));
    }

    [Test]
    public void Take_NumbersBeginAgainLater_IsAnotherLife()
    {
        var log = new WindowLog();
        for (var sequence = 0; sequence < 10; sequence++) log.Take(Sent(sequence, sequence), out _);
        Assert.That(log.Take(Sent(0, at: 20), out var beganAnew), Is.True);
        Assert.That(beganAnew, Is.True);
        Assert.That(log.Take(Sent(0, at: 20), out beganAnew), Is.False);
        Assert.That(log.Take(Sent(1, at: 21), out beganAnew), Is.True);
        Assert.That(beganAnew, Is.False);
    }

    [Test]
    public void Take_RebootWithAnOlderClock_IsAnotherLife()
    {
        var log = new WindowLog();
        for (var sequence = 0; sequence < 100; sequence++) log.Take(Sent(sequence, 1000 + sequence), out _);
        Assert.That(log.Take(Sent(0, at: 10), out var beganAnew), Is.True);
        Assert.That(beganAnew, Is.True);
        Assert.That(log.Take(Sent(1, at: 11), out beganAnew), Is.True);
        Assert.That(beganAnew, Is.False);
        Assert.That(log.Take(Sent(1, at: 11), out beganAnew), Is.False);
    }

    [Test]
    public void Take_AnEarlierLifesWindowOvertaken_LeavesThisLifeAsItIs()
    {
        var log = new WindowLog();
        for (var sequence = 0; sequence < 100; sequence++) log.Take(Sent(sequence, sequence), out _);
        log.Take(Sent(0, at: 101), out _);
        Assert.That(log.Take(Sent(100, at: 99), out _), Is.False);
        Assert.That(log.Take(Sent(1, at: 102), out var beganAnew), Is.True);
        Assert.That(beganAnew, Is.False);
        Assert.That(log.Take(Sent(0, at: 101), out _), Is.False);
    }

    [Test]
    public void Take_ClockSetBack_StillCounts()
    {
        var log = new WindowLog();
        log.Take(Sent(5, at: 1000), out _);
        Assert.That(log.Take(Sent(6, at: 10), out var beganAnew), Is.True);
        Assert.That(beganAnew, Is.False);
    }

    private static InferWindow Sent(long sequence, double at) => Samples.InferWindow with { Sequence = sequence, SentAt = new Seconds(at) };
}
