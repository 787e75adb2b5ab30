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

/// <summary>What one pair of axes shows.</summary>
/// <param name="Title">Above it.</param>
/// <param name="X">The horizontal axis.</param>
/// <param name="Y">The vertical axis; what lies outside of it is cut off.</param>
public sealed record Panel(string Title, Scale X, Scale Y, IReadOnlyList<Series> Series)
{
    public IReadOnlyList<Level> Levels { get; init; } = [];

    /// <summary>Whether the line x = y is drawn.</summary>
    public bool HasDiagonal { get; init; }
}
