using System.Globalization;
using System.Text;

namespace Fleet.Emulator.Plots;

/// <summary>
/// Draws one panel as an SVG element that lies in a page: the page brings colours and letters (<see cref="Style"/>), title, caption and
/// legend. It is as wide as its place, and small enough to be read on a telephone. The same panel gives the same bytes on any machine.
/// </summary>
public sealed class InlinePlot
{
    private const double Width = 440, Height = 226, Left = 48, Right = 14, Top = 36, Bottom = 34;
    private readonly SvgText svg = new();
    private readonly Panel panel;
    private readonly IReadOnlyList<string> names;
    private readonly Box box;

    private InlinePlot(Panel panel)
    {
        this.panel = panel;
        names = panel.Names;
        // The same for all plots, so that times stand below times.
        box = new Box(Left, Top, Width - Left - Right, Height - Top - Bottom);
    }

    /// <param name="id">Of its own within the page.</param>
    public static string Draw(string id, Panel panel)
    {
        var plot = new InlinePlot(panel);
        plot.Draw(id);
        return plot.svg.ToString();
    }

    /// <summary>Rules of a page for its plots: c0, c1, ... are the colours of names in their order.</summary>
    public static IEnumerable<string> Style()
    {
        yield return ".plot{display:block;width:100%;height:auto;overflow:visible}.plot text{font:12px var(--sans);fill:var(--soft);font-variant-numeric:tabular-nums}";
        yield return ".plot .grid{stroke:var(--rule);stroke-width:1}.plot .axis{stroke:var(--axis);stroke-width:1;fill:none}.plot .level{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 4}";
        yield return ".plot .line{fill:none;stroke:currentColor;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}.plot .dash{stroke-dasharray:5 4}.plot .dot{fill:currentColor}";
        yield return ".plot .area{fill:currentColor;fill-opacity:.82;stroke:var(--paper);stroke-width:.6}.plot .faint{fill-opacity:.16;stroke:none}";
        yield return ".plot .spans{opacity:.13}.plot .span{fill:var(--fault)}.plot .fault{fill:var(--fault);font-weight:600}.plot .hit{fill:transparent}.plot .hit:hover{fill:var(--ink);fill-opacity:.06}";
        yield return string.Concat(Marks.LightColours.Select((colour, i) => $".c{Text(i)}{{color:{colour}}}"));
    }

    /// <summary>The same colours where the page is dark.</summary>
    public static string DarkStyle() => string.Concat(Marks.DarkColours.Select((colour, i) => $".c{Text(i)}{{color:{colour}}}"));

    private void Draw(string id)
    {
        svg.Line($"<svg class=\"plot\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {SvgText.Number(Width)} {SvgText.Number(Height)}\" role=\"img\" aria-labelledby=\"{id}-t\">");
        svg.Line($"<title id=\"{id}-t\">{SvgText.Escape(panel.Title)}</title>");
        svg.Line($"<clipPath id=\"{id}-c\"><rect x=\"{SvgText.Number(box.Left)}\" y=\"{SvgText.Number(box.Top - 1)}\" width=\"{SvgText.Number(box.Width)}\" height=\"{SvgText.Number(box.Height + 2)}\"/></clipPath>");
        Spans();
        Axes();
        svg.Line($"<g clip-path=\"url(#{id}-c)\">");
        foreach (var area in panel.Areas) Draw(area);
        foreach (var level in panel.Levels.Where(level => panel.Y.Share(level.Y) is >= 0 and <= 1)) svg.Element("line", "class", "level", "x1", box.Left, "y1", Y(level.Y), "x2", box.Right, "y2", Y(level.Y));
        foreach (var series in panel.Series) Draw(series);
        foreach (var notch in panel.Notches.Where(notch => panel.X.Share(notch.X) is >= 0 and <= 1)) svg.Element("line", "class", "level", "x1", X(notch.X), "y1", box.Top, "x2", X(notch.X), "y2", box.Bottom);
        svg.Line("</g>");
        svg.Element("line", "class", "axis", "x1", box.Left, "y1", box.Bottom, "x2", box.Right, "y2", box.Bottom);
        LevelNames();
        NamesAbove();
        foreach (var hint in panel.Hints) Draw(hint);
        svg.Line("</svg>");
    }

    private double X(double value) => box.Left + panel.X.Share(value) * box.Width;

    private double Y(double value) => box.Bottom - panel.Y.Share(value) * box.Height;

    private void Axes()
    {
        foreach (var tick in panel.Y.Ticks)
        {
            svg.Element("line", "class", "grid", "x1", box.Left, "y1", Y(tick), "x2", box.Right, "y2", Y(tick));
            svg.Text(panel.Y.Text(tick), "x", box.Left - 6, "y", Y(tick) + 4, "text-anchor", "end");
        }
        foreach (var tick in panel.X.Ticks)
        {
            svg.Element("line", "class", "axis", "x1", X(tick), "y1", box.Bottom, "x2", X(tick), "y2", box.Bottom + 4);
            svg.Text(panel.X.Text(tick), "x", X(tick), "y", box.Bottom + 17, "text-anchor", "middle");
        }
        svg.Text(panel.Y.Title, "x", 0, "y", 12);
        svg.Text(panel.X.Title, "x", box.Right, "y", box.Bottom + 31, "text-anchor", "end");
    }

