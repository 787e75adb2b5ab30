using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Radios;

/// <summary>What a LoRa device does with a message that fits no frame.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Oversize>))]
public enum Oversize
{
    [JsonStringEnumMemberName("split")] Split,
    [JsonStringEnumMemberName("refuse")] Refuse,
}

/// <summary>Where LoRa devices stand and how they send.</summary>
public sealed record LoraSpec
{
    /// <summary>Devices stand anywhere in the ring between these distances from their gateway.</summary>
    [JsonPropertyName("distance_min_m")] public double DistanceMin { get; init; } = 50;

    /// <summary>Farthest that a device stands from its gateway.</summary>
    [JsonPropertyName("distance_max_m")] public double DistanceMax { get; init; } = 1000;

    /// <summary>Standard deviation of what hills and houses add to the path loss, drawn once for each device. K: 7.8 dB, as measured with the path loss below.</summary>
    [JsonPropertyName("shadowing_db")] public double Shadowing { get; init; } = 7.8;

    /// <summary>7 to 12; absent: the least that reaches the gateway with a margin of 10 dB, as adaptive data rate would settle on.</summary>
    [JsonPropertyName("spreading_factor")] public int? Spreading { get; init; }

    /// <summary>Those that its devices hop among, by their names.</summary>
    [JsonPropertyName("sub_bands")] public IReadOnlyList<string> SubBands { get; init; } = [SubBand.All[0].Name];

    /// <summary>What becomes of a message that is longer than a frame may be.</summary>
    [JsonPropertyName("oversize")] public Oversize Oversize { get; init; } = Oversize.Split;

    /// <summary>Sensitivity of devices at 125 kHz by spreading factor from 7, dBm. D: SX1276 data sheet, as quoted in doi:10.3390/s16091466.</summary>
    private static readonly double[] DeviceSensitivity = [-123, -126, -129, -132, -133, -136];

    /// <summary>The gateway sends as strongly as the device: one path loss both ways.</summary>
    public static bool HearsGateway(double power, int spreading) => power >= DeviceSensitivity[spreading - AirTime.SpreadingMin];

    /// <summary>What arrives at the gateway, dBm.</summary>
    /// <param name="place">The device's own luck with places.</param>
    public double PowerAtGateway(LoraPart part, SeededRandom place)
    {
        var distance = Math.Sqrt(DistanceMin * DistanceMin + (DistanceMax * DistanceMax - DistanceMin * DistanceMin) * place.NextDouble());
        return part.Power.Value - LoraLink.PathLoss(distance) - Shadowing * place.NextNormal();
    }

    public IEnumerable<string> Faults()
    {
        if (!(DistanceMin is >= 1 and <= 100_000)) yield return $"radio.lora.distance_min_m is {DistanceMin}; allowed: 1 to 100000";
        if (!(DistanceMax >= DistanceMin && DistanceMax <= 100_000)) yield return $"radio.lora.distance_max_m is {DistanceMax}; allowed: distance_min_m ({DistanceMin}) to 100000";
        if (!(Shadowing is >= 0 and <= 30)) yield return $"radio.lora.shadowing_db is {Shadowing}; allowed: 0 to 30";
        if (Spreading is < AirTime.SpreadingMin or > AirTime.SpreadingMax) yield return $"radio.lora.spreading_factor is {Spreading}; allowed: 7 to 12";
        if (SubBands.Count == 0) yield return "radio.lora.sub_bands is empty; at least one is needed";
        foreach (var name in SubBands.Where(name => SubBand.All.All(band => band.Name != name))) yield return $"radio.lora.sub_bands holds \"{name}\"; allowed: {string.Join(", ", SubBand.All.Select(band => band.Name))}";
    }
}
