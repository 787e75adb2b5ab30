using System.Globalization;

namespace Fleet.Emulator.Fitting;

/// <summary>One question asked of many measured figures, and how far the answers were off.</summary>
/// <param name="Bar">What the mean absolute error must not exceed; null where none was set.</param>
public sealed record ErrorLine(string Question, IReadOnlyList<LeftOut> Answers, double? Bar)
{
    private List<double> Sizes => [.. Answers.Select(answer => Math.Abs(answer.Error)).Order()];

    public double Mean => Sizes.Average();

    public double Median => Sizes[Sizes.Count / 2];

    public LeftOut Worst => Answers.MaxBy(answer => Math.Abs(answer.Error))!;

    public bool Holds => Bar is null || Mean <= Bar;
}

/// <summary>The leave-one-out errors of the method, as they stand in hardware-profiles/README.md and as `fleet profile errors` prints them.</summary>
public static class ErrorTable
{
    /// <summary>A board with fewer networks has no fit of its own to speak of.</summary>
    private const int ManyNetworks = 5;

    public static readonly IReadOnlyList<string> Columns = ["question", ">figures", ">mean", ">median", "worst", "bar"];

    public static IReadOnlyList<ErrorLine> Lines(MeasuredTables tables)
    {
        var left = new LeaveOneOut(tables);
        bool IsMicrocontroller(MeasuredSystem system) => system.Target.World == "microcontroller";
        bool IsPi(MeasuredSystem system) => system.Target.Family == "ncnn/fp32" && system.Rows.Count >= ManyNetworks;
        var oneBenchmark = left.Latencies(IsMicrocontroller, Hidden.AllButOne);
        return
        [
            new("board with five networks or more, one left out: microcontrollers", left.Latencies(system => IsMicrocontroller(system) && system.Rows.Count >= ManyNetworks, Hidden.Row), 0.10),
            new("board with five networks or more, one left out: Raspberry Pis, fp32", left.Latencies(IsPi, Hidden.Row), 0.10),
            new("Raspberry Pi, fp32, a network that nobody ran", left.Latencies(IsPi, Hidden.Network), 0.20),
            new("Raspberry Pi, fp32, a new board calibrated with mobilenet", left.Latencies(IsPi, Hidden.AllButOne), 0.15),
            new("new microcontroller calibrated with kws, its stack measured on another board", [.. oneBenchmark.Where(answer => answer.HasSameStackElsewhere)], 0.15),
            new("new microcontroller calibrated with kws, stack measured nowhere else", [.. oneBenchmark.Where(answer => !answer.HasSameStackElsewhere)], null),
            new("microcontroller, one row left out", left.Latencies(IsMicrocontroller, Hidden.Row), null),
            new("microcontroller, one row left out, all its board's other stacks too", left.Latencies(IsMicrocontroller, Hidden.Board), null),
            new("microcontroller, a network that nobody ran", left.Latencies(IsMicrocontroller, Hidden.Network), null),
            new("edge server on its processor, one of three rows left out", left.Latencies(system => system.Target.Family == "ncnn/fp32" && system.Rows.Count < ManyNetworks, Hidden.Row), null),
            new("edge server on its GPU, one of three rows left out", left.Latencies(system => system.Target.Family == "ncnn/gpu", Hidden.Row), null),
            new("accelerator, one row left out", left.Latencies(system => system.Target.World == "accelerator", Hidden.Row), null),
            new("energy of a microcontroller from its power in other networks and the measured time", left.Energies(IsMicrocontroller), 0.10),
            new("energy of an accelerator, likewise", left.Energies(system => system.Target.World == "accelerator"), null),
        ];
    }

    public static IReadOnlyList<string> Cells(ErrorLine line) =>
    [
        line.Question,
        line.Answers.Count.ToString(CultureInfo.InvariantCulture),
        Percent(line.Mean),
        Percent(line.Median),
        $"{Percent(line.Worst.Error, signed: true)}, {line.Worst.Network.Name} on {line.Worst.System.Target.Board}",
        line.Bar is { } bar ? Percent(bar) + (line.Holds ? "" : " MISSED") : "",
    ];

    private static string Percent(double ratio, bool signed = false) => (ratio * 100).ToString(signed ? "+0.0;-0.0" : "0.0", CultureInfo.InvariantCulture) + " %";
}