    /// <summary>As one layer, so that spans at the same time are no darker than one.</summary>
    private void Spans()
    {
        if (panel.Spans.Count == 0) return;
        svg.Line("<g class=\"spans\">");
        foreach (var span in panel.Spans) svg.Element("rect", "class", "span", "x", Inside(span.From), "y", box.Top, "width", Math.Max(1.5, Inside(span.To) - Inside(span.From)), "height", box.Height);
        svg.Line("</g>");
    }

    private double Inside(double value) => Math.Clamp(X(value), box.Left, box.Right);

    private void Draw(Area area)
    {
        if (area.Points.Count == 0) return;
        var path = new StringBuilder();
        foreach (var point in area.Points) path.Append(path.Length == 0 ? 'M' : 'L').Append(At(point.X, point.High));
        foreach (var point in area.Points.Reverse()) path.Append('L').Append(At(point.X, point.Low));
        svg.Element("path", "class", $"area{(area.IsFaint ? " faint" : "")} {Colour(area.Name)}", "d", path.Append('Z').ToString());
    }

    private void Draw(Series series)
    {
        var kind = Colour(series.Name);
        if (series.Joint is not Joint.None && series.Points.Count > 1)
        {
            var path = new StringBuilder();
            foreach (var point in series.Points) path.Append(path.Length == 0 ? 'M' : 'L').Append(At(point.X, point.Y));
            svg.Element("path", "class", $"line {kind}{(series.Joint is Joint.Dashed ? " dash" : "")}", "d", path.ToString());
        }
        if (!series.HasMarks && series.Points.Count > 1) return;
        foreach (var point in series.Points) svg.Element("circle", "class", $"dot {kind}", "cx", X(point.X), "cy", Y(point.Y), "r", 2.4);
    }

    /// <summary>Of levels above their right ends, moved apart where they lie close together.</summary>
    private void LevelNames()
    {
        var free = double.NegativeInfinity;
        foreach (var level in panel.Levels.Where(level => panel.Y.Share(level.Y) is >= 0 and <= 1).OrderByDescending(level => level.Y))
        {
            free = Math.Max(free + 13, Y(level.Y) - 4);
            svg.Text(level.Name, "x", box.Right - 2, "y", free, "text-anchor", "end");
        }
    }

    /// <summary>Of spans above their begins and of notches above their lines, moved apart where they lie close together, and none beyond the right edge.</summary>
    private void NamesAbove()
    {
        const double Gap = 7;
        var placed = panel.Spans.Select(span => (span.Name, Class: "fault", At: Inside(span.From)))
            .Concat(panel.Notches.Where(notch => panel.X.Share(notch.X) is >= 0 and <= 1).Select(notch => (notch.Name, Class: "notch", At: X(notch.X) - FreeRoom.WidthOf(notch.Name) / 2)))
            .OrderBy(name => name.At).ThenBy(name => name.Name.Length).ThenBy(name => name.Name, StringComparer.Ordinal).ToArray();
        for (var i = 1; i < placed.Length; i++) placed[i].At = Math.Max(placed[i].At, placed[i - 1].At + FreeRoom.WidthOf(placed[i - 1].Name) + Gap);
        var free = Width;
        for (var i = placed.Length - 1; i >= 0; i--)
        {
            placed[i].At = Math.Min(placed[i].At, free - FreeRoom.WidthOf(placed[i].Name));
            free = placed[i].At - Gap;
        }
        foreach (var (name, kind, at) in placed) svg.Text(name, "class", kind, "x", at, "y", box.Top - 4);
    }

    private void Draw(Hint hint)
    {
        var (from, to) = (X(hint.From), X(hint.To));
        svg.Line($"<rect class=\"hit\" x=\"{SvgText.Number(from)}\" y=\"{SvgText.Number(box.Top)}\" width=\"{SvgText.Number(Math.Max(1, to - from))}\" height=\"{SvgText.Number(box.Height)}\"><title>{SvgText.Escape(hint.Text)}</title></rect>");
    }

    private string Colour(string name) => $"c{Text(names.Index().First(known => known.Item == name).Index % Marks.Colours)}";

    /// <summary>Tenths of a pixel do: a page has many points.</summary>
    private string At(double x, double y) => string.Create(CultureInfo.InvariantCulture, $"{Math.Round(X(x), 1) + 0.0:0.#} {Math.Round(Math.Clamp(Y(y), -1e4, 1e4), 1) + 0.0:0.#}");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
