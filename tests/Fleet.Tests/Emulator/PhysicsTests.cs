using CsCheck;
using Fleet.Contracts;
using Fleet.Emulator;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Radios;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

/// <summary>Closed forms beside the simulation.</summary>
public sealed class PhysicsTests
{
    private static readonly HardwareProfile Pi = ProfileFile.Read(Path.Combine(ProjectFiles.Find("hardware-profiles"), "pi-zero-2w.json"));

    [TestCase(100, 0.5, 0.0)]
    [TestCase(100, 0.5, 1.5)]
    [TestCase(20, 0.13, 0.02)]
    public void Battery_ConstantLoad_LastsCapacityOverPower(double capacity, double idle, double load)
    {
        var (clock, books) = (new SimClock(), new EnergyBooks());
        var battery = new Battery(clock, Charge.Ideal(new Joules(capacity)), new Watts(idle), books);
        var emptied = new List<double>();
        battery.Emptied += () => emptied.Add(clock.UnixTime().Value);
        const double Check = 0.25;
        clock.Start(async () =>
        {
            while (!battery.IsEmpty)
            {
                await clock.Delay(new Seconds(Check));
                battery.Draw(EnergyUse.Compute, new Joules(load * Check));
            }
        });
        clock.Run(TimeSpan.FromHours(1));
        Assert.That(emptied, Has.Count.EqualTo(1));
        Assert.That(emptied[0], Is.InRange(capacity / (idle + load) - 0.001, capacity / (idle + load) + Check + 0.001));
        Assert.That(books.Used.Value, Is.EqualTo(capacity).Within(1e-9));
        Assert.That(battery.Stored, Is.EqualTo(Joules.Zero));
    }

    [Test]
    public void Battery_AnyDraws_BooksClose() => Gen.Select(Gen.Double[0, 50], Gen.Double[0.01, 5], Gen.Select(Gen.Double[0, 30], Gen.Double[0, 10], Gen.Int[0, 3]).Array[0, 40]).Sample(
        (capacity, idle, draws) =>
        {
            var (clock, books, mains) = (new SimClock(), new EnergyBooks(), new EnergyBooks());
            var battery = new Battery(clock, Charge.Ideal(new Joules(capacity)), new Watts(idle), books);
            var plug = new Battery(clock, null, new Watts(idle), mains);
            clock.Start(async () =>
            {
                foreach (var (wait, joules, use) in draws)
                {
                    await clock.Delay(new Seconds(wait));
                    battery.Draw((EnergyUse)use, new Joules(joules));
                    plug.Draw((EnergyUse)use, new Joules(joules));
                }
            });
            clock.Run(TimeSpan.FromHours(1));
            battery.Settle();
            plug.Settle();
            Assert.That(books.Unexplained(battery.Stored).Value, Is.EqualTo(0).Within(1e-9));
            Assert.That(battery.Stored.Value, Is.InRange(0, capacity));
            Assert.That(mains.Harvested.Value, Is.EqualTo(mains.Used.Value).Within(1e-9));
            Assert.That(mains.Used.Value, Is.EqualTo(3600 * idle + draws.Sum(draw => draw.Item2)).Within(1e-6));
            Assert.That(plug.Stored, Is.EqualTo(Joules.Zero));
        },
        iter: 200, threads: 1);

    [Test]
    public void Board_ManyRuns_MeanIsNominalTimesSiliconAndEnergyIsPowerTimesTime()
    {
        const int Runs = 2000;
        var (clock, books) = (new SimClock(), new EnergyBooks());
        var battery = new Battery(clock, null, Watts.Zero, books);
        var board = new Board(Pi, battery, clock, new SeededRandom(1, "board"));
        var nominal = new Seconds(0.01);
        clock.Start(async () =>
        {
            for (var run = 0; run < Runs; run++) await board.Compute(nominal);
        });
        clock.Run(TimeSpan.FromHours(1));
        // The silicon is the board's first draw: exp(0.05 z); each run's factor exp(0.03 z) has mean exp(0.03^2 / 2).
        var silicon = Math.Exp(0.05 * new SeededRandom(1, "board").NextNormal());
        var spent = books.Compute / (Pi.Power.Active.Value - Pi.Power.Idle.Value);
        Assert.That(spent / nominal / Runs, Is.EqualTo(silicon * Math.Exp(0.00045)).Within(5 * 0.03 / Math.Sqrt(Runs)));
    }

