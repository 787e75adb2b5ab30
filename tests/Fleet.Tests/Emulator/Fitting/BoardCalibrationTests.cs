using CsCheck;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using Fleet.Emulator;
using Fleet.Emulator.Commands;
using Fleet.Emulator.Fitting;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Fitting;

public sealed class BoardCalibrationTests
{
    private static HardwareProfile Pi => World.Stock.Profiles["pi-4b"];

    private static IReadOnlyList<StageTime> Stages(Func<ModelPiece, Seconds> time) =>
        [.. World.Stock.Models["fmnist"].Card.Stages.Select((stage, i) => new StageTime($"stage {i + 1}", stage, time(stage)))];

    [Test]
    public void Calibrate_BoardThatIsAFactorAway_TakesThatFactor()
    {
        Gen.Double[0.1, 10].Sample(factor =>
        {
            var stages = Stages(piece => Pi.NominalTime(piece) * factor);
            var profile = BoardCalibration.Calibrate(Pi, "mine", "board", "stack", stages, "60 s, 300 runs");
            return stages.All(stage => Math.Abs(profile.NominalTime(stage.Piece) / stage.Time - 1) < 0.001);
        }, iter: 50, seed: "0000KmXBCoy0");
    }

    [Test]
    public void Calibrate_StagesOutOfProportion_ComesNearerThanTheScaledProfile()
    {
        var stages = Stages(piece => Pi.NominalTime(piece) * (1 + 0.3 * piece.Work.Conv.Value / piece.Work.Total.Value));
        stages = [stages[0] with { Time = stages[0].Time * 1.3 }, .. stages.Skip(1)];
        var profile = BoardCalibration.Calibrate(Pi, "mine", "board", "stack", stages, "60 s, 300 runs");
        double Error(Func<StageTime, Seconds> claim) => stages.Average(stage => Math.Abs(claim(stage) / stage.Time - 1));
        var scale = Math.Exp(stages.Average(stage => Math.Log(stage.Time / Pi.NominalTime(stage.Piece))));
        Assert.That(Error(stage => profile.NominalTime(stage.Piece)), Is.LessThan(Error(stage => Pi.NominalTime(stage.Piece) * scale)));
    }

    [Test]
    public void Calibrate_Anything_TagsWhatItMeasuredAndKeepsTheRest()
    {
        var profile = BoardCalibration.Calibrate(Pi, "mine", "My board", "my stack", Stages(piece => Pi.NominalTime(piece) * 2), "60 s, 300 runs");
        Assert.That(profile.Faults(), Is.Empty);
        Assert.That(profile.Compute.Conv.Confidence, Is.EqualTo(Evidence.Measured));
        Assert.That(profile.Compute.Conv.Source, Does.StartWith("this board, 60 s, 300 runs, my stack"));
        Assert.That(profile.Power, Is.EqualTo(Pi.Power));
        Assert.That(profile.Fit, Is.Null);
    }

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
            new DeviceSpec("lab", "pi-1", new DeviceGroup { Board = "pi-4b", Count = 1, Rate = new Hertz(5) }, Pi, Seed: 3), World.Stock, InferenceKind.Trace, () => bus.Connect("pi-1"), clock, ledger, () => { });
        clock.Start(() => device.Run(stop.Token));
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
