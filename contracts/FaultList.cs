namespace Fleet.Contracts;

/// <summary>Collects what is wrong with a message; costs nothing while nothing is, since every message that arrives is checked.</summary>
internal struct FaultList
{
    /// <summary>All whole numbers up to it are exact in a double (RFC 8259, section 6).</summary>
    public const long OrdinalMax = (1L << 53) - 1;

    private List<string>? faults;

    public readonly IReadOnlyList<string> All => faults ?? [];

    public void Add(string fault) => (faults ??= []).Add(fault);

    public void Ratio(string key, double? value)
    {
        if (value is not (null or (>= 0 and <= 1))) Add($"{key} is {value}; allowed: 0 to 1");
    }

    public void Positive(string key, double? value)
    {
        if (value is not (null or (> 0 and < double.PositiveInfinity))) Add($"{key} is {value}; allowed: above 0");
    }

    public void NotNegative(string key, double? value)
    {
        if (value is not (null or (>= 0 and < double.PositiveInfinity))) Add($"{key} is {value}; allowed: 0 or more");
    }

    /// <summary>A number that only grows: beyond what JSON's readers tell apart, and near where the next one would be negative, nobody could outdo it.</summary>
    public void Ordinal(string key, long value)
    {
        if (value is < 0 or > OrdinalMax) Add($"{key} is {value}; allowed: 0 to {OrdinalMax}");
    }

    /// <param name="key">With {n} in the place of the exit's number, or {cut} in that of the cut's before it.</param>
    /// <param name="mayMiss">Whether a number may be unknown before others that are known.</param>
    public void NotNegative(string key, PerExit values, bool mayMiss = false)
    {
        for (var exit = 1; exit <= values.Count; exit++)
            if (values.Of(exit) is not (>= 0 and < double.PositiveInfinity) && !(mayMiss && double.IsNaN(values.Of(exit)))) NotNegative(Json.ScalarName(key, exit), values.Of(exit));
    }
}
