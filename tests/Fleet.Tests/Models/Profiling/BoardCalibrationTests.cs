using CsCheck;
using Fleet.Contracts;
using Fleet.Models.Profiling;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.Models.Profiling;

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
}
