using Fleet.Contracts;

namespace Fleet.EdgeServer;

/// <summary>What an edge server is told about itself.</summary>
public sealed record EdgeOptions
{
    public required string Site { get; init; }

    public required string Id { get; init; }

    public required Info Info { get; init; }

    /// <summary>Tails that run at once, each on a thread of its own.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Frames that may wait; one more is refused with an answer.</summary>
    public int QueueMax { get; init; } = 256;

    /// <summary>Largest batch that is tried; how large batches are in use is measured, see <see cref="BatchCurve"/>.</summary>
    public int BatchMax { get; init; } = 8;
}
