using Fleet.Contracts;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

public sealed class TurnTests
{
    [Test]
    public void Wait_SeveralAtOnce_GetTheirTurnsInOrderAndOneAtATime()
    {
        var (clock, turn, told, inside) = (new SimClock(), new Turn(), new List<string>(), 0);
        async Task Take(string name)
        {
            await turn.Wait();
            Assert.That(++inside, Is.EqualTo(1));
            await clock.Delay(new Seconds(1));
            told.Add($"{name} {clock.GetUtcNow().Second}");
            inside--;
            turn.Release();
        }
        foreach (var name in (string[])["a", "b", "c"]) clock.Start(() => Take(name));
        clock.Run(TimeSpan.FromSeconds(10));
        Assert.That(told.Select(line => line[..1]), Is.EqualTo(new[] { "a", "b", "c" }));
        Assert.That(turn.IsTaken, Is.False);
    }

    [Test]
    public void Wait_NobodyElse_CompletesAtOnceAndTakesNoMemory()
    {
        var turn = new Turn();
        void Once()
        {
            if (!turn.Wait().AsTask().IsCompletedSuccessfully) throw new InvalidOperationException("nobody else wants it");
            turn.Release();
        }
        Once();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Once();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void Release_NobodysTurn_Throws() => Assert.That(() => new Turn().Release(), Throws.InvalidOperationException);
}
