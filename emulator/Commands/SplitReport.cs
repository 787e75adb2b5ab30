using System.Globalization;
using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Onnx;

namespace Fleet.Emulator.Commands;

/// <summary>What a network or a part of it costs to run once.</summary>
internal sealed record SplitSide
{
    [JsonPropertyName("work")] public required KernelWork Work { get; init; }
    [JsonPropertyName("peak_activation_bytes")] public required long PeakActivationBytes { get; init; }
    [JsonPropertyName("parameter_bytes")] public required long ParameterBytes { get; init; }

    /// <summary>Outputs of the network that this side computes.</summary>
    [JsonPropertyName("outputs")] public required IReadOnlyList<string> Outputs { get; init; }

    public static SplitSide Of(GraphCost cost, IReadOnlyList<string> outputs) => new()
    {
        Work = new KernelWork
        {
            FirstConv = new Macs(cost.FirstConvMacs),
            Conv = new Macs(cost.ConvMacs),
            Pointwise = new Macs(cost.PointwiseMacs),
            Depthwise = new Macs(cost.DepthwiseMacs),
            Dense = new Macs(cost.DenseMacs),
            OutputElements = cost.OutputElements,
            Layers = cost.Layers,
        },
        PeakActivationBytes = cost.PeakActivationBytes,
        ParameterBytes = cost.ParameterBytes,
        Outputs = outputs,
    };
}

/// <summary>One place to cut.</summary>
internal sealed record SplitCut
{
    [JsonPropertyName("value")] public required string Value { get; init; }

    /// <summary>Element type and extents, with the symbols of open dimensions.</summary>
    [JsonPropertyName("type")] public required string Type { get; init; }
    [JsonPropertyName("nodes_before")] public required int NodesBefore { get; init; }
    [JsonPropertyName("fp32_bytes")] public required long Float32Bytes { get; init; }
    [JsonPropertyName("uint8_bytes")] public required long Uint8Bytes { get; init; }
    [JsonPropertyName("before")] public required SplitSide Before { get; init; }
    [JsonPropertyName("after")] public required SplitSide After { get; init; }
}

/// <summary>A file that was written.</summary>
internal sealed record SplitFile([property: JsonPropertyName("file")] string File, [property: JsonPropertyName("nodes")] int Nodes, [property: JsonPropertyName("file_bytes")] long FileBytes);

/// <summary>How far stages + tail are from the whole: the largest difference of an output, and its ratio to the largest magnitude in that output.</summary>
internal sealed record SplitDifference
{
    [JsonPropertyName("difference_ratio")] public required double Ratio { get; init; }
    [JsonPropertyName("difference_ratio_max")] public required double Allowed { get; init; }
    [JsonPropertyName("difference")] public required double Difference { get; init; }
    [JsonPropertyName("output_scale")] public required double Scale { get; init; }

    /// <summary>Elements of outputs that were compared.</summary>
    [JsonPropertyName("compared")] public required long Elements { get; init; }

    [JsonIgnore] public bool IsAllowed => Ratio <= Allowed;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"differ from the whole by at most {Difference:G3} in an output of magnitude {Scale:G3}: a ratio of {Ratio:G3}; {Allowed:G3} is allowed");
}

/// <summary>What `fleet models split` found and did.</summary>
internal sealed record SplitReport
{
    [JsonPropertyName("file")] public required string File { get; init; }
    [JsonPropertyName("nodes")] public required int Nodes { get; init; }
    [JsonPropertyName("inputs")] public required IReadOnlyDictionary<string, IReadOnlyList<long>> Inputs { get; init; }
    [JsonPropertyName("whole")] public required SplitSide Whole { get; init; }
    [JsonPropertyName("cuts")] public required IReadOnlyList<SplitCut> Cuts { get; init; }

    /// <summary>Empty when the cuts were only listed.</summary>
    [JsonPropertyName("files")] public IReadOnlyList<SplitFile> Files { get; init; } = [];
    [JsonPropertyName("comparison")] public SplitDifference? Comparison { get; init; }

    private static readonly (string Name, Func<KernelWork, Macs> Macs)[] Kinds =
    [
        ("first conv", work => work.FirstConv), ("conv", work => work.Conv), ("pointwise", work => work.Pointwise), ("depthwise", work => work.Depthwise), ("dense", work => work.Dense),
    ];

    /// <summary>Kinds of kernel that the network lacks have no column. MACs are in millions, peaks and parameters in kB of 1,000 bytes.</summary>
    public void Print()
    {
        var kinds = Kinds.Where(kind => kind.Macs(Whole.Work).Value > 0).ToList();
        string[] side = [.. kinds.Select(kind => kind.Name), "peak", "weights"];
        string[] Cells(SplitSide of) => [.. kinds.Select(kind => Thousandths(kind.Macs(of.Work).Value / 1e3)), Thousandths(of.PeakActivationBytes), Thousandths(of.ParameterBytes)];
        Console.Out.WriteLine($"{File}: {Nodes} nodes, {Cuts.Count} places to cut (--at VALUE[,VALUE]); on {string.Join(", ", Inputs.Select(input => $"{input.Key}[{string.Join(",", input.Value)}]"))}");
        Console.Out.WriteLine("MACs in millions by kind of kernel; peak of activations and weights in kB; < before the cut, > behind it");
        var rows = new List<string[]> { (string[])["type", "cut at", "fp32 B", "uint8 B", .. side.Select(name => "<" + name), .. side.Select(name => ">" + name)] };
        rows.AddRange(Cuts.Select(cut => (string[])[cut.Type, cut.Value, Count(cut.Float32Bytes), Count(cut.Uint8Bytes), .. Cells(cut.Before), .. Cells(cut.After)]));
        rows.Add(["", "the whole", "", "", .. side.Select(_ => ""), .. Cells(Whole)]);
        Figures.Columns(rows);
        foreach (var cut in Cuts.Where(cut => cut.Before.Outputs.Count > 0)) Console.Out.WriteLine($"before {cut.Value}: {string.Join(", ", cut.Before.Outputs)}");
    }

    private static string Thousandths(double value) => (value / 1e3).ToString("N3", CultureInfo.InvariantCulture);

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
