using Fleet.Contracts;
using Fleet.Emulator;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Radios;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;
using Fleet.Tests.Controller;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

/// <summary>Each kind of radio by itself, and whole sites on them.</summary>
public sealed class RadioKindTests
{
    /// <summary>The published measurement is 200 B up and 200 B down from power-saving mode: 547 mJ (LTE-M) and 274 mJ (NB-IoT).</summary>
    [TestCase("lte-m-nrf9160", 0.547)]
    [TestCase("nb-iot-nrf9160", 0.274)]
    public void Cellular_OneExchangeFromSleep_CostsWhatWasMeasured(string part, double joules)
    {
        var world = new RadioWorld(new RadioSpec { Part = part, Jitter = Seconds.Zero });
        world.Clock.Start(async () =>
        {
            Assert.That(await world.Up(200, Delivery.AtMostOnce));
            Assert.That(await world.Radio.Down(200));
        });
        world.Run(100);
        Assert.That(world.Energy.Used.Value, Is.EqualTo(joules).Within(1).Percent);
    }

    [Test]
    public void Cellular_Asleep_IsToldWhenItHasWoken()
    {
        var world = new RadioWorld(new RadioSpec { Part = "lte-m-nrf9160" });
        var told = double.NaN;
        world.Clock.Start(async () =>
        {
            await world.Radio.Down(100);
            told = world.Clock.Since(0).Value;
        });
        world.Run(60);
        Assert.That(told, Is.NaN);
        world.Clock.Start(async () => await world.Up(100, Delivery.AtMostOnce));
        world.Run(70);
        Assert.That(told, Is.InRange(60.8, 62));
    }

    [Test]
    public void Cellular_ToldSomething_StaysConnectedForATailFromThenOn()
    {
        var world = new RadioWorld(new RadioSpec { Part = "lte-m-nrf9160", Jitter = Seconds.Zero });
        List<double> told = [];
        world.Clock.Start(async () =>
        {
            await world.Up(100, Delivery.AtMostOnce);
            foreach (var pause in (double[])[15, 15])
            {
                await world.Clock.Delay(new Seconds(pause));
                if (await world.Radio.Down(100)) told.Add(world.Clock.Since(0).Value);
            }
        });
        world.Run(60);
        Assert.That(told, Is.EqualTo(new[] { 15.9, 30.9 }).Within(0.2), "the second comes 30 s after the uplink, and 15 s after the first; the tail is 22 s");
        Assert.That(world.Energy.Receive.Value, Is.EqualTo(200 * 0.000468 + 0.36 * (15.0 + 15) / 22).Within(3).Percent);
    }

    [Test]
    public void Lora_MessageOfTwoFrames_WaitsItsDutyCycleBetween()
    {
        var world = new RadioWorld(Lora(spreading: 7));
        var arrived = double.NaN;
        world.Clock.Start(async () =>
        {
            Assert.That(await world.Up(400, Delivery.AtMostOnce));
            arrived = world.Clock.Since(0).Value;
        });
        world.Run(100);
        // 239 bytes and a fragment's header fill the first frame of 242; the rest is 161 and a header.
        var (first, second) = (AirTime.Of(7, 242 + 13).Value, AirTime.Of(7, 161 + 3 + 13).Value);
        Assert.That(arrived, Is.EqualTo(first / 0.01 + second).Within(1e-6));
        Assert.That(world.Energy.Transmit.Value, Is.EqualTo(0.1485 * (first + second)).Within(1e-9));
    }

    [Test]
    public void Lora_MessageTooLong_IsRefusedWhenTheScenarioSaysSo()
    {
        var spec = Lora(spreading: 12);
        var world = new RadioWorld(spec with { Lora = spec.Lora! with { Oversize = Oversize.Refuse } });
        var outcomes = new List<bool>();
        world.Clock.Start(async () => outcomes.Add(await world.Up(52, Delivery.AtMostOnce)));
        world.Clock.Start(async () => outcomes.Add(await world.Up(51, Delivery.AtMostOnce)));
        world.Run(10);
        Assert.That(outcomes, Is.EqualTo(new[] { false, true }));
        Assert.That(world.Airspace.Gateways["gateway"].MessagesRefused, Is.EqualTo(1));
    }

