using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>How features or inputs are laid out on the wire.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FeatureCodec>))]
public enum FeatureCodec
{
    /// <summary>Nothing crosses.</summary>
    [JsonStringEnumMemberName("none")] None = 0,

    /// <summary>One signed byte an element: value = scale * (q - zero_point).</summary>
    [JsonStringEnumMemberName("int8")] Int8 = 1,

    /// <summary>IEEE 754 half precision, little-endian.</summary>
    [JsonStringEnumMemberName("fp16")] Float16 = 2,

    /// <summary>IEEE 754 single precision, little-endian.</summary>
    [JsonStringEnumMemberName("fp32")] Float32 = 3,

    /// <summary>Cut 0 only: the input's pixels as they are, one byte each.</summary>
    [JsonStringEnumMemberName("raw")] Raw = 4,

    /// <summary>Cut 0 only: the input as a PNG file (lossless).</summary>
    [JsonStringEnumMemberName("png")] Png = 5,

    /// <summary>Cut 0 only: the input as a lossy WebP file of quality 75.</summary>
    [JsonStringEnumMemberName("webp")] Webp = 6,
}

/// <summary>A way of finishing on an edge server: what crosses the network after stage <paramref name="Cut"/>, and how it is coded.</summary>
public readonly record struct Route(int Cut, FeatureCodec Codec)
{
    /// <summary>Whether the pair exists: images cross at cut 0, tensors at every other cut.</summary>
    public bool IsLawful => Cut >= 0 && Codec is not FeatureCodec.None && Enum.IsDefined(Codec) && (Cut == 0) == (Codec is FeatureCodec.Raw or FeatureCodec.Png or FeatureCodec.Webp);

    /// <summary>Every codec by name, separated by commas: what our own agents write and our own edge servers read.</summary>
    public const string AllCodecs = "raw,png,webp,int8,fp16,fp32";

    public override string ToString() => $"cut {Cut} {CodecName(Codec)}";

    public static string CodecName(FeatureCodec codec) => codec switch
    {
        FeatureCodec.None => "none",
        FeatureCodec.Int8 => "int8",
        FeatureCodec.Float16 => "fp16",
        FeatureCodec.Float32 => "fp32",
        FeatureCodec.Raw => "raw",
        FeatureCodec.Png => "png",
        FeatureCodec.Webp => "webp",
        _ => $"codec {(int)codec}",
    };
}

/// <summary>
/// What a piece of network costs to run once, by kernel kind, since software runs the kinds at rates up to seven times apart.
/// Each *_macs key is a count of multiply-accumulates.
/// </summary>
public sealed record KernelWork
{
    /// <summary>Convolutions with fewer than four input channels: they need a rate of their own.</summary>
    [JsonPropertyName("first_conv_macs")] public Macs FirstConv { get; init; }
    [JsonPropertyName("conv_macs")] public Macs Conv { get; init; }
    [JsonPropertyName("pointwise_macs")] public Macs Pointwise { get; init; }
    [JsonPropertyName("depthwise_macs")] public Macs Depthwise { get; init; }
    [JsonPropertyName("dense_macs")] public Macs Dense { get; init; }

    /// <summary>Elements written by convolutions and dense layers.</summary>
    [JsonPropertyName("output_elements")] public long OutputElements { get; init; }

    /// <summary>Convolutions and dense layers.</summary>
    [JsonPropertyName("layers")] public int Layers { get; init; }

    [JsonIgnore] public Macs Total => FirstConv + Conv + Pointwise + Depthwise + Dense;

    public static KernelWork operator +(KernelWork a, KernelWork b) => new()
    {
        FirstConv = a.FirstConv + b.FirstConv,
        Conv = a.Conv + b.Conv,
        Pointwise = a.Pointwise + b.Pointwise,
        Depthwise = a.Depthwise + b.Depthwise,
        Dense = a.Dense + b.Dense,
        OutputElements = a.OutputElements + b.OutputElements,
        Layers = a.Layers + b.Layers,
    };
}

