using Fleet.Contracts;
using Fleet.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Fleet.Emulator.Commands;

/// <summary>A network taken apart at one or more cuts: stage k leads from cut k-1 to cut k, tail k from cut k to the end.</summary>
internal sealed class SplitParts
{
    /// <summary>Random inputs that the parts are compared with the whole on.</summary>
    public const int Draws = 3;

    /// <summary>Largest difference in an output, as a share of the largest magnitude in it.</summary>
    private const double DifferenceRatioMax = 1e-4;

    private readonly ModelProto model;

    /// <param name="model">The whole.</param>
    /// <param name="inputs">Its inputs, weights not among them.</param>
    /// <param name="cuts">In order of computing.</param>
    /// <param name="types">At least of the values at the cuts.</param>
    /// <exception cref="InvalidDataException">A part would read a value that its cut does not determine.</exception>
    public SplitParts(ModelProto model, IReadOnlyList<ValueInfoProto> inputs, IReadOnlyList<CutCandidate> cuts, IReadOnlyDictionary<string, ValueInfoProto> types)
    {
        (this.model, Cuts) = (model, cuts);
        var outputs = model.Graph.Output.DistinctBy(output => output.Name).ToDictionary(output => output.Name);
        var (stages, tails) = (new List<ModelProto>(), new List<ModelProto>());
        var (before, done) = (inputs, new HashSet<string>());
        foreach (var cut in cuts)
        {
            var exits = cut.EarlierOutputs.Where(output => output != cut.Value && done.Add(output)).Select(output => outputs[output]);
            stages.Add(GraphCutter.Extract(model, [.. before], [types[cut.Value], .. exits]));
            tails.Add(GraphCutter.Extract(model, [types[cut.Value]], [.. cut.LaterOutputs.Select(output => outputs[output])]));
            before = [types[cut.Value]];
        }
        (Stages, Tails) = (stages, tails);
    }

    public IReadOnlyList<CutCandidate> Cuts { get; }

    public IReadOnlyList<ModelProto> Stages { get; }

    public IReadOnlyList<ModelProto> Tails { get; }

    /// <summary>Runs the whole, and for each cut the stages up to it and its tail, on the same random inputs.</summary>
    /// <exception cref="FaultsException">ONNX Runtime cannot load or run one of them, or the outputs show nothing: they are empty, or the same whatever the input.</exception>
    public SplitDifference Compare(string file, SplitInputs inputs)
    {
        using var whole = new SplitSession(file, model);
        var stages = Stages.Select((stage, i) => new SplitSession($"{file} (stage {i + 1})", stage)).ToList();
        var tails = Tails.Select((tail, i) => new SplitSession($"{file} (tail {i + 1})", tail)).ToList();
        var worst = Nothing;
        var answers = new List<double[]>();
        for (var draw = 1; draw <= Draws; draw++)
        {
            var (expected, passed) = (inputs.Draw(draw), inputs.Draw(draw));
            whole.Run(expected);
            answers.Add([.. Outputs.SelectMany(output => SplitSession.Numbers(expected[output]))]);
            foreach (var (stage, tail) in stages.Zip(tails))
            {
                stage.Run(passed);
                var found = new Dictionary<string, OrtValue>(passed);
                tail.Run(found);
                foreach (var output in Outputs)
                {
                    var difference = Difference(expected[output], found[output]);
                    worst = (difference.Ratio >= worst.Ratio ? difference : worst) with { Elements = worst.Elements + difference.Elements };
                }
            }
        }
        foreach (var session in stages.Concat(tails)) session.Dispose();
        if (worst.Elements == 0) throw new FaultsException(file, "gives empty outputs on random inputs, so nothing shows that the parts equal the whole");
        if (inputs.Vary && answers.All(answer => answer.SequenceEqual(answers[0]))) throw new FaultsException(file, $"gives the same outputs on {Draws} different inputs, so nothing shows that the parts equal the whole");
        return worst;
    }

    private IEnumerable<string> Outputs => Cuts[0].EarlierOutputs.Concat(Cuts[0].LaterOutputs);

    private static SplitDifference Nothing => new() { Ratio = 0, Allowed = DifferenceRatioMax, Difference = 0, Scale = 0, Elements = 0 };

    private static SplitDifference Difference(OrtValue a, OrtValue b)
    {
        var (x, y) = (SplitSession.Numbers(a), SplitSession.Numbers(b));
        var scale = x.Select(Math.Abs).DefaultIfEmpty().Max();
        var difference = x.Length != y.Length ? double.PositiveInfinity : x.Zip(y).Select(pair => double.IsNaN(pair.First - pair.Second) ? double.PositiveInfinity : Math.Abs(pair.First - pair.Second)).DefaultIfEmpty().Max();
        return Nothing with { Difference = difference, Scale = scale, Ratio = difference == 0 ? 0 : difference / scale, Elements = x.Length };
    }
}
