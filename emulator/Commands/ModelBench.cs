using System.Globalization;
using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Timing;

namespace Fleet.Emulator.Commands;

/// <summary>What a run of one file costs.</summary>
internal sealed record BenchedFile
{
    [JsonPropertyName("piece")] public required string Piece { get; init; }
    [JsonPropertyName("file")] public required string File { get; init; }
    [JsonPropertyName("precision")] public required string Precision { get; init; }

    /// <summary>Whether the card names the file: what devices and edge servers run.</summary>
    [JsonPropertyName("shipped")] public required bool Shipped { get; init; }

    /// <summary>What the export measured of int8 beside fp32 when it chose; "" when nothing of it is kept, or nothing was to choose.</summary>
    [JsonPropertyName("choice")] public string Choice { get; init; } = "";
    [JsonPropertyName("file_bytes")] public required long FileBytes { get; init; }
    [JsonPropertyName("macs")] public required Macs Work { get; init; }
    [JsonPropertyName("time_s")] public required Seconds Time { get; init; }
    [JsonPropertyName("time_lower_quartile_s")] public required Seconds LowerQuartile { get; init; }
    [JsonPropertyName("time_upper_quartile_s")] public required Seconds UpperQuartile { get; init; }
    [JsonPropertyName("macs_per_s")] public required double MacsPerSecond { get; init; }

    /// <summary>Of a further session that has run once.</summary>
    [JsonPropertyName("session_bytes")] public required Bytes Memory { get; init; }
}

/// <summary>A piece of which both precisions lie in the directory.</summary>
internal sealed record BenchedPair
{
    [JsonPropertyName("piece")] public required string Piece { get; init; }

    /// <summary>"int8", "fp32", or "neither" when less than three rounds of four agree.</summary>
    [JsonPropertyName("faster")] public required string Faster { get; init; }
    [JsonPropertyName("int8_over_fp32_time_ratio")] public required double Ratio { get; init; }
    [JsonPropertyName("lower_quartile_ratio")] public required double LowerQuartile { get; init; }
    [JsonPropertyName("upper_quartile_ratio")] public required double UpperQuartile { get; init; }
}

/// <summary>One model, measured.</summary>
internal sealed record ModelBenchReport
{
    [JsonPropertyName("model")] public required string Model { get; init; }
    [JsonPropertyName("card_sha256")] public required string CardSha256 { get; init; }
    [JsonPropertyName("rounds")] public required int Rounds { get; init; }
    [JsonPropertyName("files")] public required IReadOnlyList<BenchedFile> Files { get; init; }
    [JsonPropertyName("pairs")] public required IReadOnlyList<BenchedPair> Pairs { get; init; }
}

/// <summary>`fleet models bench`: what one run of each piece costs on this machine, at batch 1 on one thread.</summary>
internal static class ModelBench
{
    private const string Float32 = "fp32";
    private const string Int8 = "int8";

    public static ModelBenchReport Measure(ModelFiles model, TimingPlan plan, TimeProvider clock, Action<double> progress, CancellationToken stop) =>
        Measure(model.Card.Name, model.CardSha256, BenchFiles.Of(model), plan, clock, progress, stop);

    public static ModelBenchReport Measure(GroupFiles model, TimingPlan plan, TimeProvider clock, Action<double> progress, CancellationToken stop) =>
        Measure(model.Card.Name, model.CardSha256, BenchFiles.Of(model), plan, clock, progress, stop);

    private static ModelBenchReport Measure(string name, string cardSha256, IReadOnlyList<BenchFile> files, TimingPlan plan, TimeProvider clock, Action<double> progress, CancellationToken stop)
    {
        var times = PieceTiming.Measure([.. files.Select(file => new TimedFile(file.Path, file.Content, file.Piece.Work.Total))], plan, clock, progress, stop);
        return new ModelBenchReport
        {
            Model = name,
            CardSha256 = cardSha256,
            Rounds = plan.Rounds,
            Files = [.. files.Zip(times, Benched)],
            Pairs = [.. Pairs(files, times)],
        };
    }

