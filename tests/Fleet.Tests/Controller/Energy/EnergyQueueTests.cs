using CsCheck;
using Fleet.Contracts;
using Fleet.Controller.Energy;
using Fleet.DeviceAgent;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.Controller.Energy;

public sealed class EnergyQueueTests
{
    private static readonly EnergyOptions Options = new() { Horizon = new Seconds(86_400) };

    [Test]
    public void Hear_ADayOfSun_AveragesIt()
    {
        var queue = new EnergyQueue(Options);
        for (var hour = 0; hour <= 72; hour++) queue.Hear(Report(hour * 3600, charge: 500, harvest: hour % 24 is >= 8 and < 16 ? 0.03 : 0));
        Assert.That(queue.MeanHarvest.Value, Is.EqualTo(0.01).Within(0.003), "eight hours of 30 mW");
        var allowed = queue.MayDraw(new Watts(0.001))!.Value;
        Assert.That(allowed, Is.EqualTo(queue.MeanHarvest - new Watts(0.001) + (new Joules(500) - queue.Reserve) / Options.Horizon));
        Assert.That(queue.Reserve, Is.EqualTo(new Watts(0.001) * Options.Dark));
    }

    [Test]
    public void Backlog_GrowsWithWhatIsDrawnBeyondTheBand_AndIsServedByTheSun()
    {
        var queue = new EnergyQueue(Options);
        Joules After(double at, double charge)
        {
            queue.Hear(Report(at, charge));
            queue.MayDraw(new Watts(0.001));
            queue.Plan(new Joules(0.01));
            return queue.Backlog;
        }
        Assert.That(After(0, 900).Value, Is.Zero);
        var top = queue.Reserve + queue.Band;
        Assert.That(After(600, top.Value - 5).Value, Is.EqualTo(5).Within(1e-9));
        Assert.That(After(1200, top.Value - 8).Value, Is.EqualTo(8).Within(1e-9));
        Assert.That(After(1800, top.Value + 1).Value, Is.Zero);
    }

    /// <summary>Whatever is asked and however the sun shines, the mean draw is within harvest and battery over the horizon, and the battery is never empty.</summary>
    [Test]
    public void Queue_AnySun_MeanDrawIsWithinHarvestAndBattery() =>
        Gen.Select(Gen.Double[0.004, 0.03].Array[15], Gen.Double[0.05, 1], Gen.Double[150, 500]).Sample((noons, rate, charged) =>
        {
            const double Step = 600, Standing = 0.001, Each = 0.01, Capacity = 1000;
            var (queue, duty) = (new EnergyQueue(Options), new EnergyDuty());
            var (charge, drawn, harvested, horizon) = (charged, 0.0, 0.0, noons.Length * 86_400.0);
            for (var at = 0.0; at < horizon; at += Step)
            {
                var sun = at % 86_400 < 8 * 3600 ? noons[(int)(at / 86_400)] : 0;
                queue.Hear(Report(at, charge, sun) with { RequestRate = new Hertz(rate) });
                queue.MayDraw(new Watts(Standing));
                queue.Plan(new Joules(Each));
                duty.Look(new Joules(charge), TinyModel.Assign(1) with { ChargeReserve = queue.Reserve, ChargeBand = queue.Band });
                var draw = Standing * Step + Enumerable.Range(0, (int)(rate * Step)).Count(_ => duty.Takes()) * Each;
                harvested += sun * Step;
                drawn += draw;
                charge = Math.Min(Capacity, charge + sun * Step - draw);
                Assert.That(charge, Is.GreaterThan(0), $"dark at {at} s");
            }
            Assert.That(drawn / horizon, Is.LessThanOrEqualTo((harvested + charged) / horizon));
        }, iter: 30);

    [Test]
    public void MayDraw_NoBattery_SaysNothing()
    {
        var queue = new EnergyQueue(Options);
        queue.Hear(new Budget { Sequence = 1, SentAt = Seconds.Zero, ReportPeriod = new Seconds(5) });
        Assert.That(queue.MayDraw(new Watts(1)), Is.Null);
    }

    /// <summary>Whatever the charge does, the share that is taken is what the bounds say, up to one input.</summary>
    [Test]
    public void Duty_AnyCharge_TakesTheShareEvenly() =>
        Gen.Select(Gen.Double[0, 200], Gen.Double[0, 100], Gen.Double[1, 100]).Sample((charge, reserve, band) =>
        {
            var duty = new EnergyDuty();
            duty.Look(new Joules(charge), TinyModel.Assign(1) with { ChargeReserve = new Joules(reserve), ChargeBand = new Joules(band) });
            var taken = Enumerable.Range(0, 1000).Count(_ => duty.Takes());
            Assert.That(taken, Is.EqualTo(1000 * Math.Clamp((charge - reserve) / band, 0, 1)).Within(1));
            Assert.That(duty.Spared, Is.EqualTo(1000 - taken));
        });

    [Test]
    public void Duty_NoBatteryOrNoBounds_TakesEverything()
    {
        var duty = new EnergyDuty();
        duty.Look(null, TinyModel.Assign(1) with { ChargeReserve = new Joules(10), ChargeBand = new Joules(1) });
        Assert.That(Enumerable.Range(0, 10).All(_ => duty.Takes()));
        duty.Look(new Joules(1), TinyModel.Assign(1));
        Assert.That(Enumerable.Range(0, 10).All(_ => duty.Takes()));
    }

    private static Budget Report(double at, double charge, double harvest = 0) => new()
    {
        Sequence = 1,
        SentAt = new Seconds(at),
        ReportPeriod = new Seconds(600),
        Battery = new Joules(charge),
        BatteryRatio = charge / 1000,
        Harvest = new Watts(harvest),
        RequestRate = new Hertz(0.5),
    };
}
