using System.Numerics.Tensors;
using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>A tail that answers from a recorded trace what the network would have answered: the final exit's logits behind each row's route.</summary>
public sealed class TraceEngine(Trace trace, Activations rows) : IEngine
{
    public Activations Rows => rows;

    public ValueTask<Seconds> Run()
    {
        for (var row = 0; row < rows.Count; row++)
        {
            var origin = rows.Origins[row];
            trace.Require(origin.Sample);
            TensorPrimitives.ConvertToSingle(trace.RouteLogits(origin.Route, origin.Sample), rows.Logits.AsSpan(row * rows.Classes, rows.Classes));
        }
        return new ValueTask<Seconds>(Seconds.Zero);
    }

    public void Dispose()
    {
    }
}

/// <summary>Stands for a piece of a head or a middle that answers from a trace, which looks up what an exit says and sends what has a length and no content.</summary>
internal sealed class ReplayedPiece : IEngine
{
    /// <summary>It has nothing of its own: one for all.</summary>
    public static readonly ReplayedPiece Shared = new();

    public Activations Rows { get; } = new(1, [], 0, 0);

    public ValueTask<Seconds> Run() => new(Seconds.Zero);

    public void Dispose()
    {
    }
}
