using Fleet.Controller.Pareto;
using Fleet.Emulator.Plots;

namespace Fleet.Emulator.Experiments.Front;

/// <summary>A front in four figures, two at a time.</summary>
public static class FrontPlots
{
    /// <summary>More plans than this are not drawn, but those farthest apart.</summary>
    private const int Drawn = 250;

    private static readonly (string Name, Func<PlanFigures, double> Of, Func<double, string> Text)[] Axes =
    [
        ("accuracy", figures => 1 - figures.Error, Scale.Percent), ("latency, ms", figures => figures.Latency.Value * 1e3, Scale.Number), ("device energy, mJ", figures => figures.Energy.Value * 1e3, Scale.Number), ("bytes on the network", figures => figures.Sent.Value, Scale.Number),
    ];

    /// <summary>Accuracy against each of what it costs.</summary>
    /// <param name="policies">Shown beside the front.</param>
    public static string Accuracy(SiteFront front, IReadOnlyList<(string Name, PlanFigures Figures)> policies) => Draw("accuracy against what it costs", front, policies, [(1, 0), (2, 0), (3, 0)]);

    /// <summary>What is paid against each other.</summary>
    public static string Costs(SiteFront front, IReadOnlyList<(string Name, PlanFigures Figures)> policies) => Draw("what is paid, against each other", front, policies, [(1, 2), (3, 1), (3, 2)]);

    private static string Draw(string title, SiteFront front, IReadOnlyList<(string Name, PlanFigures Figures)> policies, (int X, int Y)[] pairs) =>
        SvgPlot.Draw($"{front.Site}: {title}", [.. pairs.Select(pair => Panel(front, policies, pair.X, pair.Y))], width: 340, height: 320);

    private static Panel Panel(SiteFront front, IReadOnlyList<(string Name, PlanFigures Figures)> policies, int x, int y)
    {
        var (across, up) = (Axes[x], Axes[y]);
        var all = front.Front.Sorted;
        var shown = all.Where((_, i) => all.Count <= Drawn || i * Drawn / all.Count != (i - 1) * Drawn / all.Count).ToList();
        var envelope = Envelope([.. all.Select(point => At(point.Figures))], isUpBetter: y == 0);
        Series[] series =
        [
            new("plans of the front", [.. shown.Select(point => At(point.Figures))], Joint.None),
            new("best of these two alone", envelope, Joint.Solid, HasMarks: false),
            new("points by name", [.. front.Named.Select(named => At(named.Point.Figures) with { Label = named.Name })], Joint.None),
            new("policies", [.. policies.Select(policy => At(policy.Figures) with { Label = policy.Name })], Joint.None),
        ];
        var points = series.SelectMany(one => one.Points).ToList();
        return new Panel($"{up.Name.Split(',')[0]} and {across.Name.Split(',')[0]}", Scale.Linear(across.Name, points.Select(point => point.X), across.Text), Scale.Linear(up.Name, points.Select(point => point.Y), up.Text), [.. series.Where(one => one.Points.Count > 0)]);

        PlotPoint At(PlanFigures figures) => new(across.Of(figures), up.Of(figures));
    }

    /// <summary>From left to right, those that are better upwards than all before.</summary>
    private static IReadOnlyList<PlotPoint> Envelope(List<PlotPoint> points, bool isUpBetter)
    {
        var line = new List<PlotPoint>();
        foreach (var point in points.OrderBy(point => point.X).ThenBy(point => isUpBetter ? -point.Y : point.Y))
            if (line.Count == 0 || (isUpBetter ? point.Y > line[^1].Y : point.Y < line[^1].Y)) line.Add(point);
        return line;
    }
}
