namespace Fleet.Emulator.Plots;

/// <summary>Draws one panel into its box.</summary>
public sealed class PanelDrawing(SvgText svg, Panel panel, List<string> names, Box box, string clip)
{
    private const double MarkRadius = 5;
    private const double LevelSpacing = 14;
    private const double LineStep = 6;

    public void Draw()
    {
        svg.Text(panel.Title, "class", "title", "x", box.Left, "y", box.Top - 14);
        svg.Line($"<clipPath id=\"{clip}\"><rect x=\"{SvgText.Number(box.Left - MarkRadius)}\" y=\"{SvgText.Number(box.Top)}\" width=\"{SvgText.Number(box.Width + 2 * MarkRadius)}\" height=\"{SvgText.Number(box.Height)}\"/></clipPath>");
        Axes();
        Levels();
        svg.Line($"<g clip-path=\"url(#{clip})\">");
        if (panel.HasDiagonal) svg.Element("line", "class", "level", "x1", X(panel.X.From), "y1", Y(panel.X.From), "x2", X(panel.X.To), "y2", Y(panel.X.To));
        foreach (var series in panel.Series.Where(series => series.Joint is not Joint.None)) Line(series);
        foreach (var series in panel.Series.Where(series => series.HasMarks))
            foreach (var point in series.Points) Marks.Draw(svg, names.IndexOf(series.Name), X(point.X), Y(point.Y));
        svg.Line("</g>");
        Labels();
    }

    private double X(double value) => box.Left + panel.X.Share(value) * box.Width;

    private double Y(double value) => box.Bottom - panel.Y.Share(value) * box.Height;

    private bool IsInside(PlotPoint point) => panel.X.Share(point.X) is >= 0 and <= 1 && panel.Y.Share(point.Y) is >= 0 and <= 1;

    private void Axes()
    {
        foreach (var tick in panel.X.Ticks)
        {
            svg.Element("line", "class", "grid", "x1", X(tick), "y1", box.Top, "x2", X(tick), "y2", box.Bottom);
            svg.Text(panel.X.Text(tick), "class", "soft", "x", X(tick), "y", box.Bottom + 17, "text-anchor", "middle");
        }
        foreach (var tick in panel.Y.Ticks)
        {
            svg.Element("line", "class", "grid", "x1", box.Left, "y1", Y(tick), "x2", box.Right, "y2", Y(tick));
            svg.Text(panel.Y.Text(tick), "class", "soft", "x", box.Left - 7, "y", Y(tick) + 4, "text-anchor", "end");
        }
        svg.Element("path", "class", "axis", "d", $"M{SvgText.Number(box.Left)} {SvgText.Number(box.Top)}V{SvgText.Number(box.Bottom)}H{SvgText.Number(box.Right)}");
        svg.Text(panel.X.Title, "class", "soft", "x", box.Left + box.Width / 2, "y", box.Bottom + 35, "text-anchor", "middle");
        var (x, y) = (SvgText.Number(box.Left - 60), SvgText.Number(box.Top + box.Height / 2));
        svg.Text(panel.Y.Title, "class", "soft", "x", box.Left - 60, "y", box.Top + box.Height / 2, "text-anchor", "middle", "transform", $"rotate(-90 {x} {y})");
    }

    /// <summary>Names at the right end, moved apart where levels lie close together.</summary>
    private void Levels()
    {
        var free = double.NegativeInfinity;
        foreach (var level in panel.Levels.Where(level => panel.Y.Share(level.Y) is >= 0 and <= 1).OrderByDescending(level => level.Y).ThenBy(level => level.Name, StringComparer.Ordinal))
        {
            svg.Element("line", "class", "level", "x1", box.Left, "y1", Y(level.Y), "x2", box.Right, "y2", Y(level.Y));
            free = Math.Max(free + LevelSpacing, Y(level.Y) + 4);
            svg.Text(level.Name, "class", "soft", "x", box.Right + 6, "y", free);
        }
    }

    private void Line(Series series) => svg.Element("polyline",
        "class", $"line c{names.IndexOf(series.Name) % Marks.Colours}{(series.Joint is Joint.Dashed ? " dash" : "")}",
        "points", string.Join(' ', series.Points.Select(point => $"{SvgText.Number(X(point.X))},{SvgText.Number(Y(point.Y))}")));

    private void Labels()
    {
        var room = new FreeRoom(box);
        foreach (var series in panel.Series.Where(series => series.HasMarks))
            foreach (var point in series.Points) room.Take(Box.Around(X(point.X), Y(point.Y), MarkRadius));
        foreach (var series in panel.Series.Where(series => series.Joint is not Joint.None))
            foreach (var (from, to) in series.Points.Zip(series.Points.Skip(1))) TakeLine(room, from, to);
        foreach (var point in panel.Series.SelectMany(series => series.Points).Where(point => point.Label.Length > 0 && IsInside(point)))
            if (room.Beside(X(point.X), Y(point.Y), point.Label) is var (x, y)) svg.Text(point.Label, "x", x, "y", y);
    }

    /// <summary>A line as a chain of small boxes, one every few pixels.</summary>
    private void TakeLine(FreeRoom room, PlotPoint from, PlotPoint to)
    {
        var (x, y, width, height) = (X(from.X), Y(from.Y), X(to.X) - X(from.X), Y(to.Y) - Y(from.Y));
        var steps = (int)Math.Ceiling(Math.Sqrt(width * width + height * height) / LineStep);
        for (var step = 0; step <= steps; step++) room.Take(Box.Around(x + width * step / Math.Max(1, steps), y + height * step / Math.Max(1, steps), 1));
    }
}
