using System.Numerics.Tensors;
using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>Answers from a recorded trace what the network would have answered: the logits of an exit, or of the final exit behind a route.</summary>
/// <param name="exit">The exit whose logits a stage gives; 0 for a tail, which answers by each row's route.</param>
public sealed class TraceEngine(Trace trace, int exit, Activations rows) : IEngine
{
    public Activations Rows => rows;

    public ValueTask<Seconds> Run()
    {
        for (var row = 0; row < rows.Count; row++)
        {
            var origin = rows.Origins[row];
            trace.Require(origin.Sample);
            var logits = exit > 0 ? trace.ExitLogits(exit, origin.Sample) : trace.RouteLogits(origin.Route, origin.Sample);
            TensorPrimitives.ConvertToSingle(logits, rows.Logits.AsSpan(row * rows.Classes, rows.Classes));
        }
        return new ValueTask<Seconds>(Seconds.Zero);
    }

    public void Dispose()
    {
    }
}

/// <summary>Stands for a piece of a head that answers from a trace, which looks up what an exit says and sends what has a length and no content.</summary>
internal sealed class ReplayedPiece : IEngine
{
    /// <summary>It has nothing of its own: one for all heads.</summary>
    public static readonly ReplayedPiece Shared = new();

    public Activations Rows { get; } = new(1, [], 0, 0);

    public ValueTask<Seconds> Run() => new(Seconds.Zero);

    public void Dispose()
    {
    }
}
