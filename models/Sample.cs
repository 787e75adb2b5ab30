using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>One input.</summary>
/// <param name="Index">Position in the data set it is replayed from, -1 when live.</param>
/// <param name="Label">Class it is known to be of, -1 when unknown.</param>
/// <param name="Pixels">Channels x height x width, 0..255.</param>
public readonly record struct Sample(int Index, int Label, ReadOnlyMemory<byte> Pixels)
{
    /// <summary>How long it had waited for the device when it was taken; its answer is so much later.</summary>
    public Seconds Waited { get; init; }
}
