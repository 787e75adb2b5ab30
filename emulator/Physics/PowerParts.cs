using System.Text.Json.Serialization;
using Fleet.Contracts;

namespace Fleet.Emulator.Physics;

/// <summary>A battery cell from hardware-profiles/parts/power.json.</summary>
public sealed record CellPart
{
    [JsonPropertyName("id")] public required string Id { get; init; }
    [JsonPropertyName("capacity_ah")] public required Sourced<AmpereHours> Capacity { get; init; }
    [JsonPropertyName("nominal_v")] public required Sourced<Volts> Nominal { get; init; }

    /// <summary>Below this a board browns out; what is left in the cell then cannot be used.</summary>
    [JsonPropertyName("cutoff_v")] public required Sourced<Volts> Cutoff { get; init; }

    /// <summary>Share of the capacity that is given before the cut-off.</summary>
    [JsonPropertyName("usable_ratio")] public required Sourced<double> Usable { get; init; }
    [JsonPropertyName("self_discharge_per_month_ratio")] public required Sourced<double> SelfDischarge { get; init; }
    [JsonPropertyName("max_continuous_a")] public required Sourced<Amperes> CurrentMax { get; init; }
    [JsonPropertyName("internal_ohm")] public required Sourced<Ohms> Internal { get; init; }
    [JsonPropertyName("is_rechargeable")] public required bool IsRechargeable { get; init; }

    [JsonIgnore] public Joules UsableEnergy => Capacity.Value * Nominal.Value * Usable.Value;

    /// <summary>Share of the charge that leaks away in a second.</summary>
    [JsonIgnore] public Hertz Leak => new(-Math.Log(1 - SelfDischarge.Value) / (30.44 * 86_400));

    public IEnumerable<string> Faults()
    {
        if (!Name.IsValid(Id)) yield return Name.Fault("id", Id);
        foreach (var (key, value) in new[] { ("capacity_ah", Capacity.Value.Value), ("nominal_v", Nominal.Value.Value), ("cutoff_v", Cutoff.Value.Value), ("max_continuous_a", CurrentMax.Value.Value) })
            if (!(value > 0)) yield return $"{Id}.{key} is {value}; allowed: above 0";
        if (Nominal.Value < Cutoff.Value) yield return $"{Id}.cutoff_v is {Cutoff.Value.Value}; allowed: up to nominal_v ({Nominal.Value.Value})";
        if (!(Usable.Value is > 0 and <= 1)) yield return $"{Id}.usable_ratio is {Usable.Value}; allowed: above 0 to 1";
        if (!(SelfDischarge.Value is >= 0 and < 1)) yield return $"{Id}.self_discharge_per_month_ratio is {SelfDischarge.Value}; allowed: 0 to below 1";
        if (!(Internal.Value.Value >= 0)) yield return $"{Id}.internal_ohm is {Internal.Value.Value}; allowed: 0 or more";
    }
}

/// <summary>A solar panel with its charger from hardware-profiles/parts/power.json.</summary>
public sealed record PanelPart
{
    [JsonPropertyName("id")] public required string Id { get; init; }
    [JsonPropertyName("area_m2")] public required Sourced<SquareMetres> Area { get; init; }
    [JsonPropertyName("efficiency_ratio")] public required Sourced<double> Efficiency { get; init; }

    /// <summary>Share of the panel's power that arrives in the battery.</summary>
    [JsonPropertyName("charger_ratio")] public required Sourced<double> ChargerRatio { get; init; }

    public IEnumerable<string> Faults()
    {
        if (!Name.IsValid(Id)) yield return Name.Fault("id", Id);
        if (!(Area.Value.Value > 0)) yield return $"{Id}.area_m2 is {Area.Value.Value}; allowed: above 0";
        if (!(Efficiency.Value is > 0 and <= 1)) yield return $"{Id}.efficiency_ratio is {Efficiency.Value}; allowed: above 0 to 1";
        if (!(ChargerRatio.Value is > 0 and <= 1)) yield return $"{Id}.charger_ratio is {ChargerRatio.Value}; allowed: above 0 to 1";
    }
}

/// <summary>Cells and panels a device group may name.</summary>
public sealed record PowerParts
{
    [JsonPropertyName("cells")] public required IReadOnlyList<CellPart> Cells { get; init; }
    [JsonPropertyName("panels")] public required IReadOnlyList<PanelPart> Panels { get; init; }

    public CellPart? Cell(string id) => Cells.FirstOrDefault(cell => cell.Id == id);

    public PanelPart? Panel(string id) => Panels.FirstOrDefault(panel => panel.Id == id);

    public IEnumerable<string> Faults()
    {
        foreach (var fault in Cells.SelectMany(cell => cell.Faults()).Concat(Panels.SelectMany(panel => panel.Faults()))) yield return fault;
        foreach (var twice in Cells.Select(cell => cell.Id).Concat(Panels.Select(panel => panel.Id)).GroupBy(id => id).Where(same => same.Count() > 1))
            yield return $"\"{twice.Key}\" stands {twice.Count()} times";
    }
}
