using System.Globalization;

namespace Fleet.Contracts;

/// <summary>What a number may be, both ends included: said once for the flag and for the field of a file that set it.</summary>
public readonly record struct Bounds(double Least, double Most)
{
    /// <summary>A flag's value, as it is.</summary>
    /// <exception cref="FaultsException">It is outside.</exception>
    public double Checked(string flag, double value)
    {
        FaultsException.ThrowIfAny(flag, Faults("", value).Select(fault => fault.TrimStart()));
        return value;
    }

    /// <summary>A duration in seconds, however it was written.</summary>
    /// <inheritdoc cref="Checked(string, double)"/>
    public Seconds Checked(string flag, Seconds value)
    {
        if (Faults("", value.Value).Any()) throw new FaultsException(flag, string.Create(CultureInfo.InvariantCulture, $"is {value.Value} s; allowed: {Least:0.############} s to {Most:0.############} s"));
        return value;
    }

    /// <summary>One sentence when a field's value is outside, or no number.</summary>
    public IEnumerable<string> Faults(string key, double value)
    {
        if (!(value >= Least && value <= Most)) yield return string.Create(CultureInfo.InvariantCulture, $"{key} is {value}; allowed: {this}");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Least:0.############} to {Most:0.############}");
}
