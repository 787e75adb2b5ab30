using System.Text.Json.Serialization;
using Fleet.Contracts;

namespace Fleet.Emulator.Radios;

/// <summary>Bursts of loss on the way between a device and its gateway (Gilbert and Elliott): two states with a loss each.</summary>
public sealed record LossSpec
{
    /// <summary>Share of packets that are lost while the link is good.</summary>
    [JsonPropertyName("good_loss_ratio")] public double Good { get; init; } = 0.005;

    /// <summary>Share of packets that are lost while the link is bad.</summary>
    [JsonPropertyName("bad_loss_ratio")] public double Bad { get; init; } = 0.3;

    /// <summary>Mean times that the link stays good, and bad.</summary>
    [JsonPropertyName("good_mean_s")] public Seconds GoodMean { get; init; } = new(30);

    /// <summary>Mean time that the link stays bad.</summary>
    [JsonPropertyName("bad_mean_s")] public Seconds BadMean { get; init; } = new(1);

    public IEnumerable<string> Faults()
    {
        if (!(Good is >= 0 and <= 0.9)) yield return $"radio.loss.good_loss_ratio is {Good}; allowed: 0 to 0.9";
        if (!(Bad is >= 0 and <= 0.99)) yield return $"radio.loss.bad_loss_ratio is {Bad}; allowed: 0 to 0.99";
        if (!(GoodMean.Value is > 0 and <= 1e7)) yield return $"radio.loss.good_mean_s is {GoodMean.Value}; allowed: above 0 to 1e7";
        if (!(BadMean.Value is > 0 and <= 1e7)) yield return $"radio.loss.bad_mean_s is {BadMean.Value}; allowed: above 0 to 1e7";
    }
}

/// <summary>A device group's radio, instead of the simple link: devices contend with each other.</summary>
public sealed record RadioSpec
{
    /// <summary>A radio of hardware-profiles/parts/radios.json; it says which kind this is.</summary>
    [JsonPropertyName("part")] public required string Part { get; init; }

    /// <summary>Access point, gateway or switch: devices that name the same one of their site share it.</summary>
    [JsonPropertyName("cell")] public string Cell { get; init; } = "gateway";

    /// <summary>Round trip between the gateway and the broker, and the mean of the exponential delay that is added each way.</summary>
    [JsonPropertyName("rtt_s")] public Seconds RoundTrip { get; init; } = new(0.002);

    /// <summary>Mean of the exponential delay that is added each way.</summary>
    [JsonPropertyName("jitter_s")] public Seconds Jitter { get; init; } = new(0.0005);

    /// <summary>How the way to the gateway loses packets.</summary>
    [JsonPropertyName("loss")] public LossSpec Loss { get; init; } = new();

    /// <summary>Of a radio of kind lorawan only.</summary>
    [JsonPropertyName("lora")] public LoraSpec? Lora { get; init; }

    public IEnumerable<string> Faults(RadioParts parts)
    {
        var part = parts.Find(Part);
        if (part is null) yield return $"radio.part is \"{Part}\"; allowed: {string.Join(", ", parts.Radios.Select(known => known.Id))}";
        if (part is not null && part.Kind is RadioKind.Lorawan != Lora is not null) yield return $"radio.lora is {(Lora is null ? "missing" : "given")}; it belongs to radios of kind lorawan, and {Part} is {(part.Kind is RadioKind.Lorawan ? "one" : "none")}";
        if (!Name.IsValid(Cell)) yield return Name.Fault("radio.cell", Cell);
        if (!(RoundTrip.Value is >= 0 and <= 60)) yield return $"radio.rtt_s is {RoundTrip.Value}; allowed: 0 to 60";
        if (!(Jitter.Value is >= 0 and <= 60)) yield return $"radio.jitter_s is {Jitter.Value}; allowed: 0 to 60";
        foreach (var fault in Loss.Faults().Concat(Lora?.Faults() ?? [])) yield return fault;
    }
}
