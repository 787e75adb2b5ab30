using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Models.Profiling;

/// <summary>A stage of a model, or its encoder, and what one run of it took on a board.</summary>
public sealed record StageTime(string Name, ModelPiece Piece, Seconds Time)
{
    /// <summary>What a device has measured: of its head's stages those that have run, and the encoder behind them.</summary>
    /// <param name="card">Of the model that it runs.</param>
    /// <param name="seconds">By stage; 0 where none has run.</param>
    /// <param name="encoder">Null when none has run.</param>
    /// <param name="bottleneck">Whose encoder; empty or unknown to the card: nobody's.</param>
    public static IReadOnlyList<StageTime> Of(ModelCard card, PerExit seconds, Seconds? encoder, string bottleneck)
    {
        var stages = Enumerable.Range(1, card.StageCount).Where(stage => seconds.Find(stage) is > 0).Select(stage => new StageTime($"{card.Name} stage {stage}", card.Stage(stage), new Seconds(seconds.Of(stage))));
        return encoder is { Value: > 0 } time && card.NumberOf(bottleneck) is > 0 and var number ? [.. stages, new StageTime($"{card.Name} encoder {bottleneck}", card.Bottleneck(number).Encoder, time)] : [.. stages];
    }
}

/// <summary>A running board's own profile: its stages' measured times correct the profile that it started from.</summary>
public static class BoardCalibration
{
    /// <summary>Of the measured time, the least that is left for work after the overhead of a call: the scaled overhead may exceed a tiny stage's time.</summary>
    private const double LeastWorkShare = 0.1;

    /// <summary>
    /// All figures are scaled to the measured times (geometric mean of the quotients), then each rate is corrected as far as the
    /// stages tell the rates apart (<see cref="RateFit.Near"/>). What int8 takes of fp32's time stays what the profile says: no stage runs
    /// in both.
    /// </summary>
    /// <param name="start">The profile that the board ran with.</param>
    /// <param name="id">The new profile's.</param>
    /// <param name="board">What the board calls itself.</param>
    /// <param name="stack">The software that ran.</param>
    /// <param name="stages">At least one, with times above 0.</param>
    /// <param name="how">"60 s, 300 runs": how long and how often.</param>
    /// <param name="isEmulated">Then its times are a simulator's (tag S) and no measurement.</param>
    public static HardwareProfile Calibrate(HardwareProfile start, string id, string board, string stack, IReadOnlyList<StageTime> stages, string how, bool isEmulated = false)
    {
        var scale = Math.Exp(stages.Average(stage => Math.Log(stage.Time / start.NominalTime(stage.Piece))));
        var overhead = start.Compute.Overhead.Value * scale;
        var rows = stages.Select(stage => new KnownTime(new Network(stage.Name, new NetworkWork(stage.Piece.Work)), Seconds.Max(stage.Time - overhead, stage.Time * LeastWorkShare) / start.TimeRatio(stage.Piece.Precision))).ToList();
        var clock = start.Clock.Value.Value;
        var rates = RateFit.Near(Cycles(start.Compute) * (scale / clock), rows, RateFit.Shrinkage) * clock;
        var source = $"{(isEmulated ? "an emulated board" : "this board")}, {how}, {stack}: measured times of {string.Join(", ", stages.Select(stage => stage.Name))}; started from profile {start.Id}";
        var confidence = isEmulated ? Evidence.Simulator : Evidence.Measured;
        Sourced<double> Measured(Charge charge) => new() { Value = Rounded(rates[charge]), Confidence = confidence, Source = source };
        return start with
        {
            Id = id,
            Board = board,
            Stack = stack,
            Compute = start.Compute with
            {
                FirstConv = Measured(Charge.FirstConv),
                Conv = Measured(Charge.Conv),
                Pointwise = Measured(Charge.Pointwise),
                Depthwise = Measured(Charge.Depthwise),
                Dense = Measured(Charge.Dense),
                CyclesPerOutputElement = Measured(Charge.OutputElement),
                CyclesPerLayer = Measured(Charge.Layer),
                Overhead = new() { Value = new Seconds(Rounded(overhead.Value)), Confidence = confidence, Source = source },
            },
            Fit = null,
            Note = string.Create(CultureInfo.InvariantCulture, $"Calibrated by the board itself: {scale:0.###} times what {start.Id} says, then corrected for each kind of kernel as far as its stages tell them apart. A kind that no stage has keeps its ratio to the others. Power, radio and heat are those of {start.Id}."),
        };
    }

    private static Rates Cycles(ComputeProfile compute) => new(Rates.Charges.Select(charge => charge switch
    {
        Charge.FirstConv => compute.FirstConv.Value,
        Charge.Conv => compute.Conv.Value,
        Charge.Pointwise => compute.Pointwise.Value,
        Charge.Depthwise => compute.Depthwise.Value,
        Charge.Dense => compute.Dense.Value,
        Charge.OutputElement => compute.CyclesPerOutputElement.Value,
        Charge.Layer => compute.CyclesPerLayer.Value,
        _ => 0,
    }));

    private static double Rounded(double value) => double.Parse(value.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
