using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Radios;

namespace Fleet.Emulator.Scenarios;

/// <summary>What devices run on when it is not the mains.</summary>
public sealed record PowerSpec
{
    /// <summary>A cell of hardware-profiles/parts/power.json, and how many of them a device has.</summary>
    [JsonPropertyName("cell")] public required string Cell { get; init; }

    /// <summary>How many of these cells a device has.</summary>
    [JsonPropertyName("cells")] public int Cells { get; init; } = 1;

    /// <summary>Share of its usable charge that it begins with.</summary>
    [JsonPropertyName("charged_ratio")] public double Charged { get; init; } = 1;

    /// <summary>A panel of hardware-profiles/parts/power.json that charges it, lying level under the site's sky; absent: none.</summary>
    [JsonPropertyName("panel")] public string? Panel { get; init; }

    /// <summary>How many of these panels a device has.</summary>
    [JsonPropertyName("panels")] public int Panels { get; init; } = 1;

    /// <summary>Share of the usable charge at which a device that the sun has charged starts again. K: well above the cut-off, or it would fall at once.</summary>
    [JsonPropertyName("restart_ratio")] public double Restart { get; init; } = 0.1;

    /// <summary>What starting again takes, at the power of a board that computes. K: a small Linux board boots for half a minute, a microcontroller for a second.</summary>
    [JsonPropertyName("boot_s")] public Seconds Boot { get; init; } = new(30);

    /// <summary>Drawn while waiting, instead of the profile's idle_w: without the module it counts, or asleep between inputs.</summary>
    [JsonPropertyName("idle_w")] public Watts? Idle { get; init; }

    public Charge ChargeOf(CellPart cell)
    {
        var capacity = cell.UsableEnergy * Cells;
        return new Charge(capacity, capacity * Charged, cell.Leak, capacity * Restart);
    }

    /// <param name="profile">Of the board; null when it is unknown, which is told elsewhere.</param>
    public IEnumerable<string> Faults(SiteSpec site, PowerParts parts, HardwareProfile? profile)
    {
        if (parts.Cell(Cell) is not { } cell) yield return $"power.cell is \"{Cell}\"; allowed: {string.Join(", ", parts.Cells.Select(known => known.Id))}";
        else foreach (var fault in CellFaults(cell, profile)) yield return fault;
        if (Cells is < 1 or > 1000) yield return $"power.cells is {Cells}; allowed: 1 to 1000";
        if (!(Charged is > 0 and <= 1)) yield return $"power.charged_ratio is {Charged}; allowed: above 0 to 1";
        if (!(Restart is > 0 and <= 1)) yield return $"power.restart_ratio is {Restart}; allowed: above 0 to 1";
        if (!(Boot.Value is > 0 and <= 3600)) yield return $"power.boot_s is {Boot.Value}; allowed: above 0 to 3600";
        if (Idle is { } idle && !(idle.Value >= 0 && idle.Value <= (profile?.Power.Active.Value.Value ?? 1000))) yield return $"power.idle_w is {idle.Value}; allowed: 0 to the profile's active_w ({profile?.Power.Active.Value.Value})";
        if (Panels is < 1 or > 1000) yield return $"power.panels is {Panels}; allowed: 1 to 1000";
        if (Panel is null) yield break;
        if (parts.Panel(Panel) is null) yield return $"power.panel is \"{Panel}\"; allowed: {string.Join(", ", parts.Panels.Select(known => known.Id))}";
        if (site.Sky is null) yield return "power.panel needs the site's sky, which is missing";
    }

