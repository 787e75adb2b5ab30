using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

public sealed class WindowLogTests
{
    [TestCase(new[] { 0, 1, 2 }, new[] { true, true, true }, TestName = "in order")]
    [TestCase(new[] { 0, 1, 1, 0 }, new[] { true, true, false, false }, TestName = "each again")]
    [TestCase(new[] { 0, 3, 1, 2, 1, 3 }, new[] { true, true, true, true, false, false }, TestName = "overtaken, then again")]
    [TestCase(new[] { 7, 100, 50, 50, 36, 37 }, new[] { true, true, true, false, false, true }, TestName = "late by 64 and more cannot be told")]
    [TestCase(new[] { 0, 500, 499, 0 }, new[] { true, true, true, false }, TestName = "a long silence")]
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
    public void Take_ClockSetBack_StillCounts()
    {
        var log = new WindowLog();
        log.Take(Sent(5, at: 1000), out _);
        Assert.That(log.Take(Sent(6, at: 10), out var beganAnew), Is.True);
        Assert.That(beganAnew, Is.False);
    }

    private static InferWindow Sent(long sequence, double at) => Samples.InferWindow with { Sequence = sequence, SentAt = new Seconds(at) };
}
