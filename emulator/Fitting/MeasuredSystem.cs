using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Profiling;

namespace Fleet.Emulator.Fitting;

/// <summary>One published measurement.</summary>
/// <param name="Energy">Of one inference, at the point its log names; null when it was not measured.</param>
public sealed record MeasuredRow(Network Network, Seconds Latency, Joules? Energy, string Source);

/// <summary>A board, or what stands in for one: all that decides how far another system's rates carry over to it.</summary>
public sealed record Target
{
    public required string Board { get; init; }

    /// <summary>Empty when nobody said.</summary>
    public required string Core { get; init; }

    /// <summary>Null when nobody said.</summary>
    public required Hertz? Clock { get; init; }

    /// <summary>The software without its version: what shares kernels. "root/variant".</summary>
    public required string Family { get; init; }

    /// <summary>Orders the releases of a family; only differences count.</summary>
    public required double Version { get; init; }

    public string Root => Family.Split('/')[0];

    /// <summary>Accelerators say nothing of processors, nor microcontrollers of Linux boards.</summary>
    public string World => Root is "accelerator" or "ncnn" ? Root : "microcontroller";

    /// <summary>What the rows were measured in: microcontrollers and accelerators compute in int8 where nothing else is said.</summary>
    public Precision Precision => IsGpu || Family.Split('/')[^1] is "fp32" or "float" ? Precision.Float32 : Precision.Int8;

    public bool IsGpu => Family == "ncnn/gpu";

    /// <summary>One board under the spellings of several submitters.</summary>
    public string BoardKey => SystemNames.Key(Board) switch
    {
        "nucleoh7a3ziq" => "nucleoh7a3zi",
        "raspberrypi4modelb" => "raspberrypi4b",
        var key => key,
    };

    public bool IsOfCore(Target other) => Core.Length > 0 && Core == other.Core;

    public bool IsSameStackAs(Target other) => Family == other.Family && Version == other.Version;
}

/// <summary>A board with a software stack, as one publisher measured it.</summary>
public sealed record MeasuredSystem
{
    public required string Id { get; init; }
    public required Target Target { get; init; }
    public required string Stack { get; init; }
    public required string Submitter { get; init; }

    /// <summary>Of MLPerf Tiny, or the collection it stands in.</summary>
    public required string Round { get; init; }

    /// <summary>Other names it goes by.</summary>
    public required IReadOnlyList<string> Also { get; init; }
    public required IReadOnlyList<MeasuredRow> Rows { get; init; }

    public IReadOnlyList<KnownTime> Times => [.. Rows.Select(row => new KnownTime(row.Network, row.Latency))];

    public MeasuredRow? Row(string network) => Rows.FirstOrDefault(row => row.Network.Name == network);

    /// <summary>By its name, or under another name of the same layers.</summary>
    public MeasuredRow? Row(Network network) => Row(network.Name) ?? Rows.FirstOrDefault(row => row.Network.Work.IsSameAs(network.Work));
}

/// <summary>The published rows that ship with Fleet: hardware-profiles/measured.</summary>
public sealed class MeasuredTables
{
    /// <exception cref="FaultsException">A table is missing or damaged; all faults of a table at once.</exception>
    public MeasuredTables(string directory)
    {
        Networks = NetworkTable.Read(Path.Combine(directory, "networks.csv"));
        Boards = BoardTable.Read(Path.Combine(directory, "boards.csv"));
        var faults = new List<string>();
        var path = Path.Combine(directory, "rows.csv");
        var rows = CsvTable.Read(path, "system", "network", "latency_ms", "energy_uj", "source").Select(line => (System: line["system"], Row: Row(line, faults))).ToLookup(row => row.System, row => row.Row);
        var systems = CsvTable.Read(Path.Combine(directory, "systems.csv"), "system", "board", "core", "clock_hz", "stack", "family", "version", "also", "submitter", "round");
        Systems = [.. systems.Select(line => System(line, [.. rows[line["system"]].OfType<MeasuredRow>()], faults))];
        faults.AddRange(rows.Select(system => system.Key).Except(Systems.Select(system => system.Id)).Select(unknown => $"system {unknown} is not in systems.csv"));
        FaultsException.ThrowIfAny(path, faults);
        Words = Systems.SelectMany(SystemNames.AllWords).ToHashSet();
    }

    /// <summary>All words in names of stacks.</summary>
    public IReadOnlySet<string> Words { get; }

    public IReadOnlyDictionary<string, Network> Networks { get; }

    /// <summary>In the file's order.</summary>
    public IReadOnlyList<MeasuredSystem> Systems { get; }

    /// <summary>The network under the name that somebody measured it by in a world; itself when nobody did. Publishers name one network differently.</summary>
    public Network NamedAs(Network network, string world)
    {
        bool IsMeasured(string name) => Systems.Any(system => system.Target.World == world && system.Row(name) is not null);
        if (IsMeasured(network.Name)) return network;
        return Networks.Values.FirstOrDefault(other => other.Work.IsSameAs(network.Work) && IsMeasured(other.Name)) is { } same ? network with { Name = same.Name } : network;
    }

    /// <summary>Boards that no system is of.</summary>
    public IReadOnlyList<KnownBoard> Boards { get; }

    public static MeasuredTables Shipped() => new(Path.Combine(ProjectFiles.Find("hardware-profiles"), "measured"));

    public MeasuredSystem System(string id) => Systems.FirstOrDefault(system => system.Id == id) ?? throw new FaultsException("system", $"\"{id}\" is not in systems.csv");

    private MeasuredRow? Row(CsvLine line, List<string> faults)
    {
        var latency = Positive(line, "latency_ms", faults);
        var energy = line["energy_uj"].Length == 0 ? null : Positive(line, "energy_uj", faults);
        if (!Networks.TryGetValue(line["network"], out var network)) faults.Add($"line {line.Line}: network {line["network"]} is not in networks.csv");
        return network is null || latency is null ? null : new MeasuredRow(network, new Seconds(latency.Value / 1e3), energy is { } microjoules ? new Joules(microjoules / 1e6) : null, line["source"]);
    }

    private static MeasuredSystem System(CsvLine line, IReadOnlyList<MeasuredRow> rows, List<string> faults)
    {
        if (rows.Count == 0) faults.Add($"systems.csv, line {line.Line}: {line["system"]} has no rows");
        return new MeasuredSystem
        {
            Id = line["system"],
            Target = new Target
            {
                Board = line["board"],
                Core = line["core"],
                Clock = line["clock_hz"].Length == 0 ? null : new Hertz(Positive(line, "clock_hz", faults) ?? 1),
                Family = line["family"],
                Version = Positive(line, "version", faults) ?? 1,
            },
            Stack = line["stack"],
            Submitter = line["submitter"],
            Round = line["round"],
            Also = line["also"].Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            Rows = rows,
        };
    }

    private static double? Positive(CsvLine line, string column, List<string> faults)
    {
        if (double.TryParse(line[column], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value > 0 && double.IsFinite(value)) return value;
        faults.Add($"line {line.Line}: {column} is \"{line[column]}\"; expected a number above 0");
        return null;
    }
}
