namespace Fleet.Contracts;

/// <summary>Names that stand in topics: sites, devices, edge servers, commands.</summary>
public static class Name
{
    public const int LengthMax = 64;

    /// <summary>1 to 64 lower-case letters, digits and dashes; it begins with a letter or digit.</summary>
    public static bool IsValid(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > LengthMax || name[0] == '-') return false;
        foreach (var c in name)
            if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-')) return false;
        return true;
    }

    public static string Fault(string key, string? name) =>
        $"{key} is \"{name}\"; allowed: 1 to {LengthMax} lower-case letters, digits and dashes, not starting with a dash";
}
