using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>Topics desired and reported of an edge server: which tails it holds, behind cuts and behind bottlenecks, and of which model.</summary>
public sealed record TailAssignment : Message
{
    [JsonPropertyName("version")] public required long Version { get; init; }
    [JsonPropertyName("epoch")] public required long Epoch { get; init; }
    [JsonPropertyName("model")] public required string Model { get; init; }
    [JsonPropertyName("card_sha256")] public required string CardSha256 { get; init; }
    [JsonPropertyName("artifacts_url")] public string ArtifactsUrl { get; init; } = "";

    /// <summary>Cuts from which it finishes, separated by commas and in order: "0,1,2".</summary>
    [JsonPropertyName("tails")] public required string Tails { get; init; }

    /// <summary>Bottlenecks from whose latents it finishes, by name, separated by commas.</summary>
    [JsonPropertyName("bottlenecks")] public string Bottlenecks { get; init; } = "";
    [JsonPropertyName("temperature")] public double Temperature { get; init; } = 1;

    /// <summary>The server behind this one; absent: it finishes all by itself. What comes at a cut before <see cref="PassCut"/> runs here up to there, exit by exit, and goes on as int8 features where none answers.</summary>
    [JsonPropertyName("pass_to")] public string? PassTo { get; init; }
    [JsonPropertyName("pass_cut")] public int? PassCut { get; init; }

    /// <summary>Of the exits up to <see cref="PassCut"/>.</summary>
    [JsonPropertyName("exit_{n}_threshold")] public PerExit Thresholds { get; init; } = PerExit.None;
    [JsonPropertyName("exit_{n}_temperature")] public PerExit Temperatures { get; init; } = PerExit.None;

    /// <summary>hierarchical, or absent: the thresholds decide.</summary>
    [JsonPropertyName("decision")] public DecisionKind? Decision { get; init; }
    [JsonPropertyName("error_price_s")] public Seconds? ErrorPrice { get; init; }
    [JsonPropertyName("outlook")] public string? Outlook { get; init; }

    /// <summary>The model is a group's: how long, twice a sample, what its devices send is waited for. Absent for other models.</summary>
    [JsonPropertyName("gather_s")] public Seconds? Gather { get; init; }
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

    /// <summary>The names in <see cref="Bottlenecks"/>.</summary>
    [JsonIgnore] public IReadOnlyList<string> BottleneckNames => Bottlenecks.Length == 0 ? [] : Bottlenecks.Split(',');

    public bool HoldsCut(int cut)
    {
        foreach (var range in Tails.AsSpan().Split(','))
            if (int.TryParse(Tails.AsSpan(range), System.Globalization.NumberStyles.None, null, out var held) && held == cut) return true;
        return false;
    }

    public bool HoldsBottleneck(string name)
    {
        foreach (var range in Bottlenecks.AsSpan().Split(','))
            if (Bottlenecks.AsSpan(range).SequenceEqual(name)) return true;
        return false;
    }

    /// <summary>Whether it has the tail behind a bottleneck, or, where that is "", behind a cut.</summary>
    public bool Finishes(int cut, string bottleneck) => bottleneck.Length == 0 ? HoldsCut(cut) : HoldsBottleneck(bottleneck);

    /// <summary>Every tail it names, in order. Throws <see cref="FaultsException"/> that lists all a card has not.</summary>
    public IReadOnlyList<TailStart> StartsIn(ModelCard card)
    {
        FaultsException.ThrowIfAny("tails",
        [
            .. Cuts.Where(cut => cut >= card.StageCount).Select(_ => $"is \"{Tails}\"; {card.Name} has cuts 0 to {card.StageCount - 1}").Distinct(),
            .. BottleneckNames.Where(name => card.NumberOf(name) is null).Select(card.UnknownBottleneck),
            .. PassCut >= card.StageCount ? new[] { $"is \"{Tails}\" and pass_cut {PassCut}; {card.Name} has cuts 1 to {card.StageCount - 1} to pass on at" } : [],
        ]);
        return [.. Cuts.Select(cut => new TailStart(cut)), .. BottleneckNames.Select(name => card.NumberOf(name)!.Value).Select(number => new TailStart(card.Bottleneck(number).Cut, number))];
    }

    /// <summary>The same, naming these tails; both lists in the order given.</summary>
    public TailAssignment Naming(IEnumerable<TailStart> starts, ModelCard card)
    {
        var all = starts.ToList();
        return this with
        {
            Tails = string.Join(',', all.Where(start => start.Bottleneck == 0).Select(start => start.Cut)),
            Bottlenecks = string.Join(',', all.Where(start => start.Bottleneck > 0).Select(start => card.Bottleneck(start.Bottleneck).Name)),
        };
    }

    /// <summary>Whether both name the same files: then nothing is to be loaded.</summary>
    public bool HoldsAs(TailAssignment other) => (Model, CardSha256, Tails, Bottlenecks, PassCut) == (other.Model, other.CardSha256, other.Tails, other.Bottlenecks, other.PassCut);

    public bool RunsAs(TailAssignment other) =>
        this with { Version = 0, Epoch = 0, ArtifactsUrl = "", Reason = "", Error = "" } == other with { Version = 0, Epoch = 0, ArtifactsUrl = "", Reason = "", Error = "" };

