using Fleet.Contracts;

namespace Fleet.Emulator.Fitting;

/// <summary>What is hidden when a measured time is predicted.</summary>
public enum Hidden
{
    /// <summary>This row: the board's other rows and all other systems are known.</summary>
    Row,

    /// <summary>The network, everywhere: nobody has ever run it.</summary>
    Network,

    /// <summary>The board with whatever stack, but for its other rows with this one.</summary>
    Board,

    /// <summary>The board, but for one benchmark (kws, or mobilenet on Linux boards).</summary>
    AllButOne,
}

/// <summary>A measured figure that was predicted without it.</summary>
/// <param name="Error">Predicted over measured, less one.</param>
/// <param name="HasSameStackElsewhere">Whether another board was measured with the very stack.</param>
public sealed record LeftOut(MeasuredSystem System, Network Network, double Error, bool HasSameStackElsewhere);

/// <summary>Predicts what was measured, each time from what is left when the answer is hidden.</summary>
public sealed class LeaveOneOut(MeasuredTables tables)
{
    /// <summary>Fewer rows than this do not leave enough to call it a fit.</summary>
    private const int FewestRows = 3;

    private static readonly string[] Calibrations = ["kws", "mobilenet"];

    private readonly Dictionary<(string System, string? Hidden), Donor> donors = [];

    /// <summary>Every latency of the chosen systems that the question can be asked of.</summary>
    public IReadOnlyList<LeftOut> Latencies(Func<MeasuredSystem, bool> chosen, Hidden hidden) =>
        [.. tables.Systems.Where(chosen).SelectMany(system => system.Rows.Select(row => Latency(system, row, hidden)).OfType<LeftOut>())];

    /// <summary>Every energy of the chosen systems: the power of the system's other energy runs times the measured latency.</summary>
    public IReadOnlyList<LeftOut> Energies(Func<MeasuredSystem, bool> chosen) =>
    [
        .. from system in tables.Systems.Where(chosen)
           from row in system.Rows.Where(row => row.Energy is not null)
           where system.Rows.Any(other => other != row && other.Energy is not null)
           let power = ActivePower.Of(tables, system, system.Target, row.Network.Name)!
           select new LeftOut(system, row.Network, power.Power * row.Latency / row.Energy!.Value - 1, HasSameStackElsewhere(system)),
    ];

    private LeftOut? Latency(MeasuredSystem system, MeasuredRow row, Hidden hidden)
    {
        var known = hidden is Hidden.AllButOne
            ? system.Times.Where(time => time.Network != row.Network && Calibrations.Contains(time.Network.Name)).Take(1).ToList()
            : system.Times.Where(time => time.Network != row.Network).ToList();
        if (known.Count == 0 || (hidden is not Hidden.AllButOne && system.Rows.Count < FewestRows)) return null;
        if (hidden is Hidden.AllButOne && Calibrations.Contains(row.Network.Name)) return null;
        var others = tables.Systems.Where(other => MayGive(other, system, hidden)).Select(other => Donor(other, hidden is Hidden.Network ? row.Network.Name : null));
        var time = StackTransfer.Predict(system.Target, row.Network, known, others)!.Time;
        return new LeftOut(system, row.Network, time / row.Latency - 1, HasSameStackElsewhere(system));
    }

    /// <summary>The same board with the same stack is the same measurement by somebody else: never a donor here.</summary>
    private static bool MayGive(MeasuredSystem donor, MeasuredSystem system, Hidden hidden) =>
        donor.Target.World == system.Target.World
        && (donor.Target.BoardKey != system.Target.BoardKey || (hidden is Hidden.Row && !donor.Target.IsSameStackAs(system.Target)));

    private bool HasSameStackElsewhere(MeasuredSystem system) =>
        tables.Systems.Any(other => other.Target.BoardKey != system.Target.BoardKey && other.Target.IsSameStackAs(system.Target));

    private Donor Donor(MeasuredSystem system, string? hidden)
    {
        var key = (system.Id, system.Row(hidden ?? "") is null ? null : hidden);
        return donors.TryGetValue(key, out var donor) ? donor : donors[key] = new Donor(system, hidden);
    }
}
