using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Emulator;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Radios;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

/// <summary>Boards that sleep between their inputs, against closed forms, and devices that nobody may take for lost meanwhile.</summary>
public sealed class SleepTests
{
    private const string Board = "nucleo-u575zi-q";
    private static readonly HardwareProfile Profile = World.Stock.Profiles[Board];
    private static readonly PowerProfile Power = Profile.Power;

    /// <summary>
    /// A cycle of T seconds with t of computing costs wake_j + sleep_w (T - t) + active_w t, so that charge S lasts S T / that; the board falls during a cycle, hence
    /// the tolerance of one.
    /// </summary>
    [TestCase(1, 0.05, 0.5)]
    [TestCase(10, 0.05, 0.5)]
    [TestCase(60, 2, 3)]
    public void Board_DutyCycle_BatteryLastsAsItsClosedFormSays(double cycle, double work, double charge)
    {
        var (clock, books) = (new SimClock(), new EnergyBooks());
        var battery = new Battery(clock, Charge.Ideal(new Joules(charge)), Power.Idle.Value, books);
        var board = new Board(Profile, battery, clock, new SeededRandom(1, "board"));
        var locks = new WakeLocks(board.Suspend, board.Resume);
        var (emptied, busy, cycles) = (double.NaN, Seconds.Zero, 0);
        battery.Emptied += () => emptied = clock.Since(0).Value;
        clock.Start(async () =>
        {
            for (; !battery.IsEmpty; cycles++)
            {
                await locks.Take();
                busy += await board.Compute(new Seconds(work));
                locks.Release();
                await clock.Delay(new Seconds(cycle * (cycles + 1)) - clock.Since(0));
                battery.Settle();
            }
        });
        clock.Run(TimeSpan.FromDays(30));
        var run = busy / cycles;
        var each = Power.WakeEnergy!.Value.Value + Power.Sleep!.Value.Value * (cycle - run.Value) + Power.Active.Value.Value * run.Value;
        Assert.That(emptied, Is.EqualTo(charge / each * cycle).Within(cycle + 0.01 * charge / each * cycle));
        Assert.That(books.Wake.Value, Is.EqualTo((cycles - 1) * Power.WakeEnergy.Value.Value).Within(1e-9 + Power.WakeEnergy.Value.Value));
        Assert.That(books.Unexplained(battery.Stored).Value, Is.EqualTo(0).Within(1e-9));
    }

    /// <summary>Whoever does not sleep idles; who does pays wake_j for each waking and sleep_w and idle_w for the rest of the time.</summary>
    [Test]
    public void Devices_ThatSleep_PayForEachWakingAndForAllTimeOnce()
    {
        var (awake, asleep) = (Run(Field(sleep: false)), Run(Field(sleep: true)));
        Assert.That(awake.Energy["sleep"] + awake.Energy["wake"], Is.Zero);
        Assert.That(asleep.Figures.Inferences, Is.EqualTo(awake.Figures.Inferences).Within(2));
        var wakings = asleep.Energy["wake"] / Power.WakeEnergy!.Value.Value;
        // Every waking is for an input, for a report, or for one of the few assignments.
        var reports = Count * (int)(Duration / Report);
        Assert.That(wakings, Is.InRange(asleep.Figures.Inferences, asleep.Figures.Inferences + reports + 10 * Count));
        var time = asleep.Energy["sleep"] / Power.Sleep!.Value.Value + asleep.Energy["idle"] / Power.Idle.Value.Value;
        Assert.That(time, Is.EqualTo(Count * Duration).Within(0.01).Percent, "sleeping or awake, never both");
        Assert.That(asleep.Energy["sleep"] / Power.Sleep.Value.Value, Is.GreaterThan(0.99 * time));
        Assert.That(asleep.Figures.Power!.Value.Value, Is.LessThan(0.05 * awake.Figures.Power!.Value.Value));
    }

    [Test]
    public void Devices_ThatSleep_SayItOnceAndAreCountedAsThere()
    {
        var run = Execute(Field(sleep: true));
        var result = run.Result();
        Assert.That(result.Figures.DevicesOnline, Is.EqualTo(Count));
        Assert.That(result.Figures.Lost, Is.Zero);
        Assert.That(result.Figures.OffloadRatio, Is.GreaterThan(0), "the controller plans for them, and they wait for answers");
        Assert.That(result.Figures.FallbackRatio, Is.LessThan(0.01));
        var states = run.Worlds[0].Bus.Retained.Where(kept => kept.Topic.Kind is TopicKind.State).Select(kept => ((State)kept.Message).Presence);
        Assert.That(states, Is.All.EqualTo(Presence.Sleeping));
        Assert.That(run.Worlds[0].DesiredEqualsReported);
    }