    /// <summary>A cell that cannot feed the board is no battery for it, however large.</summary>
    private IEnumerable<string> CellFaults(CellPart cell, HardwareProfile? profile)
    {
        if (Panel is not null && !cell.IsRechargeable) yield return $"power.cell \"{cell.Id}\" cannot be charged; leave power.panel out or take a rechargeable cell";
        if (profile is null || Cells < 1) yield break;
        var current = profile.Power.Active.Value * (1.0 / Cells) / cell.Nominal.Value;
        if (current > cell.CurrentMax.Value) yield return $"power.cells is {Cells}; the board's {profile.Power.Active.Value} draw {current} from each {cell.Id}, which gives at most {cell.CurrentMax.Value}";
        else if (cell.Nominal.Value - current * cell.Internal.Value < cell.Cutoff.Value) yield return $"power.cells is {Cells}; at {current} each {cell.Id} sags below its cut-off ({cell.Cutoff.Value})";
    }
}

/// <summary>Devices of one kind.</summary>
public sealed record DeviceGroup
{
    /// <summary>A hardware profile with role device.</summary>
    [JsonPropertyName("board")] public required string Board { get; init; }

    /// <summary>How many devices.</summary>
    [JsonPropertyName("count")] public required int Count { get; init; }

    /// <summary>By which faults and stages name these devices; empty: they are named by their board.</summary>
    [JsonPropertyName("name")] public string Name { get; init; } = "";

    /// <summary>Mean rate of inputs of each device.</summary>
    [JsonPropertyName("rate_hz")] public Hertz Rate { get; init; } = new(1);

    /// <summary>How inputs come.</summary>
    [JsonPropertyName("arrivals")] public Arrivals Arrivals { get; init; } = Arrivals.Poisson;

    /// <summary>Of the kind of arrivals that bears the name; absent: its defaults.</summary>
    [JsonPropertyName("bursty")] public BurstySpec? Bursty { get; init; }

    /// <summary>Of diurnal arrivals; absent: their defaults.</summary>
    [JsonPropertyName("diurnal")] public DiurnalSpec? Diurnal { get; init; }

    /// <summary>Of event arrivals; absent: their defaults.</summary>
    [JsonPropertyName("event")] public EventSpec? Event { get; init; }

    /// <summary>Of recorded arrivals.</summary>
    [JsonPropertyName("recorded")] public RecordedSpec? Recorded { get; init; }

    /// <summary>How the images they see come to differ from those the model was trained on.</summary>
    [JsonPropertyName("drift")] public IReadOnlyList<DriftSpec> Drift { get; init; } = [];

    /// <summary>Share of audits whose label somebody tells.</summary>
    [JsonPropertyName("labelled_ratio")] public double Labelled { get; init; }

    /// <summary>An ideal battery: usable energy when full; absent, and power too: mains.</summary>
    [JsonPropertyName("battery_j")] public Joules? Battery { get; init; }

    /// <summary>Cells that leak and panels that charge them, instead of battery_j.</summary>
    [JsonPropertyName("power")] public PowerSpec? Power { get; init; }

    /// <summary>How long the battery should last; gives the device's energy budget.</summary>
    [JsonPropertyName("lifetime_s")] public Seconds? Lifetime { get; init; }

    /// <summary>Whether its devices sleep between their inputs and reports; their board must be one that can suspend.</summary>
    [JsonPropertyName("sleep")] public bool Sleep { get; init; }

    /// <summary>A link of its own for each device.</summary>
    [JsonPropertyName("link")] public LinkModel Link { get; init; } = new();

    /// <summary>A radio whose air devices share, instead of the link.</summary>
    [JsonPropertyName("radio")] public RadioSpec? Radio { get; init; }

    /// <summary>The board as these devices use it, by which their agents count and the emulator charges.</summary>
    public HardwareProfile Outfit(HardwareProfile profile, RadioParts radios)
    {
        if (Power?.Idle is { } idle)
            profile = profile with { Power = profile.Power with { Idle = new Sourced<Watts> { Value = idle, Confidence = Evidence.Unverified, Source = "the scenario's power.idle_w" } } };
        return Radio is null ? profile : profile with { Radio = radios.Find(Radio.Part)!.Claim(Radio.Lora?.Spreading ?? AirTime.SpreadingMin) };
    }

