using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Emulator.Tables;

/// <summary>All ways that one model offers, with the figures of its card and of its test trace.</summary>
/// <param name="prefix">Before each method: "" for a task's main model, else the model's name.</param>
public sealed class ModelWays(StudiedModel model, string prefix)
{
    private readonly ModelCard card = model.Card;

    public IEnumerable<Way> All => [.. ((Way[])[.. Exits(), .. Cascades(), .. card.Routes.Select(Over)]).Select(way => way with { IsShipped = true, IsOfMain = prefix.Length == 0 })];

    private IEnumerable<Way> Exits()
    {
        // Tail 0 is a file of its own, in a precision of its own: its answers are those of the raw input's route.
        var whole = card.Routes.FirstOrDefault(route => route is { Cut: 0, Codec: FeatureCodec.Raw });
        if (whole is not null) yield return new Way(Family.Exit, Named("whole network"), "without early exits", whole.Accuracy, Bytes.Zero, card.Tail(0).Work.Total, new Bytes(card.Tail(0).FileBytes), "");
        foreach (var exit in card.Exits)
            yield return new Way(Family.Exit, Named($"exit {exit.Exit}"), "answers all", exit.Accuracy, Bytes.Zero, card.HeadWork(exit.Exit).Total, HeadFiles(exit.Exit), "");
    }

    private IEnumerable<Way> Cascades()
    {
        foreach (var chosen in model.Chosen)
        {
            var thresholds = string.Join(", ", chosen.Test.Thresholds.Select(threshold => threshold > 1 ? "never" : threshold.ToString("F4", CultureInfo.InvariantCulture)));
            var shares = string.Join(" / ", chosen.Test.ExitShares.Select(share => (share * 100).ToString("F1", CultureInfo.InvariantCulture)));
            var loss = (chosen.LossAllowed * 100).ToString("0.#", CultureInfo.InvariantCulture);
            yield return new Way(Family.Cascade, Named("cascade"), $"thresholds {thresholds}", chosen.Test.Accuracy, Bytes.Zero, chosen.Test.MeanMacs, HeadFiles(card.StageCount),
                $"the least work that costs at most {loss} points on calibration images; exits answer {shares} %");
        }
    }

    private Way Over(RouteCard line)
    {
        var codec = Route.CodecName(line.Codec);
        if (line.Cut == 0) return new Way(Family.Codec, Named(codec), line.Codec is FeatureCodec.Webp ? $"quality {Models.ImageCodec.WebpQuality}" : "", line.Accuracy, line.Payload, Macs.Zero, Bytes.Zero, line.Codec is FeatureCodec.Raw ? "" : "whole files, headers included; the server as it was");
        var (work, files) = (card.HeadWork(line.Cut).Total, HeadFiles(line.Cut));
        var note = line.Accuracy > card.Exit(line.Cut).Accuracy ? "" : $"no better than exit {line.Cut} on the device";
        if (line.Bottleneck.Length == 0) return new Way(Family.Split, Named($"split at cut {line.Cut}"), codec, line.Accuracy, line.Payload, work, files, note);
        var bottleneck = card.Bottlenecks.Single(bottleneck => bottleneck.Name == line.Bottleneck);
        return new Way(Family.Bottleneck, Named($"bottleneck, {bottleneck.TrainedBy}"), $"{bottleneck.Name}, {codec}", line.Accuracy, line.Payload, work + bottleneck.Encoder.Work.Total,
            files + new Bytes(bottleneck.DeviceFiles.Sum(file => file.FileBytes)), note);
    }

    private Bytes HeadFiles(int head) => new(card.Stages.Take(head).Sum(stage => stage.FileBytes));

    private string Named(string method) => prefix.Length == 0 ? method : $"{prefix}: {method}";
}