    [Test]
    public void Lora_ClassA_IsToldAfterItHasSpokenAndPollsForTheRest()
    {
        // In the sub-band of 10 % the gateway may answer again soon; in the others it would have to rest first.
        var spec = Lora(spreading: 7);
        var world = new RadioWorld(spec with { Lora = spec.Lora! with { SubBands = ["869.4-869.65"] } });
        var told = new List<double>();
        for (var message = 0; message < 2; message++)
            world.Clock.Start(async () =>
            {
                Assert.That(await world.Radio.Down(100));
                told.Add(world.Clock.Since(0).Value);
            });
        world.Run(50);
        Assert.That(told, Is.Empty);
        world.Clock.Start(async () => await world.Up(10, Delivery.AtMostOnce));
        world.Run(200);
        var (up, down) = (AirTime.Of(7, 23).Value, AirTime.Of(7, 113).Value);
        Assert.That(told[0], Is.EqualTo(50 + up + 1 + down).Within(1e-6));
        Assert.That(told[1], Is.InRange(told[0] + 2, told[0] + 10), "an empty uplink opens the windows for it");
    }

    [Test]
    public void RadioBus_SlowRadio_SendsTheNewestReportOnly() =>
        SendsTheNewestOnly(TopicKind.Infer, [.. Enumerable.Range(0, 20).Select(i => new InferWindow { Sequence = i, SentAt = Seconds.Zero, Window = new Seconds(5), Count = 0 })]);

    [Test]
    public void RadioBus_SlowRadio_OfWhatIsRetainedSendsTheNewestOnly() =>
        SendsTheNewestOnly(TopicKind.Info, [.. Enumerable.Range(0, 20).Select(i => FleetBuilder.Info("pi-5") with { Seed = i })]);

    private static void SendsTheNewestOnly(TopicKind kind, IReadOnlyList<Message> messages)
    {
        var topic = new Topic(kind, "lab", "cam-1");
        var world = new RadioWorld(Lora(spreading: 7));
        var bus = new BusWorld();
        var books = new MessageBooks();
        var heard = new List<Message>();
        bus.Bus.Connect("viewer").Subscribe(topic.Path, (_, message) => heard.Add(message));
        var radio = new RadioBus(bus.Bus.Connect("cam-1"), world.Radio, world.Board, books);
        world.Clock.Start(async () =>
        {
            foreach (var message in messages)
            {
                radio.Publish(topic, message);
                await world.Clock.Delay(new Seconds(5));
            }
        });
        world.Run(1000);
        bus.Run(1);
        Assert.That(books.Unexplained(radio.InFlight), Is.Zero);
        Assert.That(books.SupersededTotal, Is.GreaterThan(10));
        Assert.That(books.DroppedTotal, Is.Zero, "what is out of date is not lost");
        Assert.That(heard[^1], Is.EqualTo(messages[^1]));
    }

    [Test]
    public void Lora_OutOfReach_IsNeverHeardAndGivesUp()
    {
        var spec = Lora(spreading: 7);
        var world = new RadioWorld(spec with { Lora = spec.Lora! with { DistanceMin = 50_000, DistanceMax = 50_000 } });
        bool? arrived = null;
        world.Clock.Start(async () => arrived = await world.Up(20, Delivery.AtLeastOnce));
        world.Run(1000);
        Assert.That(arrived, Is.False);
        Assert.That(world.Airspace.Gateways["gateway"].FramesUnheard, Is.EqualTo(8), "a confirmed frame is tried eight times");
    }

    [TestCase("wifi-esp32")]
    [TestCase("ethernet-pi")]
    [TestCase("ble-nrf52840")]
    [TestCase("ieee802154-nrf52840")]
    public void Cell_OneDeviceNoLoss_MessagesArriveInOrderAndCostTheirBytes(string part)
    {
        var world = new RadioWorld(new RadioSpec { Part = part, Loss = new LossSpec { Good = 0, Bad = 0 } });
        var arrived = new List<int>();
        for (var message = 0; message < 20; message++)
        {
            var number = message;
            world.Clock.Start(async () =>
            {
                if (await world.Up(100 + 50 * number, Delivery.AtMostOnce)) arrived.Add(number);
            });
        }
        world.Run(100);
        Assert.That(arrived, Is.EqualTo(Enumerable.Range(0, 20)));
        var known = World.Stock.Radios.Find(part)!;
        Assert.That(world.Energy.Transmit.Value, Is.EqualTo((world.Radio.Sent * known.Link!.TxPerByte.Value).Value + known.AssociationEnergy.Value.Value).Within(1e-9));
    }

