namespace Fleet.Emulator.Plots;

/// <summary>A point in the units of its axes.</summary>
/// <param name="Label">Written beside it where there is room; "" for none.</param>
public readonly record struct PlotPoint(double X, double Y, string Label = "");

/// <summary>How the points of a series are joined.</summary>
public enum Joint
{
    /// <summary>Marks only.</summary>
    None,

    Solid,

    Dashed,
}

/// <summary>Points that belong together.</summary>
/// <param name="Name">In the legend; series of one name share an entry, a colour and a mark.</param>
/// <param name="Points">In the order in which they are joined.</param>
/// <param name="HasMarks">Whether each point has a mark.</param>
public sealed record Series(string Name, IReadOnlyList<PlotPoint> Points, Joint Joint = Joint.Solid, bool HasMarks = true);

/// <summary>A level worth comparing with: a dashed line across the panel, its name at the right end.</summary>
public readonly record struct Level(string Name, double Y);

/// <summary>A place on the horizontal axis worth comparing with: a dashed line from bottom to top, its name at the top.</summary>
public readonly record struct Notch(string Name, double X);

/// <summary>From where to where an area reaches at one place.</summary>
public readonly record struct Reach(double X, double Low, double High);

/// <summary>A filled area: a layer of a stack, a band around a line, bars of a histogram.</summary>
/// <param name="Name">In the legend; an area and a series of one name share an entry and a colour.</param>
/// <param name="IsFaint">Whether a line of the same name lies in it.</param>
public sealed record Area(string Name, IReadOnlyList<Reach> Points, bool IsFaint = false);

/// <summary>A stretch of the horizontal axis in which something was the matter.</summary>
/// <param name="Name">One or two letters, at its top.</param>
public readonly record struct Span(string Name, double From, double To);

/// <summary>What is told of a stretch of the horizontal axis to who points at it.</summary>
public readonly record struct Hint(double From, double To, string Text);

/// <summary>What one pair of axes shows.</summary>
/// <param name="Title">Above it.</param>
/// <param name="X">The horizontal axis.</param>
/// <param name="Y">The vertical axis; what lies outside of it is cut off.</param>
public sealed record Panel(string Title, Scale X, Scale Y, IReadOnlyList<Series> Series)
{
    public IReadOnlyList<Level> Levels { get; init; } = [];

    /// <summary>Whether the line x = y is drawn.</summary>
    public bool HasDiagonal { get; init; }

    /// <summary>Drawn by <see cref="InlinePlot"/> only, as all that follow.</summary>
    public IReadOnlyList<Area> Areas { get; init; } = [];

    public IReadOnlyList<Span> Spans { get; init; } = [];

    public IReadOnlyList<Notch> Notches { get; init; } = [];

    public IReadOnlyList<Hint> Hints { get; init; } = [];

    /// <summary>Of areas and series, in the order of their colours.</summary>
    public IReadOnlyList<string> Names => [.. Areas.Select(area => area.Name).Concat(Series.Select(series => series.Name)).Distinct()];
}
