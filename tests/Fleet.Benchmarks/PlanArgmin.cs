using System.Numerics.Tensors;
using Fleet.Controller.Planning;

namespace Fleet.Benchmarks;

/// <summary>A device's cheapest route by itself, with the same vector operations and without prices: what Neurosurgeon's argmin costs.</summary>
internal sealed class PlanArgmin(PlanInstance instance)
{
    private readonly float[] alone = new float[instance.Columns.Options.Count];
    private readonly float[] cost = new float[instance.Columns.Options.Count];
    private readonly OptionBlock[] blocks = [.. instance.Columns.Blocks];
    private readonly Crossing[] crossings = [.. instance.Columns.Crossings];
    private readonly DeviceTerms terms = instance.NewTerms();
    private readonly Weights weights = new();

    /// <summary>Cost of the cheapest, in seconds an inference.</summary>
    public float Of(int device)
    {
        instance.Fill(terms, device);
        var best = float.PositiveInfinity;
        foreach (var block in blocks)
        {
            var row = alone.AsSpan(block.Start, block.Count);
            TensorPrimitives.Multiply(instance.Columns.Lost.AsSpan(block.Start, block.Count), (float)weights.ErrorWeight, row);
            for (var stage = 1; stage <= block.Head; stage++)
                TensorPrimitives.MultiplyAdd(instance.Columns.Shares(stage, block), terms.StageTime[stage - 1] + (float)weights.JouleWeight * terms.StageEnergy[stage - 1], row, row);
            if (block.Crossing == OptionColumns.Local) best = Math.Min(best, TensorPrimitives.Min(row));
        }
        foreach (var link in terms.Links)
            foreach (var block in blocks)
            {
                if (block.Crossing == OptionColumns.Local) continue;
                var seconds = terms.CrossTime[block.Crossing] + link.RoundTrip + instance.EdgeTerms.Of(link.Edge, crossings[block.Crossing].Tail);
                var row = cost.AsSpan(block.Start, block.Count);
                TensorPrimitives.MultiplyAdd(instance.Columns.Offload.AsSpan(block.Start, block.Count), seconds + (float)weights.JouleWeight * terms.CrossEnergy[block.Crossing], alone.AsSpan(block.Start, block.Count), row);
                best = Math.Min(best, TensorPrimitives.Min(row));
            }
        return best;
    }
}
