using System.Collections;
using System.Globalization;

namespace Fleet.Contracts;

/// <summary>
/// A number for each exit (or stage) 1, 2, ...; equal by value. On the wire it is flattened to one key each, exit_1_threshold,
/// exit_2_threshold and so on, since viewers plot scalars. It is filled while a message is read and fixed from then on.
/// </summary>
public sealed class PerExit : IReadOnlyList<double>, IEquatable<PerExit>
{
    /// <summary>The deepest exit the protocol carries.</summary>
    public const int Max = 8;

    /// <summary>For no exit: one for all, since it is never changed.</summary>
    public static readonly PerExit None = new([]);

    private double[] values;

    /// <param name="values">NaN where a number is unknown. Unknown ones at the end are left off, as they are on the wire.</param>
    public PerExit(ReadOnlySpan<double> values)
    {
        var known = values.Length;
        while (known > 0 && double.IsNaN(values[known - 1])) known--;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(known, Max, nameof(values));
        this.values = values[..known].ToArray();
    }

    /// <inheritdoc cref="PerExit(ReadOnlySpan{double})"/>
    public PerExit(IEnumerable<double> values) : this([.. values])
    {
    }

    public int Count => values.Length;

    double IReadOnlyList<double>.this[int index] => values[index];

    /// <summary>The value of exit <paramref name="exit"/> (1-based).</summary>
    public double Of(int exit) => values[exit - 1];

    /// <summary>Whether all of them are; true of none.</summary>
    public bool AreAbove(double least) => !values.AsSpan().ContainsAnyInRange(double.NegativeInfinity, least);

    public double? Find(int exit) => exit <= values.Length && !double.IsNaN(values[exit - 1]) ? values[exit - 1] : null;

    public IEnumerator<double> GetEnumerator() => values.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Equals(PerExit? other) => other is not null && values.AsSpan().SequenceEqual(other.values);

    public override bool Equals(object? obj) => Equals(obj as PerExit);

    public override int GetHashCode() => values.Length == 0 ? 0 : values[0].GetHashCode() * 31 + values.Length;

    public override string ToString() => "[" + string.Join(" ", values.Select(value => value.ToString("G6", CultureInfo.InvariantCulture))) + "]";

    /// <summary>Itself with one number more, or another when it is <see cref="None"/>. For the reader of messages only: what has been handed over is never changed.</summary>
    internal PerExit Put(int exit, double value)
    {
        if (this == None) return new PerExit([]).Put(exit, value);
        if (exit > values.Length)
        {
            var longer = new double[exit];
            Array.Fill(longer, double.NaN);
            values.CopyTo(longer, 0);
            values = longer;
        }
        values[exit - 1] = value;
        return this;
    }
}
