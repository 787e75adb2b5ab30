using System.Globalization;
using Fleet.Models.Profiling;

namespace Fleet.Emulator.Fitting;

/// <summary>One question asked of many measured figures, and how far the answers were off.</summary>
/// <param name="Bar">What the mean absolute error must not exceed; null where none was set.</param>
public sealed record ErrorLine(string Question, IReadOnlyList<LeftOut> Answers, double? Bar)
{
    private List<double> Sizes => [.. Answers.Select(answer => Math.Abs(answer.Error)).Order()];

    public double Mean => Sizes.Average();

    /// <summary>Of an even number the mean of the two in the middle.</summary>
    public double Median => (Sizes[(Answers.Count - 1) / 2] + Sizes[Answers.Count / 2]) / 2;

    public LeftOut Worst => Answers.MaxBy(answer => Math.Abs(answer.Error))!;

    public bool Holds => Bar is null || Mean <= Bar;
}

/// <summary>The leave-one-out errors of the method, as they stand in hardware-profiles/README.md and as `fleet profile errors` prints them.</summary>
public static class ErrorTable
{
    /// <summary>A board with fewer networks has no fit of its own to speak of.</summary>
    private const int ManyNetworks = 5;

    public static readonly IReadOnlyList<string> Columns = ["question", ">figures", ">mean", ">median", "worst", "bar"];

    /// <summary>The bars, and behind them what was not asked: questions further from what is known, by which the method may be judged beyond what it was tuned on.</summary>
    public static IReadOnlyList<ErrorLine> Lines(MeasuredTables tables)
    {
        var left = new LeaveOneOut(tables);
        bool IsMicrocontroller(MeasuredSystem system) => system.Target.World == "microcontroller";
        bool HasMany(MeasuredSystem system) => system.Rows.Count >= ManyNetworks;
        bool IsPi(MeasuredSystem system) => system.Target.Family == "ncnn/fp32" && HasMany(system);
        bool HasOtherStacks(MeasuredSystem system) => tables.Systems.Any(other => other.Target.BoardKey == system.Target.BoardKey && !other.Target.IsSameStackAs(system.Target));
        IReadOnlyList<LeftOut> Elsewhere(IEnumerable<LeftOut> answers) => [.. answers.Where(answer => answer.HasSameStackElsewhere)];
        var oneBenchmark = left.Latencies(IsMicrocontroller, Hidden.AllButOne, "kws");
        var piNetworks = tables.Systems.Where(IsPi).SelectMany(system => system.Rows).Select(row => row.Network.Name).Distinct().Where(name => name != "mobilenet").ToList();
        return
        [
            new("board with five networks or more, one left out: microcontrollers", left.Latencies(system => IsMicrocontroller(system) && HasMany(system), Hidden.Row), 0.10),
            new("board with five networks or more, one left out: Raspberry Pis, fp32", left.Latencies(IsPi, Hidden.Row), 0.10),
            new("Raspberry Pi, fp32, a network that nobody ran", left.Latencies(IsPi, Hidden.Network), 0.20),
            new("Raspberry Pi, fp32, a new board calibrated with mobilenet", left.Latencies(IsPi, Hidden.AllButOne, "mobilenet"), 0.15),
            new("new microcontroller calibrated with kws, its stack measured on another board", Elsewhere(oneBenchmark), 0.15),
            new("energy of a microcontroller from its power in other networks and the measured time", left.Energies(IsMicrocontroller), 0.10),
            new("energy of a microcontroller, one row left out, the time predicted too", left.EnergiesAndTimes(IsMicrocontroller), null),
            new("board with five networks or more, a whole family left out: microcontrollers", left.Latencies(system => IsMicrocontroller(system) && HasMany(system), Hidden.Family), null),
            new("Raspberry Pi, fp32, a whole family that nobody ran", left.Latencies(IsPi, Hidden.Family), null),
            new("Raspberry Pi, fp32, a new core calibrated with mobilenet", left.Latencies(IsPi, Hidden.CoreButOne, "mobilenet"), null),
            new("Raspberry Pi, fp32, a new board calibrated with any one other network", [.. piNetworks.SelectMany(name => left.Latencies(IsPi, Hidden.AllButOne, name))], null),
            new("Raspberry Pi, int8, one row left out", left.Latencies(system => system.Target.Family == "ncnn/int8", Hidden.Row), null),
            new("Raspberry Pi 5 on its GPU, one row left out", left.Latencies(system => system.Target.IsGpu && HasMany(system), Hidden.Row), null),
            new("new microcontroller calibrated with vww, its stack measured on another board", Elsewhere(left.Latencies(IsMicrocontroller, Hidden.AllButOne, "vww")), null),
            new("new microcontroller calibrated with ic, its stack measured on another board", Elsewhere(left.Latencies(IsMicrocontroller, Hidden.AllButOne, "ic")), null),
            new("new microcontroller calibrated with ad, its stack measured on another board", Elsewhere(left.Latencies(IsMicrocontroller, Hidden.AllButOne, "ad")), null),
            new("new microcontroller calibrated with kws, stack measured nowhere else", [.. oneBenchmark.Where(answer => !answer.HasSameStackElsewhere)], null),
            new("microcontroller known with another stack, this one measured on another board, not calibrated", Elsewhere(left.Latencies(system => IsMicrocontroller(system) && HasOtherStacks(system), Hidden.Stack)), null),
            new("Raspberry Pi, fp32, known with other threads or precision, not calibrated", left.Latencies(IsPi, Hidden.Stack), null),
            new("new microcontroller known by its clock only, its stack measured on another board", Elsewhere(left.Latencies(IsMicrocontroller, Hidden.AllButTheClock)), null),
            new("microcontroller, one row left out", left.Latencies(IsMicrocontroller, Hidden.Row), null),
            new("microcontroller, one row left out, all its board's other stacks too", left.Latencies(IsMicrocontroller, Hidden.Board), null),
            new("microcontroller, a network that nobody ran", left.Latencies(IsMicrocontroller, Hidden.Network), null),
            new("edge server on its processor, one of three rows left out", left.Latencies(system => system.Target.Family == "ncnn/fp32" && !HasMany(system), Hidden.Row), null),
            new("edge server on its GPU, one of three rows left out", left.Latencies(system => system.Target.IsGpu && !HasMany(system), Hidden.Row), null),
            new("accelerator, one row left out", left.Latencies(system => system.Target.World == "accelerator", Hidden.Row), null),
            new("energy of an accelerator from its power in other networks and the measured time", left.Energies(system => system.Target.World == "accelerator"), null),
        ];
    }

    public static readonly IReadOnlyList<string> SystemColumns = ["question", "board", "stack", "round", ">figures", ">mean", "worst"];

    /// <summary>The answers of each question by board and stack, in the tables' order.</summary>
    public static IEnumerable<IReadOnlyList<string>> BySystem(IEnumerable<ErrorLine> lines) =>
        from line in lines
        from answers in line.Answers.GroupBy(answer => answer.System)
        let one = line with { Answers = [.. answers] }
        select (IReadOnlyList<string>)[line.Question, answers.Key.Target.Board, answers.Key.Stack, answers.Key.Round, one.Answers.Count.ToString(CultureInfo.InvariantCulture), Percent(one.Mean), $"{Percent(one.Worst.Error, signed: true)}, {one.Worst.Network.Name}"];

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
