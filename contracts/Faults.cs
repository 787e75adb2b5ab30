namespace Fleet.Contracts;

/// <summary>What is wrong with something a person gave us, all of it at once. Processes print it and exit with code 2.</summary>
public sealed class FaultsException : Exception
{
    public FaultsException(string subject, IReadOnlyList<string> faults)
        : base(faults.Count == 1 ? $"{subject}: {faults[0]}" : $"{subject}: {faults.Count} faults\n" + string.Join("\n", faults.Select(fault => "  - " + fault)))
    {
        Subject = subject;
        Faults = faults;
    }

    public FaultsException(string subject, string fault) : this(subject, [fault])
    {
    }

    /// <summary>The file, flag or address that is at fault.</summary>
    public string Subject { get; }

    public IReadOnlyList<string> Faults { get; }

    /// <summary>Throws when there is a fault.</summary>
    public static void ThrowIfAny(string subject, IEnumerable<string> faults)
    {
        var all = faults.ToList();
        if (all.Count > 0) throw new FaultsException(subject, all);
    }
}