    [Test]
    public void Board_TimeItGives_IsTheTimeThatPasses()
    {
        var clock = new SimClock();
        var board = new Board(Pi, new Battery(clock, null, Watts.Zero, new EnergyBooks()), clock, new SeededRandom(1, "board"));
        clock.Start(async () =>
        {
            var began = clock.GetTimestamp();
            var took = await board.Compute(new Seconds(0.004));
            Assert.That(clock.Since(began).Value, Is.EqualTo(took.Value).Within(1e-7));
        });
        clock.Run(TimeSpan.FromSeconds(1));
    }

    [Test]
    public void Board_ManyBoards_SiliconSpreadsByAFewPercentAroundOne()
    {
        var silicon = Enumerable.Range(0, 2000).Select(i => Math.Exp(0.05 * new SeededRandom(1, $"lab/pi-{i}/board").NextNormal())).ToList();
        Assert.That(silicon.Average(), Is.EqualTo(1).Within(0.01));
        Assert.That(silicon.Average(s => (s - 1) * (s - 1)), Is.EqualTo(0.0025).Within(0.0005));
    }

    [TestCase(10, 1.0)]
    [TestCase(1000, 0.5)]
    [TestCase(20_000, 0.2)]
    public void Radio_NoJitterNoLoss_LatencyIsAirTimePlusOneWay(int payload, double rate)
    {
        var world = new RadioWorld(new LinkModel { RoundTrip = new Seconds(0.02), Jitter = Seconds.Zero, Loss = 0, Rate = rate });
        var frame = Payload(payload);
        world.Say(RadioWorld.Offload, frame);
        world.Run(100);
        var onAir = Pi.OnAir(frame.EncodedBytes + RadioWorld.Offload.Path.Length + 8);
        var expected = onAir.Value / (Pi.Radio.Goodput.Value.Value * rate) + 0.01;
        Assert.That(world.Arrived.Single().At, Is.EqualTo(expected).Within(1.5e-7));
        Assert.That(world.Radio.Sent.Value, Is.EqualTo(onAir.Value).Within(1e-6));
        Assert.That(world.Energy.Transmit.Value, Is.EqualTo((onAir * Pi.Radio.TxPerByte.Value).Value).Within(1e-12));
    }

    [Test]
    public void Radio_TwoAtOnce_TheSecondWaitsForTheAir()
    {
        var world = new RadioWorld(new LinkModel { RoundTrip = Seconds.Zero, Jitter = Seconds.Zero, Loss = 0 });
        world.Say(RadioWorld.Offload, Payload(10_000));
        world.Say(RadioWorld.Offload, Payload(10_000));
        world.Run(100);
        Assert.That(world.Arrived[1].At, Is.EqualTo(2 * world.Arrived[0].At).Within(3e-7));
    }

    [Test]
    public void Radio_AnyJitterAndLoss_KeepsTheOrderAndLosesNothing() => Gen.Select(Gen.Double[0, 0.5], Gen.Double[0, 0.6], Gen.Select(Gen.Double[0, 0.05], Gen.Int[1, 4000]).Array[1, 40], Gen.Int[0, 1000]).Sample(
        (jitter, loss, messages, seed) =>
        {
            var world = new RadioWorld(new LinkModel { Jitter = new Seconds(jitter), Loss = loss }, seed);
            world.Clock.Start(async () =>
            {
                foreach (var ((pause, size), i) in messages.Select((message, i) => (message, i)))
                {
                    await world.Clock.Delay(new Seconds(pause));
                    world.Radio.Publish(RadioWorld.Offload, Payload(size) with { RequestId = (ulong)i });
                }
            });
            world.Run(10_000);
            Assert.That(world.Arrived.Select(arrived => arrived.Frame.RequestId), Is.EqualTo(Enumerable.Range(0, messages.Length).Select(i => (ulong)i)));
            Assert.That(world.Books.Unexplained(world.Radio.InFlight), Is.Zero);
            Assert.That(world.Energy.Transmit.Value, Is.EqualTo((world.Radio.Sent * Pi.Radio.TxPerByte.Value).Value).Within(1e-9));
        },
        iter: 60, threads: 1);

