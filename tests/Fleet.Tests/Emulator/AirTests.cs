using Fleet.Contracts;
using Fleet.Emulator.Radios;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

/// <summary>Shared air against closed forms.</summary>
public sealed class AirTests
{
    /// <summary>Spreading factor, bytes of the physical payload, milliseconds on the air: published check values for EU868 at 125 kHz.</summary>
    private static readonly (int Spreading, int Bytes, double Milliseconds)[] Rows =
    [
        (7, 14, 46.336), (7, 23, 61.696), (7, 33, 71.936), (7, 64, 118.016), (7, 128, 215.296), (7, 235, 368.896), (7, 255, 399.616),
        (8, 14, 82.432), (8, 23, 113.152), (8, 33, 133.632), (8, 64, 215.552), (8, 128, 379.392), (8, 235, 655.872), (8, 255, 707.072),
        (9, 14, 164.864), (9, 23, 205.824), (9, 33, 246.784), (9, 64, 390.144), (9, 128, 676.864),
        (10, 14, 288.768), (10, 23, 370.688), (10, 33, 452.608), (10, 64, 698.368),
        (11, 14, 659.456), (11, 23, 823.296), (11, 33, 987.136), (11, 64, 1560.576),
        (12, 14, 1155.072), (12, 23, 1482.752), (12, 33, 1810.432), (12, 64, 2793.472),
    ];

    [Test]
    public void AirTime_PublishedRows_AreMetToTheMicrosecond()
    {
        foreach (var (spreading, bytes, milliseconds) in Rows)
            Assert.That(AirTime.Of(spreading, bytes).Value * 1e3, Is.EqualTo(milliseconds).Within(1e-9), $"SF {spreading}, {bytes} B");
    }

    [TestCase(0.01)]
    [TestCase(0.001)]
    [TestCase(0.1)]
    public void DutyCycle_AfterAFrame_WaitsToATimesOneOverDutyLessOne(double duty)
    {
        var cycle = new DutyCycle(duty);
        var airTime = AirTime.Of(7, 64);
        cycle.Sent(new Seconds(5), airTime);
        Assert.That((cycle.FreeAt - (new Seconds(5) + airTime)).Value, Is.EqualTo(airTime.Value * (1 / duty - 1)).Within(1e-9));
    }

    /// <summary>Pure ALOHA (Abramson, 1970): of an offered load G, G exp(-2 G) gets through.</summary>
    [TestCase(0.1)]
    [TestCase(0.3)]
    [TestCase(0.5)]
    public void Gateway_WithoutCapture_ThroughputIsAlohas(double load)
    {
        const int Frames = 40_000;
        var clock = new SimClock();
        var gateway = new LoraGateway(clock, capture: double.PositiveInfinity);
        var random = new SeededRandom(1, "aloha");
        var airTime = AirTime.Of(7, 64);
        var heard = 0;
        async Task Send()
        {
            if (await gateway.Hear((0, 0, 7), power: -80, airTime)) heard++;
        }
        clock.Start(async () =>
        {
            for (var frame = 0; frame < Frames; frame++)
            {
                await clock.Delay(airTime / load * -Math.Log(1 - random.NextDouble()));
                clock.Start(Send);
            }
        });
        clock.Run(TimeSpan.FromDays(30));
        Assert.That(gateway.FramesSent, Is.EqualTo(Frames));
        Assert.That(gateway.FramesCollided + gateway.FramesUnheard + heard, Is.EqualTo(Frames));
        // Neighbouring frames share their fate: twice the binomial deviation, five of them.
        Assert.That(load * heard / Frames, Is.EqualTo(load * LoraLink.Success(load)).Within(load * 5 * 2 * 0.5 / Math.Sqrt(Frames)));
    }

    [TestCase(6.5, true, false)]
    [TestCase(5.5, false, false)]
    [TestCase(-6.5, false, true)]
    public void Gateway_TwoOverlap_TheStrongerIsCapturedFromSixDecibelsOn(double first, bool firstHeard, bool secondHeard)
    {
        var clock = new SimClock();
        var gateway = new LoraGateway(clock);
        var heard = new bool?[2];
        clock.Start(async () => heard[0] = await gateway.Hear((0, 1, 9), -100 + first, AirTime.Of(9, 30)));
        clock.Start(async () =>
        {
            await clock.Delay(new Seconds(0.1));
            heard[1] = await gateway.Hear((0, 1, 9), -100, AirTime.Of(9, 30));
        });
        clock.Run(TimeSpan.FromSeconds(10));
        Assert.That(heard, Is.EqualTo(new bool?[] { firstHeard, secondHeard }));
    }

    [Test]
    public void Gateway_OtherChannelOrSpreadingOrWeak_DoesNotDisturbAndIsNotHeard()
    {
        var clock = new SimClock();
        var gateway = new LoraGateway(clock);
        var heard = new List<bool>();
        clock.Start(async () => heard.Add(await gateway.Hear((0, 0, 7), -100, AirTime.Of(7, 30))));
        clock.Start(async () => heard.Add(await gateway.Hear((0, 1, 7), -100, AirTime.Of(7, 30))));
        clock.Start(async () => heard.Add(await gateway.Hear((0, 0, 8), -100, AirTime.Of(8, 30))));
        clock.Start(async () => heard.Add(await gateway.Hear((0, 2, 12), LoraLink.Sensitivity(12) - 0.1, AirTime.Of(12, 30))));
        clock.Run(TimeSpan.FromSeconds(10));
        Assert.That(heard, Is.EqualTo(new[] { true, true, true, false }));
        Assert.That(gateway.FramesUnheard, Is.EqualTo(1));
    }

