namespace Fleet.Controller.Placement;

/// <summary>The part of mirror ascent that one node does by itself, whoever tells it the slopes.</summary>
/// <param name="size">Megabytes of each piece the node may hold.</param>
/// <param name="budget">Its megabytes.</param>
public sealed class NodeAscent
{
    /// <summary>Exponents are cut there: one step may lift a piece from the floor to whole.</summary>
    private const double ExponentMax = 40;

    private readonly double[] size, parts;
    private readonly double budget, even;
    private readonly AscentOptions options;
    private double squares;

    public NodeAscent(double[] size, double budget, AscentOptions options)
    {
        (this.size, this.budget, this.options) = (size, budget, options);
        parts = new double[size.Length];
        even = CappedSimplex.Even(size, budget);
        parts.AsSpan().Fill(even);
    }

    public ReadOnlySpan<double> Parts => parts;

    /// <summary>Goes on from another's place.</summary>
    /// <param name="known">Its parts; not a number for what it had no part of, which begins with an even one.</param>
    public void Follow(NodeAscent before, ReadOnlySpan<double> known)
    {
        squares = before.squares;
        for (var i = 0; i < parts.Length; i++) parts[i] = Math.Max(double.IsNaN(known[i]) ? even : known[i], options.Floor);
        CappedSimplex.Project(parts, size, budget);
    }

    /// <summary>One step along slopes, in milliseconds of requests for a whole piece.</summary>
    public void Step(ReadOnlySpan<double> slope)
    {
        if (even >= 1) return;
        var steepest = 0.0;
        for (var i = 0; i < slope.Length; i++) steepest = Math.Max(steepest, Math.Abs(slope[i]) / size[i]);
        squares += steepest * steepest;
        Move(parts, slope);
        if (options.Share == 0) return;
        for (var i = 0; i < parts.Length; i++) parts[i] += options.Share * (even - parts[i]);
    }

    /// <summary>Where a step along expected slopes would lead from here.</summary>
    public double[] Expecting(ReadOnlySpan<double> slope)
    {
        var expecting = (double[])parts.Clone();
        if (even < 1) Move(expecting, slope);
        return expecting;
    }

    private void Move(double[] from, ReadOnlySpan<double> slope)
    {
        var rate = options.IsScaled ? options.Rate / Math.Sqrt(Math.Max(squares, double.Epsilon)) : options.Rate;
        for (var i = 0; i < from.Length; i++)
        {
            from[i] = Math.Max(from[i], options.Floor);
            if (slope[i] != 0) from[i] *= Math.Exp(Math.Min(rate * slope[i] / size[i], ExponentMax));
        }
        CappedSimplex.Project(from, size, budget);
    }
}
