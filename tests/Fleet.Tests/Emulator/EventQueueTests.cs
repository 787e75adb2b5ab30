using CsCheck;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

public sealed class EventQueueTests
{
    /// <summary>Whatever comes and goes in between, items leave in the order (due, sequence).</summary>
    [Test]
    public void RemoveFirst_AnyTraffic_IsTheOrderOfASortedList() => Gen.Select(Gen.Int[0, 40], Gen.Bool).Array[1, 300].Sample(
        steps =>
        {
            var (queue, sorted) = (new EventQueue<string>(), new SortedSet<(long Due, long Sequence)>());
            foreach (var ((due, takes), i) in steps.Select((step, i) => (step, i)))
            {
                queue.Add($"{due}/{i}", due, i);
                sorted.Add((due, i));
                if (!takes) continue;
                Assert.That(queue.TryPeek(out var item, out var first, out var sequence), Is.True);
                Assert.That((item, first, sequence), Is.EqualTo(($"{sorted.Min.Due}/{sorted.Min.Sequence}", sorted.Min.Due, sorted.Min.Sequence)));
                queue.RemoveFirst();
                sorted.Remove(sorted.Min);
            }
            Assert.That(queue.Count, Is.EqualTo(sorted.Count));
        },
        iter: 200, threads: 1);

    [Test]
    public void RemoveFirst_OfNothing_Throws()
    {
        var queue = new EventQueue<string>();
        Assert.That(queue.TryPeek(out _, out _, out _), Is.False);
        Assert.That(queue.RemoveFirst, Throws.InvalidOperationException);
    }
}
