using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Controller.Planning;

/// <summary>
/// A way to run a model: how deep the head is, from which confidence its exits answer, and what crosses to an edge server otherwise.
/// Its shares and accuracies are means over the calibration trace, conditional on its own thresholds.
/// </summary>
public sealed record Option
{
    public required PlannedModel Model { get; init; }

    public required int Head { get; init; }

    /// <summary>Calibrated confidence from which each exit held answers; above 1 never, 0 always.</summary>
    public required PerExit Thresholds { get; init; }

    /// <summary>Null: the deepest exit answers whatever reaches it.</summary>
    public required Route? Route { get; init; }

    /// <summary>Share of inputs that run stage k, and share answered by exit k (index k - 1).</summary>
    public required IReadOnlyList<double> StageShares { get; init; }

    public required IReadOnlyList<double> ExitShares { get; init; }

    /// <summary>Accuracy of exit k on the inputs it answers (index k - 1); 0 where it answers none.</summary>
    public required IReadOnlyList<double> ExitAccuracies { get; init; }

    public required double OffloadShare { get; init; }

    /// <summary>Accuracy of the tail, and of the deepest exit held, on the inputs that are offloaded.</summary>
    public required double OffloadAccuracy { get; init; }

    public required double FallbackAccuracy { get; init; }

    /// <summary>Mean payload of what crosses, without the frame's header.</summary>
    public required Bytes Payload { get; init; }

    /// <summary>Of all answers: those of the exits and of the edge server by their shares.</summary>
    public required double Accuracy { get; init; }

    /// <summary>
    /// The share of answers that may differ from the tail's for which the thresholds were chosen by conformal risk control; null: they were chosen otherwise, and
    /// promise nothing.
    /// </summary>
    public double? RiskMax { get; init; }

    /// <summary>Why it was chosen, and what its thresholds promise: said once, however often it is chosen again for that reason.</summary>
    public string ReasonFor(string reason)
    {
        if (RiskMax is not { } risk) return reason;
        var promise = string.Create(CultureInfo.InvariantCulture, $"; risk control: exits differ from the tail in {100 * risk:0.###} % of answers at most");
        return reason.EndsWith(promise, StringComparison.Ordinal) ? reason : reason + promise;
    }

    /// <summary>Whether the input leaves before any stage has run.</summary>
    public bool SendsAll => Route is { Cut: 0 } && Thresholds.AreAbove(1);

    /// <summary>What a device is told, but for who decided and when.</summary>
    public Assignment Assign(string? edge, ControllerOptions options, string reason) => new()
    {
        Version = 0,
        Epoch = 0,
        Model = Model.Files.Card.Name,
        CardSha256 = Model.Files.CardSha256,
        Head = Head,
        ArtifactsUrl = options.ArtifactsUrl,
        Cut = Route?.Cut ?? 0,
        Bottleneck = Route is { Bottleneck: > 0 and var number } ? Model.Files.Card.Bottleneck(number).Name : "",
        InputCodec = Route is { Cut: 0 } input ? input.Codec : FeatureCodec.Raw,
        FeatureDType = Route is { Cut: > 0 } features ? features.Codec : FeatureCodec.Int8,
        Thresholds = Thresholds,
        Temperatures = Model.Temperatures(Head),
        OffloadTo = edge ?? "",
        Deadline = options.Deadline,
        ReportPeriod = options.ReportPeriod,
        BudgetPeriod = options.BudgetPeriod,
        Reason = ReasonFor(reason),
    };

    /// <summary>Whether an assignment runs this option, on whatever edge server.</summary>
    public bool IsRunBy(Assignment assignment) =>
        assignment.CardSha256 == Model.Files.CardSha256 && assignment.Head == Head && assignment.Thresholds.Equals(Thresholds)
        && (assignment.OffloadTo.Length == 0 ? Route is null : Crosses(assignment));

    private bool Crosses(Assignment assignment) =>
        Route is { } route && route.Cut == assignment.Cut && route.Codec == assignment.Codec && route.Bottleneck == Model.Files.Card.NumberOf(assignment.Bottleneck);
}

/// <summary>A model with what planners know of it: the card and the calibration trace, never the test trace.</summary>
public sealed record PlannedModel(ModelFiles Files, Trace Calibration)
{
    /// <summary>Of the final exit on the calibration set.</summary>
    public double FullAccuracy => Files.Card.Exits[^1].CalibrationAccuracy;

    // Made once: every device that is given a head shares them.
    private readonly IReadOnlyList<PerExit> temperatures = [.. Enumerable.Range(1, Files.Card.StageCount).Select(head => new PerExit(Files.Card.Exits.Take(head).Select(exit => Quantity.Rounded(exit.Temperature))))];

    private readonly IReadOnlyList<IReadOnlyList<(long Files, long Memory)>> needs = [.. Enumerable.Range(1, Files.Card.StageCount).Select(head => NeedsOf(Files.Card, head))];

    // Of the first 0, 1, 2... stages, and of what the bottlenecks 0 (none), 1, 2... need on the device.
    private readonly IReadOnlyList<long> headFiles = [0, .. Enumerable.Range(1, Files.Card.StageCount).Select(head => Files.Card.Stages.Take(head).Sum(stage => stage.FileBytes))];
    private readonly IReadOnlyList<long> bottleneckFiles = [0, .. Files.Card.Bottlenecks.Select(bottleneck => bottleneck.DeviceFiles.Sum(file => file.FileBytes))];

    /// <summary>What a head and a bottleneck (0: none) need besides those that are there.</summary>
    public Bytes Lacking(int head, int bottleneck, int headHeld, int bottleneckHeld) =>
        new(Math.Max(0, headFiles[head] - headFiles[Math.Min(headHeld, headFiles.Count - 1)]) + (bottleneck == bottleneckHeld ? 0 : bottleneckFiles[bottleneck]));

    /// <summary>Storage and memory that a head and the encoder of a bottleneck (0: none) take, in bytes.</summary>
    public (long Files, long Memory) Needs(int head, int bottleneck) => needs[head - 1][bottleneck];

    private static IReadOnlyList<(long, long)> NeedsOf(ModelCard card, int head)
    {
        var stages = card.Stages.Take(head).ToList();
        var (files, activations) = (stages.Sum(stage => stage.FileBytes), stages.Max(stage => stage.PeakActivationBytes));
        return [(files, files + activations), .. card.Bottlenecks.Select(bottleneck =>
        {
            var all = files + bottleneck.DeviceFiles.Sum(file => file.FileBytes);
            return (all, all + Math.Max(activations, bottleneck.Encoder.PeakActivationBytes));
        })];
    }

    public PerExit Temperatures(int head) => temperatures[head - 1];

    public double FinalTemperature => Quantity.Rounded(Files.Card.Exits[^1].Temperature);
}
