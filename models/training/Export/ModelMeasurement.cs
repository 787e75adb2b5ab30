using System.Text.Json;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>Completes a card from what a model's files answer on calibration, test and drifted images, and writes it beside the traces.</summary>
public sealed class ModelMeasurement(TaskData task, string directory)
{
    public const string CalibrationTrace = "calibration.trace";
    public const string TestTrace = "test.trace";

    private readonly ImageSets sets = task.Sets;

    /// <summary>Images of a drift trace, of the calibration and of the test set; none of either writes no such traces.</summary>
    public (int Calibration, int Test) DriftImages { get; init; }

    /// <summary>Measures, and writes traces and card.</summary>
    public async Task<ModelCard> Run(ModelCard card, Replay replay)
    {
        var routes = Routes(card);
        var calibration = await replay.Run(card, sets.Calibration, routes);
        var test = await replay.Run(card, sets.Test, routes);
        card = card with
        {
            Exits = [.. Enumerable.Range(1, card.StageCount).Select(exit => DescribeExit(exit, calibration, test))],
            Bottlenecks = [.. card.Bottlenecks.Select((bottleneck, i) => bottleneck with { TemperatureRatio = TemperatureRatio(calibration, i + 1) })],
            Routes = [.. test.Routes.Select(route => Describe(card, route, test))],
            CalibrationTrace = WriteTrace(CalibrationTrace, card, calibration, "calibration images"),
            TestTrace = WriteTrace(TestTrace, card, test, "test images"),
            DriftTraces = await WriteDriftTraces(card, replay),
        };
        WriteCard(card);
        return card;
    }

    /// <summary>Routes a card describes: the image in three codecs, the features at each cut in two, each bottleneck's latent coded.</summary>
    private static IReadOnlyList<Route> Routes(ModelCard card) =>
    [
        new(0, FeatureCodec.Raw),
        new(0, FeatureCodec.Png),
        new(0, FeatureCodec.Webp),
        .. Enumerable.Range(1, card.StageCount - 1).SelectMany(cut => new[] { new Route(cut, FeatureCodec.Int8), new Route(cut, FeatureCodec.Float16) }),
        .. card.Bottlenecks.Select((bottleneck, i) => new Route(bottleneck.Cut, FeatureCodec.Coded, i + 1)),
    ];

    private async Task<IReadOnlyList<DriftTrace>> WriteDriftTraces(ModelCard card, Replay replay)
    {
        var written = new List<DriftTrace>();
        if (DriftImages == default) return written;
        foreach (var drift in Drift.Levels)
        {
            foreach (var (set, images, count) in new[] { (TraceSet.Calibration, sets.Calibration, DriftImages.Calibration), (TraceSet.Test, sets.Test, DriftImages.Test) })
            {
                var taken = images.Slice(0, Math.Min(count, images.Count));
                var drifted = new ImageSet(drift.Of(taken.Images, taken.FirstIndex, taken.Count), taken.Normalisation);
                var what = set is TraceSet.Test ? "test" : "calibration";
                var file = WriteTrace($"{what}-{drift}.trace", card, await replay.Run(card, drifted, Routes(card)), $"{what} images", taken.FirstIndex, drift.ToString());
                written.Add(new DriftTrace { Drift = drift.ToString(), Set = set, File = file.File, Sha256 = file.Sha256, Samples = file.Samples });
            }
        }
        return written;
    }

    private static ExitCard DescribeExit(int exit, Outcomes calibration, Outcomes test)
    {
        var temperature = Fit(calibration.Exits[exit - 1], calibration);
        return new ExitCard
        {
            Exit = exit,
            Temperature = temperature,
            Accuracy = test.Accuracy(exit),
            CalibrationAccuracy = calibration.Accuracy(exit),
            EceBefore = test.Ece(exit, temperature: 1),
            EceAfter = test.Ece(exit, temperature),
        };
    }

    /// <summary>What calibrates the logits behind a bottleneck, over what calibrates the final exit.</summary>
    private static double TemperatureRatio(Outcomes calibration, int bottleneck) =>
        Fit(calibration.Routes.Single(route => route.Route.Bottleneck == bottleneck).Logits, calibration) / Fit(calibration.Exits[^1], calibration);

    private static double Fit(float[] logits, Outcomes calibration) => Calibration.FitTemperature(logits, calibration.Images.Labels, calibration.Classes);

    private static RouteCard Describe(ModelCard card, RouteOutcome route, Outcomes test) => new()
    {
        Cut = route.Route.Cut,
        Codec = route.Route.Codec,
        Accuracy = test.Accuracy(route),
        Payload = route.MeanPayload,
        Bottleneck = route.Route.Bottleneck == 0 ? "" : card.Bottleneck(route.Route.Bottleneck).Name,
    };

    /// <summary>What a trace need not store: over raw images the answer is the final exit's, unless one of the two ways is int8, and their size is the shape's.</summary>
    private static bool IsImplied(RouteOutcome route, Outcomes outcomes) =>
        route.Route.Codec is FeatureCodec.Raw && route.Logits.Zip(outcomes.Exits[^1]).All(pair => Math.Abs(pair.First - pair.Second) <= ModelExport.DifferenceMax);

    private CardFile WriteTrace(string file, ModelCard card, Outcomes outcomes, string what, int? firstSample = null, string drift = "")
    {
        var stored = outcomes.Routes.Where(route => !IsImplied(route, outcomes)).ToList();
        var path = Path.Combine(directory, file);
        new Trace(
            $"{card.Provenance.Command}; {task.Description}, {what}",
            ModelFiles.NetworkHash(card),
            firstSample ?? outcomes.Images.FirstIndex,
            outcomes.Images.Labels,
            outcomes.Classes,
            outcomes.Exits,
            stored.Select(route => route.Route),
            stored.Select(route => route.Logits),
            stored.Select(route => route.PayloadBytes),
            drift).Write(path);
        return new CardFile { File = file, Sha256 = ModelFiles.Sha256(File.ReadAllBytes(path)), Samples = outcomes.Images.Count };
    }

    private void WriteCard(ModelCard card)
    {
        FaultsException.ThrowIfAny(ModelFiles.CardName, card.Faults());
        var path = Path.Combine(directory, ModelFiles.CardName);
        File.WriteAllText(path, JsonSerializer.Serialize(card, Json.File.Info<ModelCard>()) + "\n");
    }
}