    /// <summary>Whether inputs come to it as to another state of the same group.</summary>
    public bool ArrivesAs(DeviceGroup other) =>
        (Rate, Arrivals, Bursty, Diurnal, Event, Recorded) == (other.Rate, other.Arrivals, other.Bursty, other.Diurnal, other.Event, other.Recorded);

    /// <summary>What is impossible about it, one sentence a fault.</summary>
    public IEnumerable<string> Faults(SiteSpec site, Scenario scenario, Stock stock)
    {
        if (!stock.IsRole(Board, "device")) yield return $"board is \"{Board}\"; allowed: {stock.Roles("device")}";
        if (Name.Length > 0 && !Contracts.Name.IsValid(Name)) yield return Contracts.Name.Fault("name", Name);
        if (Count is < 1 or > 1_000_000) yield return $"count is {Count}; allowed: 1 to 1000000";
        if (!(Rate.Value is > 0 and <= 1000)) yield return $"rate_hz is {Rate.Value}; allowed: above 0 to 1000";
        if (!(Labelled is >= 0 and <= 1)) yield return $"labelled_ratio is {Labelled}; allowed: 0 to 1";
        if (Battery is { Value: not (> 0 and <= 1e9) } battery) yield return $"battery_j is {battery.Value}; allowed: above 0 to 1e9 (leave it out for mains)";
        if (Battery is not null && Power is not null) yield return "battery_j and power are both given; allowed: one of them";
        if (Lifetime is { Value: not (> 0 and <= 1e9) } lifetime) yield return $"lifetime_s is {lifetime.Value}; allowed: above 0 to 1e9";
        foreach (var fault in SleepFaults(stock)) yield return fault;
        foreach (var fault in Power?.Faults(site, stock.Power, stock.Profiles.GetValueOrDefault(Board)) ?? []) yield return fault;
        foreach (var fault in Link.Faults().Concat(Radio?.Faults(stock.Radios) ?? [])) yield return fault;
        foreach (var fault in ArrivalFaults(scenario, stock)) yield return fault;
        foreach (var fault in Drift.SelectMany((drift, i) => drift.Faults(stock.Models.GetValueOrDefault(scenario.Model)?.Card, scenario.Inference).Select(fault => $"drift[{i}]{fault}"))) yield return fault;
    }

    private IEnumerable<string> ArrivalFaults(Scenario scenario, Stock stock)
    {
        foreach (var (kind, spec) in new (Arrivals, object?)[] { (Arrivals.Bursty, Bursty), (Arrivals.Diurnal, Diurnal), (Arrivals.Event, Event), (Arrivals.Recorded, Recorded) })
            if (spec is not null && Arrivals != kind) yield return $"{JsonNames.Of(kind)} is given; it belongs to arrivals \"{JsonNames.Of(kind)}\", and these are \"{JsonNames.Of(Arrivals)}\"";
        if (Arrivals is Arrivals.Recorded && Recorded is null) yield return "recorded is missing; recorded arrivals need a file";
        var happening = Arrivals is Arrivals.Event ? (Event ?? new EventSpec()).Faults(Count) : [];
        foreach (var fault in (Bursty?.Faults() ?? []).Concat(Diurnal?.Faults() ?? []).Concat(happening).Concat(Recorded?.Faults(scenario.Directory, Count, stock) ?? [])) yield return fault;
    }

    private IEnumerable<string> SleepFaults(Stock stock)
    {
        if (!Sleep || stock.Profiles.GetValueOrDefault(Board) is not { } profile) yield break;
        if (!profile.Power.CanSleep) yield return $"sleep is true; {Board} does not suspend. Boards that do: {string.Join(", ", stock.Profiles.Values.Where(known => known.Power.CanSleep).Select(known => known.Id))}";
        else if (Rate.Value * profile.Power.WakeTime!.Value.Value >= 1) yield return $"sleep is true; at rate_hz {Rate.Value} {Board} has no time to wake, which takes {profile.Power.WakeTime.Value}";
    }
}
