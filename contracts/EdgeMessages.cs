using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>Topics desired and reported of an edge server: which tails it holds, and of which model.</summary>
public sealed record TailAssignment : Message
{
    [JsonPropertyName("version")] public required long Version { get; init; }
    [JsonPropertyName("epoch")] public required long Epoch { get; init; }
    [JsonPropertyName("model")] public required string Model { get; init; }
    [JsonPropertyName("card_sha256")] public required string CardSha256 { get; init; }
    [JsonPropertyName("artifacts_url")] public string ArtifactsUrl { get; init; } = "";

    /// <summary>Cuts from which it finishes, separated by commas and in order: "0,1,2".</summary>
    [JsonPropertyName("tails")] public required string Tails { get; init; }
    [JsonPropertyName("temperature")] public double Temperature { get; init; } = 1;
    [JsonPropertyName("report_s")] public Seconds ReportPeriod { get; init; } = new(5);
    [JsonPropertyName("reason")] public string Reason { get; init; } = "";
    [JsonPropertyName("error")] public string Error { get; init; } = "";

    /// <summary>The cuts in <see cref="Tails"/>; empty when it is not a list of numbers.</summary>
    [JsonIgnore]
    public IReadOnlyList<int> Cuts
    {
        get
        {
            var parts = Tails.Length == 0 ? [] : Tails.Split(',');
            var cuts = new List<int>(parts.Length);
            foreach (var part in parts)
            {
                if (!int.TryParse(part, System.Globalization.NumberStyles.None, null, out var cut)) return [];
                cuts.Add(cut);
            }
            return cuts;
        }
    }

    /// <summary>Whether both name the same files: then nothing is to be loaded.</summary>
    public bool HoldsAs(TailAssignment other) => (Model, CardSha256, Tails) == (other.Model, other.CardSha256, other.Tails);

    public bool RunsAs(TailAssignment other) =>
        this with { Version = 0, Epoch = 0, ArtifactsUrl = "", Reason = "", Error = "" } == other with { Version = 0, Epoch = 0, ArtifactsUrl = "", Reason = "", Error = "" };

    public override IEnumerable<string> Faults()
    {
        if (Version < 0) yield return $"version is {Version}; allowed: 0 or more";
        if (!Name.IsValid(Model)) yield return Name.Fault("model", Model);
        if (Cuts.Distinct().Count() != Cuts.Count) yield return $"tails is \"{Tails}\"; each cut stands once";
        if (Tails.Length > 0 && Cuts.Count == 0) yield return $"tails is \"{Tails}\"; allowed: cut numbers separated by commas";
        if (!(Temperature is > 0 and <= 100)) yield return $"temperature is {Temperature}; allowed: above 0 to 100";
        if (!(ReportPeriod.Value is >= 0.1 and <= 86400)) yield return $"report_s is {ReportPeriod.Value}; allowed: 0.1 to 86400";
    }
}

/// <summary>Topic load of an edge server: one window.</summary>
public sealed record EdgeLoad : Message
{
    [JsonPropertyName("seq")] public required long Sequence { get; init; }
    [JsonPropertyName("sent_unix_s")] public required Seconds SentAt { get; init; }
    [JsonPropertyName("window_s")] public required Seconds Window { get; init; }
    [JsonPropertyName("queue")] public int Queue { get; init; }
    [JsonPropertyName("queue_max")] public int QueueMax { get; init; }
    [JsonPropertyName("workers")] public int Workers { get; init; }
    [JsonPropertyName("served")] public int Served { get; init; }
    [JsonPropertyName("expired")] public int Expired { get; init; }
    [JsonPropertyName("refused")] public int Refused { get; init; }
    [JsonPropertyName("malformed")] public int Malformed { get; init; }
    [JsonPropertyName("rate_hz")] public Hertz Rate { get; init; }

    /// <summary>Share of the workers' time that was spent computing.</summary>
    [JsonPropertyName("busy_ratio")] public double Busy { get; init; }
    [JsonPropertyName("batch_mean")] public double? BatchMean { get; init; }
    [JsonPropertyName("queue_mean_s")] public Seconds? QueueMean { get; init; }
    [JsonPropertyName("compute_mean_s")] public Seconds? ComputeMean { get; init; }
    [JsonPropertyName("served_total")] public long ServedTotal { get; init; }

    /// <summary>Measured time of each tail held, for one frame, in the batch that paid best; index cut + 1.</summary>
    [JsonPropertyName("tail_{cut}_s")] public PerExit TailSeconds { get; init; } = new();

    public override IEnumerable<string> Faults() =>
    [
        .. NotNegative("window_s", Window.Value), .. NotNegative("queue", Queue), .. NotNegative("workers", Workers), .. NotNegative("served", Served), .. NotNegative("rate_hz", Rate.Value),
        .. Ratio("busy_ratio", Busy), .. NotNegative("batch_mean", BatchMean), .. NotNegative("queue_mean_s", QueueMean?.Value), .. NotNegative("compute_mean_s", ComputeMean?.Value),
        .. TailSeconds.SelectMany((value, cut) => double.IsNaN(value) ? [] : NotNegative($"tail_{cut}_s", value)),
    ];
}
