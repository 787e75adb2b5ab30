using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Emulator.Radios;
using Fleet.Models;

namespace Fleet.Emulator.Scenarios;

/// <summary>
/// Devices of one kind that see one sample together, a view each, as cameras that are triggered together: NAME-1, NAME-2, .... They
/// compute, whatever the scenario's inference: there is no trace for what depends on who is there.
/// </summary>
public sealed record GroupSpec
{
    /// <summary>Of the group; its devices are called NAME-1, NAME-2...</summary>
    [JsonPropertyName("name")] public required string Name { get; init; }

    /// <summary>A group's model; it says how many devices there are.</summary>
    [JsonPropertyName("model")] public string Model { get; init; } = "ddnn";

    /// <summary>A hardware profile with role device.</summary>
    [JsonPropertyName("board")] public required string Board { get; init; }

    /// <summary>Samples a second.</summary>
    [JsonPropertyName("rate_hz")] public Hertz Rate { get; init; } = new(1);

    /// <summary>A link of its own for each of its devices.</summary>
    [JsonPropertyName("link")] public LinkModel Link { get; init; } = new();

    /// <summary>A radio whose air its devices share, instead of the link.</summary>
    [JsonPropertyName("radio")] public RadioSpec? Radio { get; init; }

    /// <summary>The site's edge server that answers it, and nobody else.</summary>
    [JsonPropertyName("edge")] public required string Edge { get; init; }

    /// <summary>How long the edge server waits, twice a sample, for what the devices send.</summary>
    [JsonPropertyName("gather_s")] public Seconds Gather { get; init; } = new(0.1);

    /// <summary>What each member is made of.</summary>
    [JsonIgnore] public DeviceGroup Member => new() { Board = Board, Count = 1, Rate = Rate, Arrivals = Arrivals.Periodic, Link = Link, Radio = Radio };

    /// <summary>The device of view 1...</summary>
    public string DeviceOf(int view) => $"{Name}-{view}";

    /// <summary>As the controller knows it.</summary>
    public ViewGroup In(IReadOnlyDictionary<string, GroupFiles> models) =>
        new(Name, models[Model], Edge, [.. Enumerable.Range(1, models[Model].Card.Views.Count).Select(DeviceOf)], Gather);

    /// <summary>What is impossible about it, one sentence a fault.</summary>
    public IEnumerable<string> Faults(SiteSpec site, Stock stock)
    {
        if (!stock.IsRole(Board, "device")) yield return $"board is \"{Board}\"; allowed: {stock.Roles("device")}";
        if (!(Rate.Value is > 0 and <= 1000)) yield return $"rate_hz is {Rate.Value}; allowed: above 0 to 1000";
        if (!site.Edges.Any(edge => edge.Id == Edge)) yield return $"edge is \"{Edge}\"; allowed: {string.Join(", ", site.Edges.Select(edge => edge.Id))}";
        foreach (var fault in Link.Faults().Concat(Radio?.Faults(stock.Radios) ?? [])) yield return fault;
        if (!stock.Groups.ContainsKey(Model)) yield return $"model is \"{Model}\"; allowed: {string.Join(", ", stock.Groups.Keys)}";
        else foreach (var fault in In(stock.Groups).Faults()) yield return fault;
    }
}
