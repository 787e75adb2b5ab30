using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>One network of a group's model and how far it may be believed.</summary>
public sealed record GroupPiece
{
    [JsonPropertyName("piece")] public required ModelPiece Piece { get; init; }

    /// <summary>Logits are divided by it for confidences; fitted on the calibration set.</summary>
    [JsonPropertyName("temperature")] public required double Temperature { get; init; }

    /// <summary>Of the ONNX files on the test set, with all devices there.</summary>
    [JsonPropertyName("accuracy_ratio")] public required double Accuracy { get; init; }

    /// <summary>It answers when its normalised entropy is below: 0 never, above 1 always.</summary>
    [JsonPropertyName("entropy_below")] public double EntropyBelow { get; init; }
}

/// <summary>
/// The card of a model that a group of devices runs together (group.json), each on its own view of one sample; the SHA-256 of its
/// bytes names the model everywhere else. A device's network gives sign maps and a class vector; the local exit judges by the class
/// vectors of all devices, the edge and the cloud exit by their sign maps. Behind the devices absent ones are zeros.
/// </summary>
public sealed record GroupCard
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("task")] public required string Task { get; init; }
    [JsonPropertyName("classes")] public required IReadOnlyList<string> Classes { get; init; }

    /// <inheritdoc cref="ModelCard.InputMean"/>
    [JsonPropertyName("input_mean")] public required double InputMean { get; init; }
    [JsonPropertyName("input_std")] public required double InputStd { get; init; }

    /// <summary>How pictures of a data set are cut into views: rows x columns.</summary>
    [JsonPropertyName("rows")] public required int Rows { get; init; }
    [JsonPropertyName("columns")] public required int Columns { get; init; }
    [JsonPropertyName("picture_height")] public required int PictureHeight { get; init; }
    [JsonPropertyName("picture_width")] public required int PictureWidth { get; init; }

    /// <summary>Channels, height, width of what one device sees.</summary>
    [JsonPropertyName("view_shape")] public required IReadOnlyList<int> ViewShape { get; init; }

    /// <summary>Filters, height, width of the sign maps one device makes.</summary>
    [JsonPropertyName("map_shape")] public required IReadOnlyList<int> MapShape { get; init; }

    /// <summary>Of class vectors, then of sign maps: "MP-CC".</summary>
    [JsonPropertyName("aggregation")] public required string Aggregation { get; init; }

    /// <summary>The devices' networks, view 1 first: "x" to "features" (signs) and "logits" (the class vector).</summary>
    [JsonPropertyName("views")] public required IReadOnlyList<GroupPiece> Views { get; init; }

    /// <summary>[views classes, 1, 1] to logits.</summary>
    [JsonPropertyName("local")] public required GroupPiece Local { get; init; }

    /// <summary>[views filters, height, width] to "features" and logits.</summary>
    [JsonPropertyName("edge")] public required GroupPiece Edge { get; init; }

    /// <summary>The edge network's features, as this shape, to logits.</summary>
    [JsonPropertyName("cloud")] public required GroupPiece Cloud { get; init; }
    [JsonPropertyName("edge_features_shape")] public required IReadOnlyList<int> EdgeFeaturesShape { get; init; }

    /// <summary>Of all answers together, each by the first exit that is sure, on the test set.</summary>
    [JsonPropertyName("accuracy_ratio")] public required double Accuracy { get; init; }

    /// <summary>Share of the test set that the local exit answers.</summary>
    [JsonPropertyName("local_ratio")] public required double LocalShare { get; init; }

    /// <summary>Weights and norms of one device's network when a binary weight takes a bit.</summary>
    [JsonPropertyName("device_binary_bytes")] public required Bytes DeviceBinary { get; init; }
    [JsonPropertyName("provenance")] public required Provenance Provenance { get; init; }

    [JsonIgnore] public IEnumerable<ModelPiece> Pieces => Views.Concat(Upper).Select(network => network.Piece);

    /// <summary>What an edge server runs.</summary>
    [JsonIgnore] public IEnumerable<GroupPiece> Upper => [Local, Edge, Cloud];

    /// <summary>The network of view 1... Throws <see cref="FaultsException"/> when there is no such view.</summary>
    public GroupPiece View(int view) => view >= 1 && view <= Views.Count ? Views[view - 1] : throw new FaultsException("view", $"is {view}; {Name} has views 1 to {Views.Count}");

    [JsonIgnore] public int MapElements => MapShape.Aggregate(1, (product, extent) => product * extent);

    [JsonIgnore] public int ViewElements => ViewShape.Aggregate(1, (product, extent) => product * extent);

    /// <summary>
    /// The model as the device of one view knows it: one stage of its own, with its own exit, behind which everything runs elsewhere.
    /// </summary>
    public ModelCard OfView(int view)
    {
        var own = View(view);
        var none = new CardFile { File = "", Sha256 = "", Samples = 0 };
        ExitCard Exit(int exit, GroupPiece of) => new()
        {
            Exit = exit,
            Temperature = of.Temperature,
            Accuracy = of.Accuracy,
            CalibrationAccuracy = of.Accuracy,
            EceBefore = 0,
            EceAfter = 0,
        };
        return new ModelCard
        {
            Name = Name,
            Task = Task,
            Classes = Classes,
            InputMean = InputMean,
            InputStd = InputStd,
            Parameters = own.Piece.Parameters,
            Cuts = [new CutPoint { Cut = 0, Shape = ViewShape }, new CutPoint { Cut = 1, Shape = MapShape }],
            Stages = [own.Piece with { Index = 1 }, Cloud.Piece with { Index = 2 }],
            Tails = [],
            Exits = [Exit(1, own), Exit(2, Cloud)],
            Routes = [],
            CalibrationTrace = none,
            TestTrace = none,
            Provenance = Provenance,
        };
    }

    /// <summary>What is inconsistent, one sentence a fault; empty when the card is sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Rows < 1 || Columns < 1 || Rows * Columns > byte.MaxValue) yield return $"rows is {Rows} and columns {Columns}; allowed: 1 to {byte.MaxValue} views";
        else if (Views.Count != Rows * Columns) yield return $"views has {Views.Count} entries; {Rows} rows of {Columns} need {Rows * Columns}";
        if (Classes.Count < 2) yield return $"classes has {Classes.Count} names; at least 2 are needed";
        if (!(InputStd > 0)) yield return $"input_std is {InputStd}; it must be above 0";
        foreach (var (key, shape) in new[] { ("view_shape", ViewShape), ("map_shape", MapShape), ("edge_features_shape", EdgeFeaturesShape) })
            if (shape.Count != 3 || shape.Any(extent => extent is < 1 or > ushort.MaxValue)) yield return $"{key} is [{string.Join(",", shape)}]; it must be three extents from 1 to {ushort.MaxValue}";
        foreach (var network in Views.Append(Local).Append(Edge).Append(Cloud))
        {
            if (!(network.Temperature > 0)) yield return $"{network.Piece.File}: temperature is {network.Temperature}; it must be above 0";
            if (!(network.EntropyBelow >= 0)) yield return $"{network.Piece.File}: entropy_below is {network.EntropyBelow}; it must be 0 or more";
        }
        for (var view = 1; view <= Views.Count; view++)
            if (Views[view - 1].Piece.Index != view) yield return $"views[{view - 1}].piece.index is {Views[view - 1].Piece.Index}; it must be {view}";
        foreach (var file in Pieces.Select(piece => piece.File).Where(file => file.AsSpan().ContainsAny('/', '\\') || file.StartsWith('.')))
            yield return $"file \"{file}\" must be a plain name beside the card";
    }
}