    [TestCase("wifi-cell", 12)]
    [TestCase("lora-field", 21_600)]
    public void Scenario_OnSharedAir_BooksCloseAndTheSeedGivesTheHash(string name, double seconds)
    {
        var scenario = World.Read(name) with { Duration = new Seconds(seconds) };
        var run = ScenarioRun.Execute(scenario, 1, World.Stock);
        run.CheckBooks();
        var result = run.Result();
        Assert.That(result.Figures.Lost, Is.Zero);
        Assert.That(result.Figures.Inferences, Is.GreaterThan(500));
        Assert.That(result.Radio.Values.Sum(), Is.GreaterThan(100));
        Assert.That(result.Figures.Malformed, Is.Zero);
        Assert.That(ScenarioRun.Execute(scenario, 1, World.Stock, throughWire: true).Result().TraceHash, Is.EqualTo(result.TraceHash), "through the wire");
        Assert.That(ScenarioRun.Execute(scenario, 2, World.Stock).Result().TraceHash, Is.Not.EqualTo(result.TraceHash), "another seed");
    }

    /// <summary>What a device says of itself, or is told, is lost now and then on shared air; and a device that nobody tells anything must not fill it.</summary>
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public void LoraField_ADay_EveryDeviceThatHearsTheGatewayRunsSomething(int seed)
    {
        var scenario = World.Read("lora-field") with { Duration = new Seconds(86_400) };
        var run = ScenarioRun.Execute(scenario, seed, World.Stock);
        run.CheckBooks();
        var (site, radio) = (scenario.Sites[0], scenario.Sites[0].Devices[0].Radio!);
        var hearing = SiteWorld.Names(site).Count(device =>
        {
            var power = radio.Lora!.PowerAtGateway(World.Stock.Radios.Find(radio.Part)!.Lora!, new SeededRandom(seed, $"{site.Name}/{device.Id}/place"));
            return LoraSpec.HearsGateway(power, LoraLink.SpreadingFor(power));
        });
        Assert.That(hearing, Is.GreaterThanOrEqualTo(29));
        Assert.That(run.Result().Figures.DevicesOnline, Is.EqualTo(hearing));
    }

    [Test]
    public void Scenario_RadioMistakes_AreToldAtOnce()
    {
        var loss = new LossSpec { Good = 1, Bad = 1, GoodMean = Seconds.Zero, BadMean = Seconds.Zero };
        var lora = new LoraSpec { DistanceMin = 0, DistanceMax = -1, Shadowing = -1, Spreading = 13, SubBands = ["2.4 GHz"] };
        var faults = new RadioSpec { Part = "wifi-esp32", Cell = "No Cell", RoundTrip = new Seconds(-1), Jitter = new Seconds(-1), Loss = loss, Lora = lora }.Faults(World.Stock.Radios).ToList();
        foreach (var key in (string[])["radio.lora is given", "radio.cell", "radio.rtt_s", "radio.jitter_s", "good_loss_ratio", "bad_loss_ratio", "good_mean_s", "bad_mean_s", "distance_min_m is", "distance_max_m is", "shadowing_db", "spreading_factor", "2.4 GHz"])
            Assert.That(faults, Has.One.Contains(key));
        Assert.That(faults, Has.Count.EqualTo(13));
        Assert.That(new RadioSpec { Part = "drum" }.Faults(World.Stock.Radios).Single(), Does.Contain("lora-sx1262"));
    }

    [Test]
    public void Scenario_TwoKindsInOneCell_IsAFault()
    {
        var scenario = World.Read("wifi-cell");
        var mixed = scenario with { Sites = [scenario.Sites[0] with { Devices = [scenario.Sites[0].Devices[0], scenario.Sites[0].Devices[1] with { Radio = new RadioSpec { Part = "ble-nrf52840", Cell = "crowded" } }] }] };
        Assert.That(mixed.Faults(World.Stock).Single(), Does.Contain("share cell \"crowded\""));
    }

    private static RadioSpec Lora(int spreading) => new() { Part = "lora-sx1262", Lora = new LoraSpec { DistanceMin = 200, DistanceMax = 200, Shadowing = 0, Spreading = spreading } };

    private sealed class RadioWorld
    {
        public RadioWorld(RadioSpec spec)
        {
            Airspace = new Airspace("lab", 1, World.Stock.Radios, Clock);
            Board = new Board(World.Stock.Profiles["stm32h747i-disco"], new Battery(Clock, null, Watts.Zero, Energy), Clock, new SeededRandom(1, "board"));
            Radio = Airspace.Radio(spec, Board, new SeededRandom(1, "place"), new SeededRandom(1, "radio"));
        }

        public SimClock Clock { get; } = new();

        public EnergyBooks Energy { get; } = new();

        public Airspace Airspace { get; }

        public Board Board { get; }

        public Radio Radio { get; }

        /// <summary>As the bus does it.</summary>
        public async Task<bool> Up(int bytes, Delivery delivery)
        {
            await Radio.Await();
            return await Radio.Up(bytes, delivery);
        }

        public void Run(double untilSeconds) => Clock.Run(TimeSpan.FromSeconds(untilSeconds));
    }
}