    [Test]
    public void Devices_ThatSleep_SameSeedSameHashWhateverTheEncoding()
    {
        var hash = Run(Field(sleep: true)).TraceHash;
        Assert.That(ScenarioRun.Execute(Field(sleep: true), 1, World.Stock, throughWire: true).Result().TraceHash, Is.EqualTo(hash));
    }

    [Test]
    public void Devices_ThatLoseTheirLinkAsleep_NoticeWhenTheyWakeAndComeBack()
    {
        var scenario = Field(sleep: true) with { FaultList = [new FaultSpec { Kind = FaultKind.LinkLoss, Site = "field", At = new Seconds(300.5), For = new Seconds(20) }] };
        var run = Execute(scenario);
        Assert.That(run.Result().Figures.DevicesOnline, Is.EqualTo(Count));
        Assert.That(run.Result().Figures.Lost, Is.Zero);
    }

    [Test]
    public void RadioBus_BoardAsleep_KeepsWhatIsSentAtLeastOnceAndLosesTheRest()
    {
        var world = new BusWorld();
        var board = new Board(Profile, new Battery(world.Clock, null, Power.Idle.Value, new EnergyBooks()), world.Clock, new SeededRandom(1, "board"));
        var locks = new WakeLocks(board.Suspend, board.Resume);
        var radio = new RadioBus(world.Bus.Connect("cam-1"), new SimpleLink(new LinkModel { Loss = 0 }, board, world.Clock, new SeededRandom(1, "radio")), board, world.Books, locks);
        var heard = new List<(double At, TopicKind Kind)>();
        void Hear(Topic topic, Message _) => heard.Add((world.Clock.Since(0).Value, topic.Kind));
        var controller = world.Bus.Connect("controller");
        world.Clock.Start(async () =>
        {
            await locks.Take();
            radio.Subscribe(new Topic(TopicKind.Command, "lab", "cam-1", "+").Path, Hear);
            radio.Subscribe(new Topic(TopicKind.Reply, "lab", "cam-1").Path, Hear);
            locks.Release();
            await world.Clock.Delay(new Seconds(1));
            for (var i = 0; i < 70; i++) controller.Publish(new Topic(TopicKind.Command, "lab", "cam-1", $"c-{i}"), new Command { Verb = "measure", Status = "init" });
            controller.Publish(new Topic(TopicKind.Reply, "lab", "cam-1"), new Reply { RequestId = 1, Status = OffloadStatus.Ok, Label = 1, Confidence = 1, Batch = 1 });
            await world.Clock.Delay(new Seconds(9));
            Assert.That(heard, Is.Empty);
            await locks.Take();
        });
        world.Clock.Run(TimeSpan.FromSeconds(20));
        Assert.That(heard.Select(message => message.Kind), Is.EqualTo(Enumerable.Repeat(TopicKind.Command, 64)), "no more than 64 wait");
        Assert.That(heard.Select(message => message.At), Is.All.InRange(10, 10.5));
        Assert.That(world.Books.DroppedTotal, Is.EqualTo(7), "six too many, and the reply that nobody may wait for");
        Assert.That(world.Books.Unexplained(0), Is.Zero);
    }

    [Test]
    public void Sleep_OnABoardThatCannot_IsRefusedWithThoseThatCan()
    {
        var fault = (Field(true).Sites[0].Devices[0] with { Board = "pi-4b" }).Faults(Field(true).Sites[0], Field(true), World.Stock).Single();
        Assert.That(fault, Does.Contain("sleep is true; pi-4b does not suspend").And.Contain(Board));
        var fast = (Field(true).Sites[0].Devices[0] with { Rate = new Hertz(1000) }).Faults(Field(true).Sites[0], Field(true), World.Stock).ToList();
        Assert.That(fast, Is.Empty, "a tenth of a millisecond leaves time");
    }

    private const int Count = 5;
    private const double Duration = 1200;
    private const double Report = 60;

    private static RunResult Run(Scenario scenario) => Execute(scenario).Result();

    private static ScenarioRun Execute(Scenario scenario)
    {
        var run = ScenarioRun.Execute(scenario, 1, World.Stock);
        run.CheckBooks();
        return run;
    }

    private static Scenario Field(bool sleep) => new()
    {
        Name = "field",
        Duration = new Seconds(Duration),
        Control = new ControlSpec { Report = new Seconds(Report) },
        Sites =
        [
            new SiteSpec
            {
                Name = "field",
                Edges = [new EdgeSpec { Id = "barn", Profile = "orange-pi-5" }],
                Devices = [new DeviceGroup { Board = Board, Count = Count, Rate = new Hertz(0.1), Arrivals = Arrivals.Periodic, Sleep = sleep }],
            },
        ],
    };
}
