using System.Globalization;

namespace Fleet.Emulator.Plots;

/// <summary>One axis: what it says, from where to where it goes, and where its ticks stand.</summary>
/// <param name="Title">What is plotted and its unit.</param>
/// <param name="From">Lower end; above 0 on a logarithmic axis.</param>
/// <param name="To">Upper end, above <paramref name="From"/>.</param>
/// <param name="IsLogarithmic">Whether equal ratios take equal lengths.</param>
/// <param name="Text">How a tick's value is written.</param>
public sealed record Scale(string Title, double From, double To, bool IsLogarithmic, Func<double, string> Text)
{
    private static readonly double[] Steps = [1, 2, 2.5, 5, 10];
    private static readonly double[] Decade = [1, 2, 5];

    /// <summary>Where a value lies: 0 at the lower end, 1 at the upper, outside of both beyond them.</summary>
    public double Share(double value) => IsLogarithmic ? Math.Log(value / From) / Math.Log(To / From) : (value - From) / (To - From);

    /// <summary>Where ticks stand when round numbers are not round in the axis's unit, as times of day; null for round values.</summary>
    public IReadOnlyList<double>? At { get; init; }

    /// <summary>About so many on a linear axis.</summary>
    public int TicksWanted { get; init; } = 6;

    /// <summary>Round values within the axis: 1, 2 and 5 of each decade on a logarithmic one, fewer where it spans many.</summary>
    public IEnumerable<double> Ticks => At ?? (IsLogarithmic ? LogarithmicTicks() : LinearTicks());

    /// <summary>An axis that holds all values, with a little room at both ends; it starts at 0 when 0 is given.</summary>
    public static Scale Linear(string title, IEnumerable<double> values, Func<double, string> text)
    {
        var (low, high) = Ends(values);
        var room = high > low ? 0.04 * (high - low) : Math.Max(1e-9, 0.04 * Math.Abs(high));
        return new Scale(title, low == 0 ? 0 : low - room, high + room, IsLogarithmic: false, text);
    }

    /// <summary>A logarithmic axis that holds all values, which are above 0.</summary>
    public static Scale Logarithmic(string title, IEnumerable<double> values, Func<double, string> text)
    {
        var (low, high) = Ends(values);
        return new Scale(title, low / 1.25, high * 1.25, IsLogarithmic: true, text);
    }

    public static string Number(double value) => value.ToString("#,0.##", CultureInfo.InvariantCulture);

    public static string Percent(double ratio) => (ratio * 100).ToString("0.##", CultureInfo.InvariantCulture) + " %";

    private static (double Low, double High) Ends(IEnumerable<double> values)
    {
        var all = values.ToArray();
        return (all.Min(), all.Max());
    }

    private IEnumerable<double> LinearTicks()
    {
        var rough = (To - From) / TicksWanted;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = power * Steps.First(step => step * power >= rough * (1 - 1e-9));
        // Whole multiples of the step, so that no tick is off by a sum of roundings; plus 0, so that none is -0.
        for (var i = Math.Ceiling(From / step - 1e-9); i * step <= To + 1e-9 * step; i++) yield return i * step + 0.0;
    }

    private IEnumerable<double> LogarithmicTicks()
    {
        for (var power = Math.Pow(10, Math.Floor(Math.Log10(From))); power <= To; power *= 10)
            foreach (var digit in Decade)
                if (digit * power >= From && digit * power <= To) yield return digit * power;
    }
}
