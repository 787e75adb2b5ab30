using System.Globalization;

namespace Fleet.Contracts;

/// <summary>What a number may be, both ends included: said once for the flag and for the field of a file that set it.</summary>
public readonly record struct Bounds(double Least, double Most)
{
    /// <summary>A flag's value, as it is.</summary>
    /// <exception cref="FaultsException">It is outside.</exception>
    public double Checked(string flag, double value) => Allow(value) ? value : throw new FaultsException(flag, Said(value, ""));

    /// <summary>A duration in seconds, however it was written.</summary>
    /// <inheritdoc cref="Checked(string, double)"/>
    public Seconds Checked(string flag, Seconds value) => Allow(value.Value) ? value : throw new FaultsException(flag, Said(value.Value, " s"));

    /// <summary>One sentence when a field's value is outside, or no number.</summary>
    public IEnumerable<string> Faults(string key, double value)
    {
        if (!Allow(value)) yield return $"{key} {Said(value, "")}";
    }

    public override string ToString() => Range("");

    private bool Allow(double value) => value >= Least && value <= Most;

    private string Said(double value, string unit) => string.Create(CultureInfo.InvariantCulture, $"is {value}{unit}; allowed: {Range(unit)}");

    private string Range(string unit) => string.Create(CultureInfo.InvariantCulture, $"{Least:0.############}{unit} to {Most:0.############}{unit}");
}
