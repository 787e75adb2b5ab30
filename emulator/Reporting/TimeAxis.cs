using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Plots;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Reporting;

/// <summary>The time of a run as its plots show it: in the unit that its length asks for, divided into bins, with the faults in it.</summary>
public sealed class TimeAxis
{
    private const int TicksMax = 7;
    private static readonly (string Unit, double Seconds, double[] Steps)[] Units =
    [
        ("s", 1, [1, 2, 5, 10, 20, 30, 60, 100, 200, 300]),
        ("min", 60, [1, 2, 5, 10, 15, 20, 30, 40, 60]),
        ("h", 3600, [1, 2, 3, 6, 12, 24]),
        ("d", 86_400, [1, 2, 5, 7, 10, 14, 30, 60, 90, 180, 365, 730, 1825, 3650]),
    ];

    private readonly (string Unit, double Seconds, double[] Steps) unit;
    private readonly Seconds bin, reached;

    /// <param name="stages">When something changes as the scenario says.</param>
    /// <param name="reached">The run's end: bins beyond it are empty, and the last may be shorter than the others.</param>
    public TimeAxis(Seconds bin, Seconds reached, IReadOnlyList<FaultSpec> faults, IReadOnlyList<StageSpec> stages)
    {
        (this.bin, this.reached) = (bin, reached);
        unit = Units[reached.Value <= 1800 ? 0 : reached.Value <= 4 * 3600 ? 1 : reached.Value <= 4 * 86_400 ? 2 : 3];
        var whole = reached.Value / unit.Seconds;
        var step = unit.Steps.FirstOrDefault(step => whole / step <= TicksMax, unit.Steps[^1]);
        Scale = new Scale($"time in {unit.Unit}", 0, whole, IsLogarithmic: false, Scale.Number) { At = [.. Enumerable.Range(0, (int)(whole / step + 1e-9) + 1).Select(i => i * step)] };
        Notches = [.. stages.Select((stage, i) => new Notch((i + 1).ToString(CultureInfo.InvariantCulture), stage.At.Value / unit.Seconds))];
        // A run that ended before its time has not come to all of them.
        Spans = [.. faults.Index().Where(fault => fault.Item.At < reached).Select(fault => new Span(Letter(fault.Index), fault.Item.At.Value / unit.Seconds, Math.Min(fault.Item.End.Value, reached.Value) / unit.Seconds))];
    }

    public Scale Scale { get; }

    /// <summary>Begins of stages in the order of the scenario, each under its number.</summary>
    public IReadOnlyList<Notch> Notches { get; }

    /// <summary>Faults in the order of the scenario, each under its letter.</summary>
    public IReadOnlyList<Span> Spans { get; }

    /// <summary>A, B, ..., Z, AA, ...</summary>
    public static string Letter(int fault) => fault < 26 ? ((char)('A' + fault)).ToString() : Letter(fault / 26 - 1) + Letter(fault % 26);

    /// <summary>How long a bin lasted; 0 or less when the run was over.</summary>
    public double LengthOf(int at) => Math.Min(bin.Value, reached.Value - at * bin.Value);

    public double Begin(int at) => at * bin.Value / unit.Seconds;

    public double Middle(int at) => (at * bin.Value + LengthOf(at) / 2) / unit.Seconds;

    public double End(int at) => (at * bin.Value + LengthOf(at)) / unit.Seconds;

    /// <summary>What is told of bins to who points at them; bins without anything to tell are left out.</summary>
    public IReadOnlyList<Hint> Hints(int bins, Func<int, string?> text) =>
        [.. Enumerable.Range(0, bins).Select(at => (at, Text: text(at))).Where(pair => pair.Text is not null).Select(pair => new Hint(Begin(pair.at), End(pair.at), $"{Round(Begin(pair.at))} to {Round(End(pair.at))} {unit.Unit}: {pair.Text}"))];

    /// <summary>A line through the bins' middles, interrupted where there is no value.</summary>
    public IEnumerable<Series> Line(string name, int bins, Func<int, double?> value, Joint joint = Joint.Solid)
    {
        var points = new List<PlotPoint>();
        for (var at = 0; at <= bins; at++)
        {
            if (at < bins && LengthOf(at) > 0 && value(at) is { } known) points.Add(new PlotPoint(Middle(at), known));
            else if (points.Count > 0)
            {
                yield return new Series(name, [.. points], joint, HasMarks: points.Count == 1);
                points.Clear();
            }
        }
    }

    /// <summary>A band through the bins' middles, interrupted where there is none.</summary>
    public IEnumerable<Area> Band(string name, int bins, Func<int, (double Low, double High)?> reach)
    {
        var points = new List<Reach>();
        for (var at = 0; at <= bins; at++)
        {
            if (at < bins && LengthOf(at) > 0 && reach(at) is var (low, high)) points.Add(new Reach(Middle(at), low, high));
            else if (points.Count > 0)
            {
                yield return new Area(name, [.. points], IsFaint: true);
                points.Clear();
            }
        }
    }

    /// <summary>Layers upon each other, from the bottom; a layer without any height is left out.</summary>
    public IReadOnlyList<Area> Stack(int bins, IEnumerable<(string Name, Func<int, double> Height)> layers)
    {
        var ground = new double[bins];
        var areas = new List<Area>();
        foreach (var (name, height) in layers)
        {
            var points = new List<Reach>();
            for (var at = 0; at < bins && LengthOf(at) > 0; at++)
            {
                var top = ground[at] + height(at);
                // Flat over the bin: what is shown is a mean, and ends where the bin ends.
                points.Add(new Reach(Begin(at), ground[at], top));
                points.Add(new Reach(End(at), ground[at], top));
                ground[at] = top;
            }
            if (points.Exists(point => point.High > point.Low)) areas.Add(new Area(name, points));
        }
        return areas;
    }

    private static string Round(double time) => Math.Round(time, 2).ToString("0.##", CultureInfo.InvariantCulture);
}
