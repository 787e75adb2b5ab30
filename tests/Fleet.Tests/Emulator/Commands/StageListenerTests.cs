using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using Fleet.Emulator;
using Fleet.Emulator.Commands;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Commands;

/// <summary>`fleet profile calibrate` as it hears a device.</summary>
public sealed class StageListenerTests
{
    private static HardwareProfile Pi => World.Stock.Profiles["pi-4b"];

    /// <summary>A running agent on a board whose silicon is not the profile's: its own profile says what its stages take.</summary>
    [Test]
    public void Calibrated_RunningDevice_SaysWhatItsStagesTake()
    {
        var clock = new SimClock();
        var ledger = new Ledger(clock, new Seconds(10));
        var bus = new SimBus(clock, ledger.Hash, ledger.Messages);
        using var stop = new CancellationTokenSource();
        using var listener = new StageListener(bus.Connect("listener"), "lab", "pi-1");
        var planned = Planned.Of(World.Stock, "fmnist");
        var controller = new SiteController(
            "lab", bus.Connect("controller"), clock, new ControllerOptions { ReportPeriod = new Seconds(2) }, Planners.Create("local-only", planned.Table, new CostModel(new Weights())), planned.Table, planned.Model,
            World.Stock.Profiles, new SeededRandom(1, "planner"));
        clock.Start(() => controller.Run(CancellationToken.None));
        var device = new EmulatedDevice(
            new DeviceSpec("lab", "pi-1", new DeviceGroup { Board = "pi-4b", Count = 1, Rate = new Hertz(5) }, Pi, Seed: 3) { Seen = World.Images }, World.Stock, InferenceKind.Trace, new SharedLine(bus.Connect("pi-1")), clock, ledger);
        clock.Start(() => device.Run(stop.Token).AsTask());
        clock.Run(TimeSpan.FromSeconds(120));
        var profile = listener.Calibrated(World.Stock.Profiles, World.Stock.Models, "mine", new Seconds(120));
        var stage = World.Stock.Models["fmnist"].Card.Stages[0];
        Assert.That(profile.Id, Is.EqualTo("mine"));
        Assert.That(profile.Compute.Pointwise.Source, Does.Match("^an emulated board, 120 s, [0-9]{2,} runs"));
        Assert.That(profile.Compute.Pointwise.Confidence, Is.EqualTo(Evidence.Simulator));
        // Silicon differs by 5 % (one standard deviation), runs by 3 %.
        Assert.That(profile.NominalTime(stage) / Pi.NominalTime(stage), Is.InRange(0.8, 1.25).And.Not.EqualTo(1));
        clock.Soon(stop.Cancel);
        clock.Run(TimeSpan.FromSeconds(125));
    }

    [Test]
    public void Calibrated_SilentDevice_TellsAllThatIsMissing()
    {
        var clock = new SimClock();
        var ledger = new Ledger(clock, new Seconds(10));
        using var listener = new StageListener(new SimBus(clock, ledger.Hash, ledger.Messages).Connect("listener"), "lab", "pi-1");
        var fault = Assert.Throws<FaultsException>(() => listener.Calibrated(World.Stock.Profiles, World.Stock.Models, "mine", new Seconds(1)))!;
        Assert.That(fault.Faults, Has.Count.EqualTo(3));
        Assert.That(fault.Subject, Is.EqualTo("device lab/pi-1"));
    }
}
