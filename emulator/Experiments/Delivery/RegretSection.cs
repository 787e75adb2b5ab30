using System.Globalization;
using Fleet.Emulator.Plots;
using Fleet.Emulator.Reporting;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>What all seeds of one horizon gave.</summary>
/// <param name="First">The first seed; the others follow it.</param>
public sealed record RegretRow(RegretRate Rate, Popularity Popularity, int Slots, long First, IReadOnlyList<RegretPoint> Seeds)
{
    public Estimate Of(Func<RegretPoint, double> figure) => Statistics.Of([.. Seeds.Select(figure)]);
}

/// <summary>Plain INFIDA's regret against the horizon, and where it comes from.</summary>
public static class RegretSection
{
    public static readonly IReadOnlyList<int> Horizons = [100, 316, 1000, 3162, 10_000];

    /// <summary>Rows know nothing of each other: two threads give what one gives.</summary>
    public static IReadOnlyList<RegretRow> Run(long seed, int seeds)
    {
        var rows = Enum.GetValues<RegretRate>().SelectMany(rate => Enum.GetValues<Popularity>().SelectMany(popularity => Horizons.Select(slots => (rate, popularity, slots)))).ToList();
        return [.. rows.AsParallel().AsOrdered().WithDegreeOfParallelism(2)
            .Select(row => new RegretRow(row.rate, row.popularity, row.slots, seed, [.. Enumerable.Range(0, seeds).Select(i => RegretPoint.Of(row.popularity, row.rate, row.slots, seed + i))]))];
    }

    public static void Write(Report report, IReadOnlyList<RegretRow> rows)
    {
        report.Paragraph("## Regret").Paragraph(
            $"Plain INFIDA on a tree of eight nodes, six tasks, alpha 100; popularity fixed, sliding every 50 slots, or an adversary that asks for what was not held. Means of {rows[0].Seeds.Count} seeds with 95 % intervals, in ms a request. "
            + "*Promised* is (1 - 1/e) of the best fixed fractional allocation less what was gained: what the theorem bounds. Below 0 the promise is more than kept; *above 0* is the mean of its positive part. "
            + "*Fractional* is the best fixed fractional allocation itself less the gain of the fractional allocations, *bound* what it cannot exceed at the theorem's rate. *Kept* is the share of the fractional allocations' gain that rounding leaves (63.21 % at least, in the mean).")
            .Paragraph("The theorem's rate is made anew for each horizon, as one over its root, from sizes, budgets and what a slot could save at most, before anything is asked for. "
            + "The rate that scales itself (which all other sections use) needs no horizon.");
        report.Table(["rate", "requests", ">slots", ">best fractional", ">promised", ">above 0", ">fractional", ">bound", ">kept", ">promised at the optimum"], rows.Select(row => (IReadOnlyList<string>)
        [
            Name(row.Rate), Word(row.Popularity), Number(row.Slots), Shown(row.Of(point => point.Optimum)), Shown(row.Of(point => point.Promised)), Fixed(row.Of(point => Math.Max(0, point.Promised)).Mean),
            Shown(row.Of(point => point.Fractional)), row.Rate is RegretRate.Theorem ? Fixed(row.Of(point => point.Bound).Mean) : Nothing, Percent(row.Of(point => point.Kept).Mean), Shown(row.Of(point => point.PromisedAtOptimum)),
        ]));
        report.Paragraph(string.Join("\n", Enum.GetValues<RegretRate>().Select(rate => $"* {Capital(Name(rate))}: {Verdict(rows, rate)}")));
        report.Paragraph(Reason(rows));
        report.Csv("regret.csv", ["rate", "requests", "slots", "seed", "optimum_ms_per_request", "promised_regret_ms_per_request", "fractional_regret_ms_per_request", "fractional_bound_ms_per_request", "kept_ratio", "promised_at_optimum_ms_per_request"],
            rows.SelectMany(row => row.Seeds.Select((point, i) => (IReadOnlyList<string>)
            [
                Word(row.Rate), Word(row.Popularity), Plain(row.Slots), Plain(row.First + i), Plain(point.Optimum), Plain(point.Promised), Plain(point.Fractional), row.Rate is RegretRate.Theorem ? Plain(point.Bound) : Nothing, Plain(point.Kept), Plain(point.PromisedAtOptimum),
            ])));
        report.Plot("regret.svg", SvgPlot.Draw("regret of plain INFIDA a slot against the horizon",
        [
            Panel(rows, "promised: (1 - 1/e) best - gained", point => point.Promised),
            Panel(rows, "fractional: best - fractional gain", point => point.Fractional),
        ], width: 440, height: 320), "regret a slot against the horizon");
    }

