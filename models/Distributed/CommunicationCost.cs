using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>What a device of a group sends for one sample in the mean (Teerapittayanon et al., DDNN, ICDCS 2017, section IV-F).</summary>
public static class CommunicationCost
{
    private const int BytesPerScore = sizeof(float);
    private const double BitsPerByte = 8;

    /// <summary>
    /// c = 4 |C| + (1 - l) f o / 8: always the class vector in single precision, and the sign bits when the local exit does not answer.
    /// </summary>
    /// <param name="classes">|C|.</param>
    /// <param name="localExits">l: the share of samples that the local exit answers.</param>
    /// <param name="filters">f: maps a device makes.</param>
    /// <param name="bitsPerFilter">o: elements of a map.</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is not within 0 and 1.</exception>
    public static Bytes Mean(int classes, double localExits, int filters, int bitsPerFilter) => localExits is >= 0 and <= 1
        ? new Bytes(BytesPerScore * classes + (1 - localExits) * filters * bitsPerFilter / BitsPerByte)
        : throw new ArgumentOutOfRangeException(nameof(localExits), localExits, "a share is within 0 and 1");
}
