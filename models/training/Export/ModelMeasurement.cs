using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Replaying;
using Fleet.Terminal;

namespace Fleet.Training;

/// <summary>Completes a card from what a model's files answer on calibration, test and drifted images, and writes it beside the traces.</summary>
public sealed class ModelMeasurement(TaskData task, string directory)
{
    private readonly ImageSets sets = task.Sets;

    /// <summary>Images of a drift trace, of the calibration and of the test set; none of either writes no such traces.</summary>
    public (int Calibration, int Test) DriftImages { get; init; }

    /// <summary>For the headers of traces; null when `fleet models traces` makes the same, as of all that were recorded on a task's own images.</summary>
    public string? TracesMadeBy { get; init; }

    /// <summary>Measures, and writes traces and card.</summary>
    public async Task<ModelCard> Run(ModelCard card, ModelReplay replay)
    {
        var routes = Routes(card);
        var calibration = await Show(card, "calibration images", progress => replay.Run(card, sets.Calibration.Run, routes, progress));
        var test = await Show(card, "test images", progress => replay.Run(card, sets.Test.Run, routes, progress));
        card = card with
        {
            Exits = [.. Enumerable.Range(1, card.StageCount).Select(exit => DescribeExit(exit, calibration, test))],
            Bottlenecks = [.. card.Bottlenecks.Select((bottleneck, i) => bottleneck with { TemperatureRatio = TemperatureRatio(calibration, i + 1) })],
            Routes = [.. test.Routes.Select(route => Describe(card, route, test))],
            CalibrationTrace = WriteTrace(TraceRecording.CalibrationFile, TraceSet.Calibration, card, calibration, sets.Calibration.FirstIndex),
            TestTrace = WriteTrace(TraceRecording.TestFile, TraceSet.Test, card, test, sets.Test.FirstIndex),
            DriftTraces = await WriteDriftTraces(card, replay),
        };
        ModelFiles.WriteCard(directory, card);
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

    private async Task<IReadOnlyList<DriftTrace>> WriteDriftTraces(ModelCard card, ModelReplay replay)
    {
        var written = new List<DriftTrace>();
        if (DriftImages == default) return written;
        foreach (var drift in Drift.Levels)
        {
            foreach (var (set, images, count) in new[] { (TraceSet.Calibration, sets.Calibration, DriftImages.Calibration), (TraceSet.Test, sets.Test, DriftImages.Test) })
            {
                var taken = images.Slice(0, Math.Min(count, images.Count));
                var outcomes = await Show(card, $"{drift}, {count} images", progress => replay.Run(card, taken.Run.Drifted(drift), Routes(card), progress));
                var file = WriteTrace(TraceRecording.DriftFile(set, drift), set, card, outcomes, taken.FirstIndex, drift.ToString());
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

    private static double Fit(float[] logits, Outcomes calibration) => Calibration.FitTemperature(logits, calibration.Labels, calibration.Classes);

    private static RouteCard Describe(ModelCard card, RouteOutcome route, Outcomes test) => new()
    {
        Cut = route.Route.Cut,
        Codec = route.Route.Codec,
        Accuracy = test.Accuracy(route),
        Payload = route.MeanPayload,
        Bottleneck = card.NameOf(route.Route.Bottleneck),
    };

    private CardFile WriteTrace(string file, TraceSet set, ModelCard card, Outcomes outcomes, int firstSample, string drift = "")
    {
        var path = Path.Combine(directory, file);
        TraceRecording.Of(card, outcomes, TraceRecording.Text(TracesMadeBy ?? TraceRecording.Command(card.Name), task.Description, set), firstSample, drift).Write(path);
        return new CardFile { File = file, Sha256 = ModelFiles.Sha256(File.ReadAllBytes(path)), Samples = outcomes.Labels.Length };
    }

    private static Task<Outcomes> Show(ModelCard card, string what, Func<Action<double>, Task<Outcomes>> run) => ProgressBar.ShowAsync($"{card.Name}: {what}", run);
}