    /// <summary>Falls and rises, counted as such where the mean of the next horizon is lower, or is not.</summary>
    private static string Verdict(IReadOnlyList<RegretRow> rows, RegretRate rate)
    {
        var all = rows.Where(row => row.Rate == rate).ToList();
        return $"the promised regret falls with every longer horizon under {Falling(all, point => point.Promised)}, the fractional one under {Falling(all, point => point.Fractional)}; "
            + $"of the {Steps(all).Count} steps to a longer horizon the promised one falls in {Steps(all).Count(step => step.High < 0)} beyond what seeds explain, and rises so in {Steps(all).Count(step => step.Low > 0)}; "
            + $"the mean of the promised one is above 0 in {all.Count(row => row.Of(point => point.Promised).Mean > 0)} of {all.Count} rows"
            + (rate is RegretRate.Theorem ? $", and the fractional one is below its bound in {all.Sum(row => row.Seeds.Count(point => point.Fractional <= point.Bound))} of {all.Sum(row => row.Seeds.Count)} runs." : ".");
    }

    /// <summary>Which part of the promised regret rises where it rises.</summary>
    private static string Reason(IReadOnlyList<RegretRow> rows)
    {
        var text = "**Why the signed figure need not fall.** It is the sum of (1 - 1/e) times the fractional regret, which learning answers for and the theorem sends to 0, and of (1 - 1/e) less the share kept, times what the fractional allocations gain, "
            + "which is never above 0 in the mean and which no theorem orders by the horizon. So the figure does not end at 0, nor does it fall for ever: as learning's part vanishes it comes near to what it is at an optimum (the last column: "
            + "the linear programme's own allocation, rounded anew in each slot), from above or from below. The optimum of sliding requests changes with the horizon, too: "
            + $"{Fixed(Best(Horizons[0]))} at {Number(Horizons[0])} slots, in which two rankings of six have been in force, and {Fixed(Best(Horizons[1]))} at {Number(Horizons[1])}; (1 - 1/e) of that difference is in the fall between these two.";
        foreach (var group in rows.GroupBy(row => (row.Rate, row.Popularity)))
        {
            var (least, last) = (group.MinBy(row => row.Of(point => point.Promised).Mean)!, group.Last());
            if (least == last) continue;
            text += $" With {Name(group.Key.Rate)} under {Word(group.Key.Popularity)} requests it rises from {Number(least.Slots)} to {Number(last.Slots)} slots by {Shown(Rise(least, last))}: "
                + $"learning's part goes from {Fixed(Learnt(least))} to {Fixed(Learnt(last))}, rounding's from {Fixed(Rounded(least))} to {Fixed(Rounded(last))}; at the optimum it is {Fixed(last.Of(point => point.PromisedAtOptimum).Mean)}.";
        }
        return text;

        double Best(int slots) => rows.First(row => row.Popularity is Popularity.Sliding && row.Slots == slots).Of(point => point.Optimum).Mean;

        static double Learnt(RegretRow row) => row.Of(point => RegretPoint.Factor * point.Fractional).Mean;

        static double Rounded(RegretRow row) => row.Of(point => RegretPoint.Factor * point.FractionalGain - point.Gain).Mean;
    }

    /// <summary>What the next horizon adds to the promised regret, seed by seed.</summary>
    private static List<Estimate> Steps(List<RegretRow> rows) =>
        [.. rows.GroupBy(row => row.Popularity).SelectMany(group => group.Zip(group.Skip(1))).Select(pair => Rise(pair.First, pair.Second))];

    private static Estimate Rise(RegretRow from, RegretRow to) => Statistics.OfDifferences([.. from.Seeds.Select(point => point.Promised)], [.. to.Seeds.Select(point => point.Promised)]);

    private static string Falling(List<RegretRow> rows, Func<RegretPoint, double> figure)
    {
        var groups = rows.GroupBy(row => row.Popularity).ToList();
        var falling = groups.Where(group => group.Zip(group.Skip(1)).All(pair => pair.Second.Of(figure).Mean < pair.First.Of(figure).Mean)).Select(group => Word(group.Key)).ToList();
        return falling.Count == groups.Count ? "all three kinds of requests" : falling.Count == 0 ? "none of the three kinds of requests" : string.Join(" and ", falling) + " requests only";
    }

    private static Panel Panel(IReadOnlyList<RegretRow> rows, string title, Func<RegretPoint, double> figure) => new(title,
        Scale.Logarithmic("slots", Horizons.Select(slots => (double)slots), Scale.Number),
        Scale.Linear("regret in ms a request", rows.Select(row => row.Of(figure).Mean).Append(0), Scale.Number),
        [.. rows.GroupBy(row => (row.Rate, row.Popularity)).Select(group => new Series($"{Word(group.Key.Popularity)}, {Name(group.Key.Rate)}", [.. group.Select(row => new PlotPoint(row.Slots, row.Of(figure).Mean))], group.Key.Rate is RegretRate.Scaled ? Joint.Dashed : Joint.Solid))]);

    private static string Name(RegretRate rate) => rate is RegretRate.Theorem ? "the theorem's rate" : "a rate that scales itself";

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    private static string Shown(Estimate estimate) => $"{Fixed(estimate.Mean)} ± {Fixed(estimate.HalfWidth ?? 0)}";

    private static string Fixed(double value) => value.ToString("F2", CultureInfo.InvariantCulture);

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