    private protected override void Check(ref FaultList faults)
    {
        faults.Ordinal("version", Version);
        faults.Ordinal("epoch", Epoch);
        if (!Name.IsValid(Model)) faults.Add(Name.Fault("model", Model));
        if (Cuts.Distinct().Count() != Cuts.Count) faults.Add($"tails is \"{Tails}\"; each cut stands once");
        if (Tails.Length > 0 && Cuts.Count == 0) faults.Add($"tails is \"{Tails}\"; allowed: cut numbers separated by commas");
        foreach (var name in BottleneckNames.Where(name => !Name.IsValid(name))) faults.Add(Name.Fault("bottlenecks", name));
        if (BottleneckNames.Distinct().Count() != BottleneckNames.Count) faults.Add($"bottlenecks is \"{Bottlenecks}\"; each name stands once");
        if (!(Temperature is > 0 and <= 100)) faults.Add($"temperature is {Temperature}; allowed: above 0 to 100");
        if (Gather is { Value: not (> 0 and <= 60) } gather) faults.Add($"gather_s is {gather.Value}; allowed: above 0 to 60");
        if (Gather is not null && (Tails.Length > 0 || Bottlenecks.Length > 0)) faults.Add($"tails is \"{Tails}\" and bottlenecks \"{Bottlenecks}\"; a group's model has neither");
        if (!(ReportPeriod.Value is >= 0.1 and <= 86400)) faults.Add($"report_s is {ReportPeriod.Value}; allowed: 0.1 to 86400");
        CheckPassing(ref faults);
    }

    private void CheckPassing(ref FaultList faults)
    {
        if (PassTo is { } next && !Name.IsValid(next)) faults.Add(Name.Fault("pass_to", next));
        if (PassTo is null != PassCut is null) faults.Add($"pass_to is \"{PassTo}\" and pass_cut {PassCut}; both are given or none");
        if (PassCut is not { } cut) return;
        if (cut is < 1 or >= PerExit.Max) faults.Add($"pass_cut is {cut}; allowed: 1 to {PerExit.Max - 1}");
        if (Thresholds.Count != cut) faults.Add($"{Thresholds.Count} thresholds for pass_cut {cut}; one for each exit up to it is needed");
        if (Temperatures.Count != cut) faults.Add($"{Temperatures.Count} temperatures for pass_cut {cut}; one for each exit up to it is needed");
        if (Thresholds.Any(value => !(value is >= 0 and <= 2))) faults.Add($"thresholds are {Thresholds}; allowed: 0 to 2");
        if (Temperatures.Any(value => !(value is > 0 and <= 100))) faults.Add($"temperatures are {Temperatures}; allowed: above 0 to 100");
        if (Decision is not (null or DecisionKind.Hierarchical)) faults.Add($"decision is {Decision}; allowed: hierarchical, or none");
        if (Decision is not null && (Outlook is null || ErrorPrice is not { Value: > 0 and <= 1e6 })) faults.Add("outlook or error_price_s (above 0 to 1e6) is missing; hierarchical decisions need both");
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
    [JsonPropertyName("tail_{cut}_s")] public PerExit TailSeconds { get; init; } = PerExit.None;

    /// <summary>Likewise of the tail behind each bottleneck held, by its number in the card's list; those beyond the eighth are not told.</summary>
    [JsonPropertyName("bottleneck_{n}_s")] public PerExit BottleneckSeconds { get; init; } = PerExit.None;

    /// <summary>Where memory for tails is limited: what those held take, and since the process began how many were loaded and unloaded, the bytes loaded and the time that took.</summary>
    [JsonPropertyName("held_bytes")] public Bytes? Held { get; init; }
    [JsonPropertyName("loads_total")] public long? LoadsTotal { get; init; }
    [JsonPropertyName("unloads_total")] public long? UnloadsTotal { get; init; }
    [JsonPropertyName("loaded_bytes_total")] public Bytes? LoadedTotal { get; init; }
    [JsonPropertyName("loading_total_s")] public Seconds? LoadingTotal { get; init; }

    private protected override void Check(ref FaultList faults)
    {
        faults.NotNegative("window_s", Window.Value);
        faults.NotNegative("queue", Queue);
        faults.NotNegative("workers", Workers);
        faults.NotNegative("served", Served);
        faults.NotNegative("rate_hz", Rate.Value);
        faults.Ratio("busy_ratio", Busy);
        faults.NotNegative("batch_mean", BatchMean);
        faults.NotNegative("queue_mean_s", QueueMean?.Value);
        faults.NotNegative("compute_mean_s", ComputeMean?.Value);
        faults.NotNegative("tail_{cut}_s", TailSeconds, mayMiss: true);
        faults.NotNegative("bottleneck_{n}_s", BottleneckSeconds, mayMiss: true);
        faults.NotNegative("held_bytes", Held?.Value);
        faults.NotNegative("loads_total", LoadsTotal);
        faults.NotNegative("unloads_total", UnloadsTotal);
        faults.NotNegative("loaded_bytes_total", LoadedTotal?.Value);
        faults.NotNegative("loading_total_s", LoadingTotal?.Value);
    }
}
