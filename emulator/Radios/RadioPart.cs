using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Emulator.Physics;

namespace Fleet.Emulator.Radios;

/// <summary>How a radio gets at the air.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RadioKind>))]
public enum RadioKind
{
    [JsonStringEnumMemberName("wifi")] Wifi,
    [JsonStringEnumMemberName("ethernet")] Ethernet,
    [JsonStringEnumMemberName("ble")] Ble,
    [JsonStringEnumMemberName("ieee802154")] Ieee802154,
    [JsonStringEnumMemberName("cellular")] Cellular,
    [JsonStringEnumMemberName("lorawan")] Lorawan,
}

/// <summary>A cellular modem's ways.</summary>
public sealed record CellularPart
{
    /// <summary>Of one waking from power-saving mode, with all the time that the radio then stays on.</summary>
    [JsonPropertyName("wake_j")] public required Sourced<Joules> WakeEnergy { get; init; }
    [JsonPropertyName("wake_s")] public required Sourced<Seconds> WakeTime { get; init; }

    /// <summary>How long the radio stays on after a message.</summary>
    [JsonPropertyName("tail_s")] public required Sourced<Seconds> Tail { get; init; }

    /// <summary>Round trip while it is on.</summary>
    [JsonPropertyName("rtt_s")] public required Sourced<Seconds> RoundTrip { get; init; }
}

/// <summary>A LoRa transceiver's power, above sleep.</summary>
public sealed record LoraPart
{
    [JsonPropertyName("tx_dbm")] public required Sourced<double> Power { get; init; }
    [JsonPropertyName("tx_w")] public required Sourced<Watts> Transmit { get; init; }
    [JsonPropertyName("rx_w")] public required Sourced<Watts> Receive { get; init; }
}

/// <summary>A radio from hardware-profiles/parts/radios.json.</summary>
public sealed record RadioPart
{
    [JsonPropertyName("id")] public required string Id { get; init; }
    [JsonPropertyName("kind")] public required RadioKind Kind { get; init; }

    /// <summary>What the device's agent is told of it, and what bytes cost; LoRa's follow from its spreading factor.</summary>
    [JsonPropertyName("link")] public RadioProfile? Link { get; init; }

    /// <summary>Rate at which a burst occupies the medium: the physical layer's, above the goodput that a device's software reaches.</summary>
    [JsonPropertyName("air_rate_bytes_per_s")] public Sourced<BytesPerSecond> AirRate { get; init; } = Unset(new BytesPerSecond(1));

    /// <summary>What each burst takes besides its bytes: preamble, acknowledgement and the pause between.</summary>
    [JsonPropertyName("access_s")] public Sourced<Seconds> AccessTime { get; init; } = Unset(Seconds.Zero);

    /// <summary>Bytes of a message that one access to the medium carries.</summary>
    [JsonPropertyName("burst_payload_bytes")] public Sourced<Bytes> BurstPayload { get; init; } = Unset(new Bytes(65_535));

    /// <summary>Bluetooth's connection interval.</summary>
    [JsonPropertyName("interval_s")] public Sourced<Seconds> Interval { get; init; } = Unset(Seconds.Zero);

    /// <summary>Once in a device's life: association and address.</summary>
    [JsonPropertyName("association_s")] public Sourced<Seconds> AssociationTime { get; init; } = Unset(Seconds.Zero);
    [JsonPropertyName("association_j")] public Sourced<Joules> AssociationEnergy { get; init; } = Unset(Joules.Zero);
    [JsonPropertyName("cellular")] public CellularPart? Cellular { get; init; }
    [JsonPropertyName("lora")] public LoraPart? Lora { get; init; }

    /// <summary>What an agent may believe of it.</summary>
    /// <param name="spreading">LoRa's spreading factor, as far as the scenario says; ignored by others.</param>
    public RadioProfile Claim(int spreading)
    {
        if (Link is not null) return Link;
        var payload = LoraLink.PayloadMaxOf(spreading);
        var airTime = AirTime.Of(spreading, payload + LoraLink.FrameOverhead);
        var source = $"a full frame at spreading factor {spreading}";
        var each = new JoulesPerByte((Lora!.Transmit.Value * airTime).Value / payload);
        return new RadioProfile
        {
            Kind = "lorawan",
            Goodput = Computed(new BytesPerSecond(payload / airTime.Value), source),
            TxPerByte = Computed(each, source),
            RxPerByte = Computed(each, "taken as for sending"),
            OverheadPerPacket = Computed(new Bytes(LoraLink.FrameOverhead), "LoRaWAN 1.0.x"),
            PacketPayload = Computed(new Bytes(payload), "LoRaWAN regional parameters, EU868"),
        };
    }

    public IEnumerable<string> Faults()
    {
        if (!Name.IsValid(Id)) yield return Name.Fault("id", Id);
        if (Kind is RadioKind.Lorawan != Lora is not null) yield return $"{Id}.lora is {(Lora is null ? "missing" : "given")}; it belongs to kind lorawan";
        if (Kind is RadioKind.Cellular != Cellular is not null) yield return $"{Id}.cellular is {(Cellular is null ? "missing" : "given")}; it belongs to kind cellular";
        if (Kind is RadioKind.Lorawan == Link is not null) yield return $"{Id}.link is {(Link is null ? "missing" : "given")}; it belongs to every kind but lorawan";
        if (Kind is RadioKind.Ble != Interval.Value > Seconds.Zero) yield return $"{Id}.interval_s is {Interval.Value.Value}; kind ble has one above 0, others none";
        if (!(AirRate.Value.Value > 0)) yield return $"{Id}.air_rate_bytes_per_s is {AirRate.Value.Value}; allowed: above 0";
        if (!(BurstPayload.Value.Value >= 1)) yield return $"{Id}.burst_payload_bytes is {BurstPayload.Value.Value}; allowed: 1 or more";
        if (!(AccessTime.Value.Value >= 0)) yield return $"{Id}.access_s is {AccessTime.Value.Value}; allowed: 0 or more";
    }

    private static Sourced<T> Unset<T>(T value) => new() { Value = value, Confidence = Evidence.Unverified, Source = "this kind has none" };

    private static Sourced<T> Computed<T>(T value, string source) => new() { Value = value, Confidence = Evidence.Computed, Source = source };
}

/// <summary>Radios that a device group may name.</summary>
public sealed record RadioParts
{
    [JsonPropertyName("radios")] public required IReadOnlyList<RadioPart> Radios { get; init; }

    public RadioPart? Find(string id) => Radios.FirstOrDefault(radio => radio.Id == id);

    public IEnumerable<string> Faults()
    {
        foreach (var fault in Radios.SelectMany(radio => radio.Faults())) yield return fault;
        foreach (var twice in Radios.GroupBy(radio => radio.Id).Where(same => same.Count() > 1)) yield return $"\"{twice.Key}\" stands {twice.Count()} times";
    }
}
