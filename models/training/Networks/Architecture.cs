namespace Fleet.Training;

/// <summary>The shape of a value without its batch dimension; a vector is channels x 1 x 1.</summary>
public readonly record struct Extent(int Channels, int Height, int Width)
{
    public int Elements => Channels * Height * Width;

    public int[] ToArray() => [Channels, Height, Width];
}

/// <summary>A part of a network that becomes one ONNX file: the layers from one value to an exit's logits, to features, or, for a stage, to both.</summary>
/// <param name="File">The ONNX file's name.</param>
/// <param name="Index">Stage k (1..N), or the cut (0..N-1) a tail starts from.</param>
/// <param name="Input">The value it starts from.</param>
/// <param name="Features">The value at the next cut, or null when the piece ends with logits only.</param>
/// <param name="Logits">The exit's value, or null when the piece ends with features only.</param>
/// <param name="Layers">In execution order.</param>
public sealed record Piece(string File, int Index, string Input, string? Features, string? Logits, IReadOnlyList<Layer> Layers);

/// <summary>An early-exit network as a list of layers, the values at its cuts (cut 0 is the input) and its exits' logits.</summary>
public sealed record Architecture(
    IReadOnlyList<Layer> Layers, IReadOnlyDictionary<string, Extent> Extents, IReadOnlyList<string> Cuts, IReadOnlyList<string> Exits)
{
    public int StageCount => Exits.Count;

    public string Input => Cuts[0];

    public int ClassCount => Extents[Exits[0]].Channels;

    /// <summary>Stage k (1..N): from cut k-1 to exit k and, but for the last, cut k.</summary>
    public Piece Stage(int stage)
    {
        var features = stage < StageCount ? Cuts[stage] : null;
        var wanted = features is null ? new[] { Exits[stage - 1] } : [features, Exits[stage - 1]];
        return new Piece($"stage-{stage}.onnx", stage, Cuts[stage - 1], features, Exits[stage - 1], Between(Cuts[stage - 1], wanted));
    }

    /// <summary>Tail k (0..N-1): from cut k to the final exit.</summary>
    public Piece Tail(int cut) => new($"tail-{cut}.onnx", cut, Cuts[cut], null, Exits[^1], Between(Cuts[cut], Exits[^1]));

    /// <summary>What the device runs before cut k (1..N-1), without exits.</summary>
    public IReadOnlyList<Layer> HeadLayers(int cut) => LayersTo(Cuts[cut]);

    /// <summary>What computes some values from the input.</summary>
    public IReadOnlyList<Layer> LayersTo(params ReadOnlySpan<string> values) => Between(Input, values);

    public IEnumerable<Piece> Stages => Enumerable.Range(1, StageCount).Select(Stage);

    public IEnumerable<Piece> Tails => Enumerable.Range(0, StageCount).Select(Tail);

    /// <summary>The layers that compute <paramref name="wanted"/> once <paramref name="input"/> is known, in execution order.</summary>
    private List<Layer> Between(string input, params ReadOnlySpan<string> wanted)
    {
        HashSet<string> needed = [.. wanted];
        needed.Remove(input);
        var found = new List<Layer>();
        foreach (var layer in Layers.Reverse().Where(layer => needed.Contains(layer.Output)))
        {
            found.Add(layer);
            needed.UnionWith(layer.Inputs.Where(value => value != input));
        }
        found.Reverse();
        return found;
    }
}