    [Test]
    public void Gateway_WhileItAnswers_IsDeafAndKeepsItsDutyCycle()
    {
        var clock = new SimClock();
        var gateway = new LoraGateway(clock);
        bool? heard = null;
        clock.Start(async () =>
        {
            Assert.That(gateway.Answer(0, 7, 10, clock.Since(0))!.Value.End.Value, Is.EqualTo(1 + AirTime.Of(7, 23).Value).Within(1e-9));
            Assert.That(gateway.Answer(0, 7, 10, clock.Since(0))!.Value.End.Value, Is.EqualTo(2 + AirTime.Of(12, 23).Value).Within(1e-9), "the first window's sub-band must rest: the second");
            Assert.That(gateway.Answer(0, 7, 10, clock.Since(0)), Is.Null, "both must");
            await clock.Delay(new Seconds(0.99));
            heard = await gateway.Hear((0, 0, 7), -80, AirTime.Of(7, 23));
        });
        clock.Run(TimeSpan.FromSeconds(10));
        Assert.That(heard, Is.False, "it began to answer in the middle of the frame");
    }

    /// <summary>Pollaczek and Khinchine for constant service: mean wait = rho T / (2 (1 - rho)).</summary>
    [TestCase(0.3)]
    [TestCase(0.8)]
    public void Line_PoissonBursts_WaitIsThatOfMD1(double load)
    {
        const int Bursts = 200_000;
        var (service, waits) = (new Seconds(0.01), 0.0);
        var clock = new SimClock();
        var line = new Line(clock);
        var random = new SeededRandom(1, "line");
        async Task Send()
        {
            var asked = clock.GetTimestamp();
            await line.Carry(service, attempt: 0);
            waits += (clock.Since(asked) - service).Value;
        }
        clock.Start(async () =>
        {
            for (var burst = 0; burst < Bursts; burst++)
            {
                await clock.Delay(service / load * -Math.Log(1 - random.NextDouble()));
                clock.Start(Send);
            }
        });
        clock.Run(TimeSpan.FromDays(1));
        var mean = load * service.Value / (2 * (1 - load));
        Assert.That(waits / Bursts, Is.EqualTo(mean).Within(5).Percent);
    }

    /// <summary>
    /// Bianchi, "Performance analysis of the IEEE 802.11 distributed coordination function", JSAC 18, 2000: of n stations that always have something to send each
    /// sends in a slot with tau = 2 (1 - 2p) / ((1 - 2p)(W + 1) + p W (1 - (2p)^m)), and collides with p = 1 - (1 - tau)^(n - 1); W = 16, m = 6.
    /// </summary>
    [TestCase(2)]
    [TestCase(5)]
    [TestCase(20)]
    public void WifiCell_SaturatedStations_CollideAsBianchiSays(int stations)
    {
        var clock = new SimClock();
        var cell = new WifiCell(clock, new SeededRandom(1, "cell"));
        for (var station = 0; station < stations; station++)
            clock.Start(async () =>
            {
                for (var attempt = 0; ;) attempt = await cell.Carry(new Seconds(1e-3), attempt) ? 0 : attempt + 1;
            });
        clock.Run(TimeSpan.FromSeconds(60));
        var p = 0.0;
        for (var round = 0; round < 2000; round++)
        {
            var tau = 2 * (1 - 2 * p) / ((1 - 2 * p) * 17 + p * 16 * (1 - Math.Pow(2 * p, 6)));
            p = 0.9 * p + 0.1 * (1 - Math.Pow(1 - tau, stations - 1));
        }
        Assert.That((double)cell.Collided / cell.Sent, Is.EqualTo(p).Within(0.03), $"Bianchi: {p:F3}");
    }

    [Test]
    public void WifiCell_Alone_SendsAtOnceAndNeverCollides()
    {
        var clock = new SimClock();
        var cell = new WifiCell(clock, new SeededRandom(1, "cell"));
        clock.Start(async () =>
        {
            for (var burst = 0; burst < 100; burst++)
            {
                var began = clock.GetTimestamp();
                Assert.That(await cell.Carry(new Seconds(5e-4), 0));
                Assert.That(clock.Since(began).Value, Is.EqualTo(5e-4).Within(10e-6), "up to the next slot's begin");
                await clock.Delay(new Seconds(0.01));
            }
        });
        clock.Run(TimeSpan.FromSeconds(10));
        Assert.That(cell.Sent, Is.EqualTo(100));
        Assert.That(cell.Collided, Is.Zero);
    }

    [Test]
    public void UnslottedCsma_AloneAndCrowded_BacksOffAndCollides()
    {
        var (quiet, crowded) = (Crowd(stations: 1), Crowd(stations: 30));
        Assert.That(quiet.Collided + quiet.Refused, Is.Zero);
        Assert.That(quiet.Sent, Is.EqualTo(200));
        Assert.That(crowded.Collided, Is.GreaterThan(crowded.Sent / 20));
        Assert.That(crowded.Refused, Is.GreaterThan(0));
        Assert.That(crowded.Sent + crowded.Refused, Is.EqualTo(30 * 200));
    }

    private static UnslottedCsma Crowd(int stations)
    {
        var clock = new SimClock();
        var medium = new UnslottedCsma(clock, new SeededRandom(1, "csma"));
        for (var station = 0; station < stations; station++)
        {
            var random = new SeededRandom(station, "station");
            clock.Start(async () =>
            {
                for (var burst = 0; burst < 200; burst++)
                {
                    await clock.Delay(new Seconds(0.05 * random.NextDouble()));
                    await medium.Carry(new Seconds(4e-3), 0);
                }
            });
        }
        clock.Run(TimeSpan.FromMinutes(10));
        return medium;
    }
}
