namespace Fleet.Emulator.Plots;

/// <summary>
/// Draws panels side by side over one legend, as SVG text: the same panels give the same bytes on any machine. Colours follow the
/// reader's light or dark preference; the background is drawn, so that it can be read on any page.
/// </summary>
public static class SvgPlot
{
    private const double Left = 74;
    private const double Right = 16;
    private const double Top = 34;
    private const double Bottom = 50;
    private const double LegendRow = 20;

    /// <param name="title">For who cannot see the plot.</param>
    /// <param name="panels">At least one; series of the same name look the same in all.</param>
    /// <param name="width">Of one panel's axes, in pixels.</param>
    /// <param name="height">Of one panel's axes, in pixels.</param>
    public static string Draw(string title, IReadOnlyList<Panel> panels, double width = 720, double height = 400)
    {
        var names = panels.SelectMany(panel => panel.Series).Select(series => series.Name).Distinct().ToList();
        var margin = Right + panels.Max(panel => panel.Levels.Select(level => FreeRoom.WidthOf(level.Name) + 4).DefaultIfEmpty().Max());
        var whole = panels.Count * (Left + width + margin);
        var legend = Legend(names, whole - Left);
        var total = Top + height + Bottom + LegendRow * (legend.Max(entry => entry.Row) + 1);
        var svg = new SvgText();
        svg.Line($"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{SvgText.Number(whole)}\" height=\"{SvgText.Number(total)}\" viewBox=\"0 0 {SvgText.Number(whole)} {SvgText.Number(total)}\" role=\"img\">");
        svg.Line($"<title>{System.Security.SecurityElement.Escape(title)}</title>");
        svg.Line("<style>");
        foreach (var rule in Marks.Style()) svg.Line(rule);
        svg.Line("</style>");
        svg.Element("rect", "class", "back", "width", whole, "height", total, "rx", 6);
        for (var i = 0; i < panels.Count; i++) new PanelDrawing(svg, panels[i], names, new Box(Left + i * (Left + width + margin), Top, width, height), $"clip{i}").Draw();
        foreach (var entry in legend)
        {
            var y = Top + height + Bottom + LegendRow * entry.Row;
            var index = names.IndexOf(entry.Name);
            var named = panels.SelectMany(panel => panel.Series).Where(series => series.Name == entry.Name).ToList();
            if (named.Max(series => series.Joint) is var joint and not Joint.None) svg.Element("line", "class", $"line c{index % Marks.Colours}{(joint is Joint.Dashed ? " dash" : "")}", "x1", Left + entry.X, "y1", y, "x2", Left + entry.X + 22, "y2", y);
            if (named.Any(series => series.HasMarks)) Marks.Draw(svg, index, Left + entry.X + 11, y);
            svg.Text(entry.Name, "x", Left + entry.X + 28, "y", y + 4);
        }
        svg.Line("</svg>");
        return svg.ToString();
    }

    /// <summary>Entries from left to right, in as many rows as they need.</summary>
    private static List<(string Name, double X, int Row)> Legend(List<string> names, double width)
    {
        var (entries, x, row) = (new List<(string, double, int)>(), 0.0, 0);
        foreach (var name in names)
        {
            var needs = 28 + FreeRoom.WidthOf(name) + 22;
            if (x > 0 && x + needs > width) (x, row) = (0, row + 1);
            entries.Add((name, x, row));
            x += needs;
        }
        return entries;
    }
}
