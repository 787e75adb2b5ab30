using System.Globalization;
using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>Which way along a request path a placement message goes, and what for.</summary>
public enum PlacementPhase
{
    /// <summary>Up to the repository: so many requests of the type passed this slot.</summary>
    Demand,

    /// <summary>Up until all requests are served: what could serve them so far, at which cost.</summary>
    Probe,

    /// <summary>Down again: what the dearest of those that serve costs.</summary>
    Price,
}

/// <summary>Topic placement: one step of the distributed INFIDA, for one type of requests.</summary>
public sealed record PlacementControl : Message
{
    /// <summary>Options that one request path can tell of.</summary>
    public const int OffersMax = 96;

    /// <summary>A number in its longest form, and a comma.</summary>
    public const int TextLengthMax = OffersMax * 25;

    [JsonPropertyName("seq")] public required long Slot { get; init; }
    [JsonPropertyName("request_type")] public required int RequestType { get; init; }
    [JsonPropertyName("phase")] public required PlacementPhase Phase { get; init; }
    [JsonPropertyName("requests_count")] public double Requests { get; init; }
    [JsonPropertyName("price_s")] public Seconds Price { get; init; }

    /// <summary>Cost of each option met, in seconds, ascending, separated by commas.</summary>
    [JsonPropertyName("costs")] public string Costs { get; init; } = "";

    /// <summary>Requests that each of them serves.</summary>
    [JsonPropertyName("served")] public string Served { get; init; } = "";

    public static string Join(IEnumerable<double> values) => string.Join(',', values.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));

    /// <summary>The numbers of a text that <see cref="Join"/> made; empty when they are none.</summary>
    public static IReadOnlyList<double> Split(string text)
    {
        var values = new List<double>();
        foreach (var part in text.Length == 0 ? [] : text.Split(','))
        {
            if (!double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)) return [];
            values.Add(value);
        }
        return values;
    }

    private protected override void Check(ref FaultList faults)
    {
        if (RequestType < 0) faults.Add($"request_type is {RequestType}; allowed: 0 or more");
        faults.NotNegative("requests_count", Requests);
        faults.NotNegative("price_s", Price.Value);
        var (costs, served) = (Split(Costs), Split(Served));
        if (costs.Count != served.Count || Costs.Length > 0 != costs.Count > 0) faults.Add("costs and served are no lists of as many numbers");
        if (costs.Count > OffersMax) faults.Add($"costs has {costs.Count} numbers; allowed: {OffersMax}");
        if (costs.Concat(served).Any(value => !(value is >= 0 and < double.PositiveInfinity))) faults.Add("costs or served holds a number below 0");
    }
}