    [TestCase(0.1)]
    [TestCase(0.5)]
    public void Radio_LossP_SendsOneOverOneMinusPOnAverage(double loss)
    {
        const int Messages = 4000;
        var world = new RadioWorld(new LinkModel { Loss = loss });
        world.Clock.Start(async () =>
        {
            for (var i = 0; i < Messages; i++)
            {
                world.Radio.Publish(RadioWorld.Offload, Payload(100));
                await world.Clock.Delay(new Seconds(10));
            }
        });
        world.Run(Messages * 11);
        var once = Pi.OnAir(Payload(100).EncodedBytes + RadioWorld.Offload.Path.Length + 8).Value;
        // A geometric number of sends has variance p / (1 - p)^2.
        Assert.That(world.Radio.Sent.Value / once / Messages, Is.EqualTo(1 / (1 - loss)).Within(5 * Math.Sqrt(loss) / (1 - loss) / Math.Sqrt(Messages)));
    }

    [Test]
    public void Radio_WhatItIsTold_CostsReceivingAndComesAfterOneWay()
    {
        var world = new RadioWorld(new LinkModel { RoundTrip = new Seconds(0.02), Jitter = Seconds.Zero, Loss = 0 });
        var topic = new Topic(TopicKind.State, "lab", "other");
        var heard = new List<double>();
        world.Radio.Subscribe(topic.Path, (_, _) => heard.Add(world.Clock.Since(0).Value));
        world.Bus.Connect("other").Publish(topic, State.Ready);
        world.Run(10);
        var onAir = Pi.OnAir("ready".Length + topic.Path.Length + 8);
        Assert.That(heard.Single(), Is.EqualTo((onAir / Pi.Radio.Goodput.Value).Value + 0.01).Within(1.5e-7));
        Assert.That(world.Energy.Receive.Value, Is.EqualTo((onAir * Pi.Radio.RxPerByte.Value).Value).Within(1e-12));
    }

    [Test]
    public void Radio_MoreThanMayWait_LosesTheRestAndCountsIt()
    {
        var world = new RadioWorld(new LinkModel());
        for (var i = 0; i < 300; i++) world.Say(RadioWorld.Offload, Payload(10));
        world.Run(100);
        Assert.That(world.Arrived, Has.Count.EqualTo(256));
        Assert.That(world.Radio.Overflowed, Is.EqualTo(44));
        Assert.That(world.Radio.InFlight, Is.Zero);
        Assert.That(world.Books.Unexplained(inFlight: 0), Is.Zero);
    }

    [Test]
    public void Radio_LineIsDown_KeepsWhatMqttWouldKeepAndDropsData()
    {
        var world = new RadioWorld(new LinkModel());
        var reported = new Topic(TopicKind.Reported, "lab", "cam-1");
        var heard = new List<Message>();
        world.Bus.Connect("viewer").Subscribe(reported.Path, (_, message) => heard.Add(message));
        world.Line.Lose(TimeSpan.FromSeconds(5));
        world.Say(reported, TinyModel.Assign(1));
        world.Say(RadioWorld.Offload, Payload(10));
        world.Run(10);
        world.Line.Restore();
        world.Run(20);
        Assert.That(heard, Is.EqualTo((Message[])[TinyModel.Assign(1)]));
        Assert.That(world.Arrived, Is.Empty);
        Assert.That(world.Books.Unexplained(world.Radio.InFlight), Is.Zero);
    }

    private static TensorFrame Payload(int bytes) => TinyModel.Frame(1) with { Payload = new byte[bytes] };

    private sealed class RadioWorld
    {
        public static readonly Topic Offload = new(TopicKind.Offload, "lab", "edge-1");
        private readonly BusWorld world = new();

        public RadioWorld(LinkModel link, long seed = 1)
        {
            Line = world.Bus.Connect("cam-1");
            var board = new Board(Pi, new Battery(Clock, null, Watts.Zero, Energy), Clock, new SeededRandom(seed, "board"));
            Radio = new RadioBus(Line, new SimpleLink(link, board, Clock, new SeededRandom(seed, "radio")), board, Books);
            world.Bus.Connect("edge-1").Subscribe(Offload.Path, (_, message) => Arrived.Add((Clock.Since(0).Value, (TensorFrame)message)));
        }

        public SimClock Clock => world.Clock;

        public SimBus Bus => world.Bus;

        public MessageBooks Books => world.Books;

        public EnergyBooks Energy { get; } = new();

        public SimBus.Connection Line { get; }

        public RadioBus Radio { get; }

        public List<(double At, TensorFrame Frame)> Arrived { get; } = [];

        public void Run(double untilSeconds) => world.Run(untilSeconds);

        /// <summary>As a process on the clock would.</summary>
        public void Say(Topic topic, Message message) => Clock.Soon(() => Radio.Publish(topic, message));
    }
}