    public static void Print(ModelBenchReport report)
    {
        Console.Out.WriteLine($"{report.Model}: card {report.CardSha256[..16]}; batch 1, one thread, medians of {report.Rounds} interleaved rounds");
        var rows = new List<string[]> { new[] { "piece", "precision", "file", "MACs", "time", "quartiles", "GMAC/s", "memory" } };
        rows.AddRange(report.Files.Select(file => new[]
        {
            file.Piece, file.Precision, $"{file.FileBytes.ToString("N0", CultureInfo.InvariantCulture)} B", file.Work.Value.ToString("N0", CultureInfo.InvariantCulture), Microseconds(file.Time),
            $"{Digits(file.LowerQuartile.Value * 1e6, 1)} to {Digits(file.UpperQuartile.Value * 1e6, 1)}", Digits(file.MacsPerSecond / 1e9, 2), $"{Digits(file.Memory.Value / 1024, 0)} KiB",
        }));
        Figures.Columns(rows);
        foreach (var file in report.Files.Where(file => file.Choice.Length > 0)) Console.Out.WriteLine($"  {file.Piece} ships as {file.Precision}; at export int8 was: {file.Choice}");
        if (report.Files.Any(file => file.Shipped && file.Precision == Int8) && report.Files.All(file => file.Choice.Length == 0) && report.Pairs.Count == 0)
            Console.Out.WriteLine("  Which precision is faster is not known here: nothing is kept of the choice, and no piece lies here in both.");
        foreach (var pair in report.Pairs) Console.Out.WriteLine($"  {pair.Piece}: {Verdict(pair)} (int8 takes {Digits(pair.Ratio, 2)} of fp32's time; quartiles {Digits(pair.LowerQuartile, 2)} to {Digits(pair.UpperQuartile, 2)})");
    }

    private static BenchedFile Benched(BenchFile file, PieceTime time) => new()
    {
        Piece = file.Name,
        File = Path.GetFileName(file.Path),
        Precision = file.IsInt8 ? Int8 : Float32,
        Shipped = file.IsShipped,
        Choice = file.Choice,
        FileBytes = file.Content.Length,
        Work = time.Work,
        Time = Quantity.Rounded(time.Times.Median),
        LowerQuartile = Quantity.Rounded(time.Times.LowerQuartile),
        UpperQuartile = Quantity.Rounded(time.Times.UpperQuartile),
        MacsPerSecond = Quantity.Rounded(time.MacsPerSecond),
        Memory = time.Memory,
    };

    private static IEnumerable<BenchedPair> Pairs(IReadOnlyList<BenchFile> files, IReadOnlyList<PieceTime> times)
    {
        foreach (var both in files.Zip(times).GroupBy(entry => entry.First.Name).Where(entries => entries.Count() == 2))
        {
            var ratio = both.Single(entry => entry.First.IsInt8).Second.Times.Over(both.Single(entry => !entry.First.IsInt8).Second.Times);
            yield return new BenchedPair
            {
                Piece = both.Key,
                Faster = ratio.IsFaster ? Int8 : ratio.IsSlower ? Float32 : "neither",
                Ratio = Quantity.Rounded(ratio.Median),
                LowerQuartile = Quantity.Rounded(ratio.LowerQuartile),
                UpperQuartile = Quantity.Rounded(ratio.UpperQuartile),
            };
        }
    }

    private static string Verdict(BenchedPair pair) => pair.Faster switch
    {
        Int8 => $"int8 is {Digits(1 / pair.Ratio, 2)} times faster",
        Float32 => $"fp32 is {Digits(pair.Ratio, 2)} times faster",
        _ => "neither is faster",
    };

    private static string Microseconds(Seconds time) => Digits(time.Value * 1e6, 1) + " us";

    private static string Digits(double value, int behindPoint) => value.ToString("F" + behindPoint, CultureInfo.InvariantCulture);
}
