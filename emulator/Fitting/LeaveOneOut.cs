using Fleet.Contracts;
using Fleet.Models.Profiling;

namespace Fleet.Emulator.Fitting;

/// <summary>What is hidden when a measured time is predicted.</summary>
public enum Hidden
{
    /// <summary>This row: the board's other rows and all other systems are known.</summary>
    Row,

    /// <summary>The network, everywhere: nobody has ever run it.</summary>
    Network,

    /// <summary>The network's whole family, everywhere.</summary>
    Family,

    /// <summary>The board with whatever stack, but for its other rows with this one.</summary>
    Board,

    /// <summary>The board, but for one benchmark.</summary>
    AllButOne,

    /// <summary>All boards with this core, but for one benchmark of this one.</summary>
    CoreButOne,

    /// <summary>The board's rows with this stack, all of them: its other stacks are known.</summary>
    Stack,

    /// <summary>The board altogether: its clock alone is known.</summary>
    AllButTheClock,
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

    /// <summary>Networks that are built of the same blocks; others are a family by their first word.</summary>
    private static readonly string[][] Families =
    [
        ["mobilenet", "mobilenet_v2", "mobilenet_v3", "mnasnet", "proxylessnasnet", "efficientnet_b0"],
        ["shufflenet", "shufflenet_v2"],
        ["resnet18", "resnet50"],
        ["squeezenet", "googlenet"],
        ["alexnet", "vgg16"],
    ];

    private readonly Dictionary<(string System, string Hidden), Donor> donors = [];

    /// <summary>Every latency of the chosen systems that the question can be asked of.</summary>
    /// <param name="chosen">Whose.</param>
    /// <param name="hidden">What is not known.</param>
    /// <param name="calibration">The one benchmark that is known of a board, where one is.</param>
    public IReadOnlyList<LeftOut> Latencies(Func<MeasuredSystem, bool> chosen, Hidden hidden, string calibration = "") =>
        [.. tables.Systems.Where(chosen).SelectMany(system => system.Rows.Select(row => Latency(system, row, hidden, calibration)).OfType<LeftOut>())];

    /// <summary>Every energy of the chosen systems: the power of the system's other energy runs times the measured latency.</summary>
    public IReadOnlyList<LeftOut> Energies(Func<MeasuredSystem, bool> chosen) =>
    [
        .. from system in tables.Systems.Where(chosen)
           from row in system.Rows.Where(row => row.Energy is not null)
           where system.Rows.Any(other => other != row && other.Energy is not null)
           let power = ActivePower.Of(tables, system, system.Target, row.Network.Name)!
           select new LeftOut(system, row.Network, power.Power * row.Latency / row.Energy!.Value - 1, HasSameStackElsewhere(system)),
    ];

    /// <summary>Every energy of the chosen systems, from the power of the system's other energy runs and the time that is predicted when the row is hidden.</summary>
    public IReadOnlyList<LeftOut> EnergiesAndTimes(Func<MeasuredSystem, bool> chosen)
    {
        var times = Latencies(chosen, Hidden.Row).ToDictionary(answer => (answer.System, answer.Network));
        return [.. Energies(chosen).Where(energy => times.ContainsKey((energy.System, energy.Network))).Select(energy => energy with { Error = (1 + energy.Error) * (1 + times[(energy.System, energy.Network)].Error) - 1 })];
    }

    private LeftOut? Latency(MeasuredSystem system, MeasuredRow row, Hidden hidden, string calibration)
    {
        if (Known(system, row, hidden, calibration) is not { } known) return null;
        var gone = hidden switch { Hidden.Network => [row.Network.Name], Hidden.Family => Family(row.Network.Name), _ => (IReadOnlyList<string>)[] };
        var others = tables.Systems.Where(other => MayGive(other, system, hidden)).Select(other => Donor(other, gone));
        return StackTransfer.Predict(system.Target, row.Network, known, others) is { } told ? new LeftOut(system, row.Network, told.Time / row.Latency - 1, HasSameStackElsewhere(system)) : null;
    }

    /// <summary>The system's own times that stay known; null when the question cannot be asked.</summary>
    private List<KnownTime>? Known(MeasuredSystem system, MeasuredRow row, Hidden hidden, string calibration)
    {
        if (hidden is Hidden.AllButTheClock or Hidden.Stack) return [];
        if (calibration.Length > 0) return row.Network.Name != calibration && system.Row(calibration) is { } benchmark ? [new KnownTime(benchmark.Network, benchmark.Latency)] : null;
        var gone = hidden is Hidden.Family ? Family(row.Network.Name) : [row.Network.Name];
        var known = system.Times.Where(time => !gone.Contains(time.Network.Name)).ToList();
        return known.Count > 0 && system.Rows.Count >= FewestRows ? known : null;
    }

    private IReadOnlyList<string> Family(string network) =>
        Families.FirstOrDefault(family => family.Contains(network)) ?? [.. tables.Networks.Keys.Where(name => name.Split(' ')[0] == network.Split(' ')[0])];

    /// <summary>The same board with the same stack is the same measurement by somebody else: never a donor here.</summary>
    private static bool MayGive(MeasuredSystem donor, MeasuredSystem system, Hidden hidden) =>
        donor.Target.World == system.Target.World
        && (donor.Target.BoardKey != system.Target.BoardKey || (hidden is Hidden.Row or Hidden.Stack && !donor.Target.IsSameStackAs(system.Target)))
        && !(hidden is Hidden.CoreButOne && donor.Target.Core == system.Target.Core);

    private bool HasSameStackElsewhere(MeasuredSystem system) =>
        tables.Systems.Any(other => other.Target.BoardKey != system.Target.BoardKey && other.Target.IsSameStackAs(system.Target));

    private Donor Donor(MeasuredSystem system, IReadOnlyList<string> hidden)
    {
        var key = (system.Id, string.Join(',', hidden.Where(name => system.Row(name) is not null)));
        return donors.TryGetValue(key, out var donor) ? donor : donors[key] = new Donor(system, hidden);
    }
}