/// <summary>One ONNX file of a model: a stage (features and exit logits; the last stage logits only) or a tail (logits).</summary>
public sealed record ModelPiece
{
    /// <summary>Stage k (1..N), or the cut a tail starts from (0..N-1).</summary>
    [JsonPropertyName("index")] public required int Index { get; init; }
    [JsonPropertyName("file")] public required string File { get; init; }
    [JsonPropertyName("sha256")] public required string Sha256 { get; init; }
    [JsonPropertyName("file_bytes")] public required long FileBytes { get; init; }
    [JsonPropertyName("parameters")] public required long Parameters { get; init; }

    /// <summary>Largest sum of input and output activations of one layer, in bytes of fp32, batch 1.</summary>
    [JsonPropertyName("peak_activation_bytes")] public required long PeakActivationBytes { get; init; }
    [JsonPropertyName("work")] public required KernelWork Work { get; init; }
}

/// <summary>A cut: its tensor, and how int8 crosses it (a range of training features, chosen by accuracy on the calibration set).</summary>
public sealed record CutPoint
{
    [JsonPropertyName("cut")] public required int Cut { get; init; }

    /// <summary>Channels, height, width.</summary>
    [JsonPropertyName("shape")] public required IReadOnlyList<int> Shape { get; init; }
    [JsonPropertyName("scale")] public float Scale { get; init; } = 1;
    [JsonPropertyName("zero_point")] public int ZeroPoint { get; init; }

    [JsonIgnore] public int Elements => Shape.Aggregate(1, (product, extent) => product * extent);
}

/// <summary>An exit and how far its confidence may be trusted. Accuracy and ECE are those of the ONNX files on the test set.</summary>
public sealed record ExitCard
{
    [JsonPropertyName("exit")] public required int Exit { get; init; }

    /// <summary>Logits are divided by it before the softmax; fitted on the calibration set.</summary>
    [JsonPropertyName("temperature")] public required double Temperature { get; init; }
    [JsonPropertyName("accuracy_ratio")] public required double Accuracy { get; init; }
    [JsonPropertyName("calibration_accuracy_ratio")] public required double CalibrationAccuracy { get; init; }

    /// <summary>Expected calibration error with 15 equal-width bins, before and after the temperature.</summary>
    [JsonPropertyName("ece_before_ratio")] public required double EceBefore { get; init; }
    [JsonPropertyName("ece_after_ratio")] public required double EceAfter { get; init; }
}

/// <summary>What the final exit reaches when the work crosses the network by a route, and what crosses, on the test set.</summary>
public sealed record RouteCard
{
    [JsonPropertyName("cut")] public required int Cut { get; init; }
    [JsonPropertyName("codec")] public required FeatureCodec Codec { get; init; }
    [JsonPropertyName("accuracy_ratio")] public required double Accuracy { get; init; }

    /// <summary>Mean payload, without the frame's header.</summary>
    [JsonPropertyName("payload_bytes")] public required Bytes Payload { get; init; }

    [JsonIgnore] public Route Route => new(Cut, Codec);
}

/// <summary>A file that belongs to a card, held by its hash.</summary>
public sealed record CardFile
{
    [JsonPropertyName("file")] public required string File { get; init; }
    [JsonPropertyName("sha256")] public required string Sha256 { get; init; }
    [JsonPropertyName("samples")] public required int Samples { get; init; }
}

/// <summary>What made the model.</summary>
public sealed record Provenance
{
    [JsonPropertyName("command")] public required string Command { get; init; }
    [JsonPropertyName("data")] public required string Data { get; init; }
    [JsonPropertyName("seed")] public required int Seed { get; init; }
    [JsonPropertyName("epochs")] public required int Epochs { get; init; }

    /// <summary>Accuracy of each exit in the framework that trained it, before export.</summary>
    [JsonPropertyName("trained_accuracy_ratio")] public required IReadOnlyList<double> TrainedAccuracy { get; init; }
}

