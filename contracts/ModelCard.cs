using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>
/// The card of a model (card.json): shapes, cost by kernel kind, bytes at each cut, peak memory, calibration, accuracy per exit and
/// per route, file hashes. The SHA-256 of the card's own bytes names the model everywhere else.
/// </summary>
public sealed record ModelCard
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("task")] public required string Task { get; init; }
    [JsonPropertyName("classes")] public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>What the test trace was recorded on.</summary>
    [JsonPropertyName("replays")] public ReplaySet Replays { get; init; }

    /// <summary>Input pixel p enters the network as (p / 255 - mean) / std.</summary>
    [JsonPropertyName("input_mean")] public required double InputMean { get; init; }
    [JsonPropertyName("input_std")] public required double InputStd { get; init; }
    [JsonPropertyName("parameters")] public required long Parameters { get; init; }

    /// <summary>Cuts 0..N-1; cut 0 is the input.</summary>
    [JsonPropertyName("cuts")] public required IReadOnlyList<CutPoint> Cuts { get; init; }

    /// <summary>Stages 1..N in order.</summary>
    [JsonPropertyName("stages")] public required IReadOnlyList<ModelPiece> Stages { get; init; }

    /// <summary>Tails from cut 0 (the whole network, final logits only) to cut N-1.</summary>
    [JsonPropertyName("tails")] public required IReadOnlyList<ModelPiece> Tails { get; init; }

    /// <summary>Numbered from 1 in tensor frames and traces.</summary>
    [JsonPropertyName("bottlenecks")] public IReadOnlyList<BottleneckCard> Bottlenecks { get; init; } = [];
    [JsonPropertyName("exits")] public required IReadOnlyList<ExitCard> Exits { get; init; }
    [JsonPropertyName("routes")] public required IReadOnlyList<RouteCard> Routes { get; init; }
    [JsonPropertyName("calibration_trace")] public required CardFile CalibrationTrace { get; init; }
    [JsonPropertyName("test_trace")] public required CardFile TestTrace { get; init; }
    [JsonPropertyName("drift_traces")] public IReadOnlyList<DriftTrace> DriftTraces { get; init; } = [];
    [JsonPropertyName("provenance")] public required Provenance Provenance { get; init; }

    [JsonIgnore] public int StageCount => Stages.Count;

    /// <summary>Every ONNX file.</summary>
    [JsonIgnore] public IEnumerable<ModelPiece> Pieces => [.. Stages, .. Tails, .. Bottlenecks.SelectMany(bottleneck => new[] { bottleneck.Encoder, bottleneck.Tail })];

    /// <summary>Every file that devices and edge servers install: the pieces, and the tables of bottlenecks.</summary>
    [JsonIgnore] public IEnumerable<StoredFile> StoredFiles => Pieces.Select(piece => piece.Stored).Concat(Bottlenecks.Select(bottleneck => bottleneck.Tables).OfType<StoredFile>());

    /// <summary>The names of all files but the card itself.</summary>
    [JsonIgnore] public IEnumerable<string> Files => StoredFiles.Select(file => file.File).Concat([CalibrationTrace.File, TestTrace.File]).Concat(DriftTraces.Select(trace => trace.File));

    /// <summary>The piece that runs stage <paramref name="stage"/> (1..N).</summary>
    public ModelPiece Stage(int stage) => Stages[stage - 1];

    /// <summary>The piece that finishes from a cut (0..N-1) or a latent.</summary>
    public ModelPiece Tail(TailStart start) => start.Bottleneck == 0 ? Tails[start.Cut] : Bottleneck(start.Bottleneck).Tail;

    /// <summary>The bottleneck of number <paramref name="number"/> (1..).</summary>
    public BottleneckCard Bottleneck(int number) => Bottlenecks[number - 1];

    /// <summary>The number (1..) of the bottleneck of that name; 0 for "", null when the card has none such.</summary>
    public int? NumberOf(string bottleneck)
    {
        if (bottleneck.Length == 0) return 0;
        for (var i = 0; i < Bottlenecks.Count; i++)
            if (Bottlenecks[i].Name == bottleneck) return i + 1;
        return null;
    }

    /// <summary>The name of the bottleneck of a number; "" for 0, as <see cref="NumberOf"/> has it.</summary>
    public string NameOf(int number) => number == 0 ? "" : Bottleneck(number).Name;

    /// <summary>The route a line of <see cref="Routes"/> describes. Throws <see cref="FaultsException"/> when it names a bottleneck that the card has not.</summary>
    public Route RouteOf(RouteCard route) => new(route.Cut, route.Codec, NumberOf(route.Bottleneck) ?? throw new FaultsException(Name, UnknownBottleneck(route.Bottleneck)));

    /// <summary>The tensor that crosses on a route: the cut, or the latent of the bottleneck at it.</summary>
    public CutPoint Crossing(TailStart start) => start.Bottleneck == 0 ? Cuts[start.Cut] : Bottleneck(start.Bottleneck).Latent;

    /// <summary>Says that a bottleneck does not exist, and which do.</summary>
    public string UnknownBottleneck(string name) =>
        $"bottleneck is \"{name}\"; {Name} has {(Bottlenecks.Count == 0 ? "none" : string.Join(", ", Bottlenecks.Select(bottleneck => bottleneck.Name)))}";

    /// <summary>The exit after stage <paramref name="exit"/> (1..N).</summary>
    public ExitCard Exit(int exit) => Exits[exit - 1];

    /// <summary>The cost of the head of <paramref name="head"/> stages (0..N), exits included.</summary>
    public KernelWork HeadWork(int head) => Stages.Take(head).Aggregate(new KernelWork(), (sum, stage) => sum + stage.Work);

    /// <summary>What is inconsistent, one sentence a fault; empty when the card is sound.</summary>
    public IEnumerable<string> Faults() => [.. CountFaults(), .. NumberFaults(), .. BottleneckFaults(), .. RouteFaults(), .. FileFaults()];

    private IEnumerable<string> CountFaults()
    {
        var n = Stages.Count;
        if (n == 0) yield return "stages is empty; a model has at least one";
        if (Tails.Count != n) yield return $"tails has {Tails.Count} entries; one for each cut 0..{n - 1} is needed";
        if (Cuts.Count != n) yield return $"cuts has {Cuts.Count} entries; one for each cut 0..{n - 1} is needed";
        if (Exits.Count != n) yield return $"exits has {Exits.Count} entries; one for each stage 1..{n} is needed";
        if (Classes.Count < 2) yield return $"classes has {Classes.Count} names; at least 2 are needed";
        if (!(InputStd > 0)) yield return $"input_std is {InputStd}; it must be above 0";
    }

    private IEnumerable<string> NumberFaults()
    {
        for (var i = 0; i < Stages.Count; i++)
        {
            if (Stages[i].Index != i + 1) yield return $"stages[{i}].index is {Stages[i].Index}; it must be {i + 1}";
            if (i < Tails.Count && Tails[i].Index != i) yield return $"tails[{i}].index is {Tails[i].Index}; it must be {i}";
            if (i < Cuts.Count && Cuts[i].Cut != i) yield return $"cuts[{i}].cut is {Cuts[i].Cut}; it must be {i}";
            if (i < Exits.Count && !(Exits[i].Temperature > 0)) yield return $"exits[{i}].temperature is {Exits[i].Temperature}; it must be above 0";
        }
        foreach (var cut in Cuts)
        {
            if (cut.ShapeFault is { } fault) yield return $"cuts[{cut.Cut}].{fault}";
            if (cut.ZeroPoint is < sbyte.MinValue or > sbyte.MaxValue) yield return $"cuts[{cut.Cut}].zero_point is {cut.ZeroPoint}; allowed: -128 to 127";
        }
    }

    private IEnumerable<string> BottleneckFaults()
    {
        if (Bottlenecks.Count > byte.MaxValue) yield return $"bottlenecks has {Bottlenecks.Count} entries; allowed: {byte.MaxValue}, the numbers of a tensor frame";
        var names = string.Join(',', Bottlenecks.Select(bottleneck => bottleneck.Name));
        if (names.Length > ProtocolLint.TextLengthMax) yield return $"the names of all bottlenecks have {names.Length} characters; allowed: {ProtocolLint.TextLengthMax}, since an edge server's desired lists them";
        foreach (var twice in Bottlenecks.GroupBy(bottleneck => bottleneck.Name).Where(same => same.Count() > 1)) yield return $"bottlenecks: \"{twice.Key}\" stands {twice.Count()} times";
        foreach (var (bottleneck, i) in Bottlenecks.Select((bottleneck, i) => (bottleneck, i)))
            foreach (var fault in bottleneck.Faults($"bottlenecks[{i}]", i + 1, Stages.Count)) yield return fault;
    }

    private IEnumerable<string> RouteFaults()
    {
        foreach (var line in Routes)
        {
            if (NumberOf(line.Bottleneck) is not { } number)
            {
                yield return $"routes: {UnknownBottleneck(line.Bottleneck)}";
                continue;
            }
            var route = new Route(line.Cut, line.Codec, number);
            if (!route.IsLawful || route.Cut >= Stages.Count) yield return $"route {route} does not exist; images cross at cut 0, tensors at cuts 1..{Stages.Count - 1}, coded only behind a bottleneck";
            if (number > 0 && Bottleneck(number).Cut != route.Cut) yield return $"route {route}: bottleneck \"{line.Bottleneck}\" is at cut {Bottleneck(number).Cut}";
            if (route.Codec is FeatureCodec.Coded && number > 0 && Bottleneck(number).Tables is null) yield return $"route {route}: bottleneck \"{line.Bottleneck}\" has no tables to code with";
        }
        foreach (var twice in Routes.GroupBy(line => (line.Cut, line.Codec, line.Bottleneck)).Where(same => same.Count() > 1)) yield return $"routes: cut {twice.Key.Cut} {Route.CodecName(twice.Key.Codec)} \"{twice.Key.Bottleneck}\" stands {twice.Count()} times";
    }

    private IEnumerable<string> FileFaults()
    {
        foreach (var file in Files)
            if (file.Contains('/', StringComparison.Ordinal) || file.Contains('\\', StringComparison.Ordinal) || file.StartsWith('.')) yield return $"file \"{file}\" must be a plain name beside the card";
        foreach (var trace in DriftTraces.Where(trace => !Contracts.Name.IsValid(trace.Drift))) yield return Contracts.Name.Fault("drift", trace.Drift);
        foreach (var twice in DriftTraces.GroupBy(trace => (trace.Drift, trace.Set)).Where(same => same.Count() > 1)) yield return $"drift_traces: {twice.Key.Drift} of the {twice.Key.Set} set stands {twice.Count()} times";
    }
}
