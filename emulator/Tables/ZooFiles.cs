using System.Globalization;
using Fleet.Models.Calibrating;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Tables;

/// <summary>The figures behind the tables and plots, as CSV: ratios, bytes and multiply-accumulates as plain numbers.</summary>
public static class ZooFiles
{
    public static string Ways(ZooTask task) => Csv(
        ["family", "method", "variant", "accuracy_ratio", "wire_bytes", "device_macs", "device_file_bytes", "note"],
        task.Ways.Select(way => new[] { way.Family.ToString().ToLowerInvariant(), way.Method, way.Variant, Plain(way.Accuracy), Plain(way.Wire?.Value), Plain(way.Device?.Value), Plain(way.DeviceFile?.Value), way.Note }));

    public static string Winners(IReadOnlyList<ByteStretch> stretches) => Csv(
        ["from_bytes", "to_bytes", "bottleneck", "bottleneck_accuracy_ratio", "codec", "codec_accuracy_ratio", "winner"],
        stretches.Select(stretch => new[]
        {
            Whole(stretch.From), Whole(stretch.To), stretch.Bottleneck?.Name ?? "", Plain(stretch.Bottleneck?.Accuracy), stretch.Codec?.Name ?? "", Plain(stretch.Codec?.Accuracy), stretch.Winner,
        }));

    public static string Cascade(StudiedModel model) => Csv(
        [.. Exits(model, "threshold_{0}", last: false), "accuracy_ratio", "device_macs", .. Exits(model, "exit_{0}_ratio", last: true)],
        model.Front.Select(outcome => (string[])[.. outcome.Thresholds.Select(threshold => Plain(threshold)), Plain(outcome.Accuracy), Plain(outcome.MeanMacs.Value), .. outcome.ExitShares.Select(share => Plain(share))]));

    public static string Reliability(IReadOnlyList<ExitCalibration> exits) => Csv(
        ["exit", "population", "map", "confidence_above", "confidence_to", "samples", "confidence_ratio", "accuracy_ratio"],
        exits.SelectMany(exit => new (string Map, ReliabilityDiagram Diagram)[] { ("none", exit.Before), ("temperature", exit.Temperature), ("chosen", exit.Mapped) }
            .SelectMany(entry => entry.Diagram.Bins.Select(bin => new[] { Whole(exit.Exit), exit.Population, entry.Map, Plain(bin.Low), Plain(bin.High), Whole(bin.Samples), Plain(bin.Confidence), Plain(bin.Accuracy) }))));

    public static string Points(Models.Comparison comparison) => Csv(
        ["method", "variant", "accuracy_ratio", "wire_bytes", "device_macs", "device_file_bytes", "note"],
        comparison.Points.Select(point => new[] { point.Method, point.Variant, Plain(point.Accuracy), Plain(point.Wire?.Value), Plain(point.Device?.Value), Plain(point.DeviceFile?.Value), point.Note }));

    private static IEnumerable<string> Exits(StudiedModel model, string name, bool last) =>
        Enumerable.Range(1, model.Card.StageCount - (last ? 0 : 1)).Select(exit => string.Format(CultureInfo.InvariantCulture, name, exit));

    private static string Whole(int value) => value.ToString(CultureInfo.InvariantCulture);
}
