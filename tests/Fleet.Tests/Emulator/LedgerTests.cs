using CsCheck;
using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Emulator;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

public sealed class LedgerTests
{
    private static readonly Answer Right = new(7, 1, 1, 0.9, AnsweredBy.Exit, 2, new Seconds(0.01), false, null!);

    [Test]
    public void Answered_InSteadyState_AllocatesNothing()
    {
        var ledger = new Ledger(new SimClock(), new Seconds(1));
        var device = ledger.Open("a", "pi-5");
        void Answer(int times)
        {
            for (var i = 0; i < times; i++)
            {
                ledger.Started(device);
                ledger.Answered(device, Right);
            }
        }
        Answer(1000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Answer(10_000);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(10_000), "less than a byte an inference");
        Assert.That((device.Started, device.Answered, device.Correct, ledger.Total.Answered), Is.EqualTo((11_000L, 11_000L, 11_000L, 11_000L)));
    }

    [Test]
    public void Answers_AtAnyTimes_CountInTheBinOfTheirTime() => Gen.Double[0, 99.9].Array[1, 50].Sample(times =>
    {
        var clock = new SimClock();
        var ledger = new Ledger(clock, new Seconds(10), binsMax: 10);
        var device = ledger.Open("a", "pi-5");
        foreach (var time in times.Order())
        {
            clock.Run(TimeSpan.FromSeconds(time));
            ledger.Started(device);
            ledger.Answered(device, Right);
        }
        for (var i = 0; i < 10; i++)
            if ((i < ledger.Bins.Count ? ledger.Bins[i].Answered : 0) != times.Count(time => (int)(TimeSpan.FromSeconds(time).Ticks / 100_000_000) == i)) return false;
        return ledger.Lost(0) == 0;
    });

    [Test]
    public void Answer_AfterTheLastBinsEnd_CountsInTheLast()
    {
        var clock = new SimClock();
        var ledger = new Ledger(clock, new Seconds(10), binsMax: 2);
        clock.Run(TimeSpan.FromSeconds(20));
        ledger.Answered(ledger.Open("a", "pi-5"), Right);
        Assert.That(ledger.Bins, Has.Count.EqualTo(2));
        Assert.That(ledger.Bins[1].Answered, Is.EqualTo(1));
    }

    /// <summary>A run that is watched must be the run that is not: to the last bit.</summary>
    [Test]
    public void Battery_PeekedAtAnyTimes_IsTheBatteryThatWasNot() => Gen.Select(Gen.Double[1, 50], Gen.Double[0, 0.5], Gen.Select(Gen.Double[0.01, 20], Gen.Double[0, 3], Gen.Bool).Array[1, 30]).Sample((capacity, idle, steps) =>
    {
        var (clock, watchedBooks, books) = (new SimClock(), new EnergyBooks(), new EnergyBooks());
        var charge = Charge.Ideal(new Joules(capacity));
        var (watched, alone) = (new Battery(clock, charge, new Watts(idle), watchedBooks), new Battery(clock, charge, new Watts(idle), books));
        var now = 0.0;
        foreach (var (wait, draw, looks) in steps)
        {
            now += wait;
            clock.Run(TimeSpan.FromSeconds(now));
            if (looks)
            {
                var peeked = new EnergyBooks();
                var stored = watched.Peek(peeked);
                if (Math.Abs(peeked.Unexplained(stored).Value) > 1e-9) return false;
                continue;
            }
            watched.Draw(EnergyUse.Compute, new Joules(draw));
            alone.Draw(EnergyUse.Compute, new Joules(draw));
            if (watched.Stored != alone.Stored || watched.IsEmpty != alone.IsEmpty) return false;
        }
        return watchedBooks.Used == books.Used;
    });
}