/// <summary>
/// The card of a model (card.json): shapes, cost by kernel kind, bytes at each cut, peak memory, calibration, accuracy per exit and
/// per route, file hashes. The SHA-256 of the card's own bytes names the model everywhere else.
/// </summary>
public sealed record ModelCard
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("task")] public required string Task { get; init; }
    [JsonPropertyName("classes")] public required IReadOnlyList<string> Classes { get; init; }

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
    [JsonPropertyName("exits")] public required IReadOnlyList<ExitCard> Exits { get; init; }
    [JsonPropertyName("routes")] public required IReadOnlyList<RouteCard> Routes { get; init; }
    [JsonPropertyName("calibration_trace")] public required CardFile CalibrationTrace { get; init; }
    [JsonPropertyName("test_trace")] public required CardFile TestTrace { get; init; }
    [JsonPropertyName("provenance")] public required Provenance Provenance { get; init; }

    [JsonIgnore] public int StageCount => Stages.Count;

    [JsonIgnore] public IEnumerable<ModelPiece> Pieces => Stages.Concat(Tails);

    /// <summary>The piece that runs stage <paramref name="stage"/> (1..N).</summary>
    public ModelPiece Stage(int stage) => Stages[stage - 1];

    /// <summary>The piece that finishes from cut <paramref name="cut"/> (0..N-1).</summary>
    public ModelPiece Tail(int cut) => Tails[cut];

    /// <summary>The exit after stage <paramref name="exit"/> (1..N).</summary>
    public ExitCard Exit(int exit) => Exits[exit - 1];

    /// <summary>The cost of the head of <paramref name="head"/> stages (0..N), exits included.</summary>
    public KernelWork HeadWork(int head) => Stages.Take(head).Aggregate(new KernelWork(), (sum, stage) => sum + stage.Work);

    /// <summary>What is inconsistent, one sentence a fault; empty when the card is sound.</summary>
    public IEnumerable<string> Faults()
    {
        var n = Stages.Count;
        if (n == 0) yield return "stages is empty; a model has at least one";
        if (Tails.Count != n) yield return $"tails has {Tails.Count} entries; one for each cut 0..{n - 1} is needed";
        if (Cuts.Count != n) yield return $"cuts has {Cuts.Count} entries; one for each cut 0..{n - 1} is needed";
        if (Exits.Count != n) yield return $"exits has {Exits.Count} entries; one for each stage 1..{n} is needed";
        if (Classes.Count < 2) yield return $"classes has {Classes.Count} names; at least 2 are needed";
        if (!(InputStd > 0)) yield return $"input_std is {InputStd}; it must be above 0";
        for (var i = 0; i < n; i++)
        {
            if (Stages[i].Index != i + 1) yield return $"stages[{i}].index is {Stages[i].Index}; it must be {i + 1}";
            if (i < Tails.Count && Tails[i].Index != i) yield return $"tails[{i}].index is {Tails[i].Index}; it must be {i}";
            if (i < Cuts.Count && Cuts[i].Cut != i) yield return $"cuts[{i}].cut is {Cuts[i].Cut}; it must be {i}";
            if (i < Exits.Count && !(Exits[i].Temperature > 0)) yield return $"exits[{i}].temperature is {Exits[i].Temperature}; it must be above 0";
        }
        foreach (var cut in Cuts)
            if (cut.Shape.Count != 3 || cut.Shape.Any(extent => extent < 1)) yield return $"cuts[{cut.Cut}].shape is [{string.Join(",", cut.Shape)}]; it must be three positive extents";
        foreach (var route in Routes)
            if (!route.Route.IsLawful || route.Cut >= n) yield return $"route {route.Route} does not exist; images cross at cut 0, tensors at cuts 1..{n - 1}";
        foreach (var piece in Pieces)
            if (piece.File.Contains('/', StringComparison.Ordinal) || piece.File.Contains('\\', StringComparison.Ordinal) || piece.File.StartsWith('.')) yield return $"file \"{piece.File}\" must be a plain name beside the card";
    }
}
