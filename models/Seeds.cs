namespace Fleet.Models;

/// <summary>Seeds for the parts of something that has one seed, so that neighbours do not look alike.</summary>
public static class Seeds
{
    /// <summary>A seed for part <paramref name="index"/>: all bits of both numbers reach all bits of the result (C. Wellons' 32-bit finaliser, 2018).</summary>
    public static int Mix(int seed, int index)
    {
        unchecked
        {
            var x = (uint)seed * 0x9E3779B9u + (uint)index;
            x = (x ^ (x >> 16)) * 0x7FEB352Du;
            x = (x ^ (x >> 15)) * 0x846CA68Bu;
            return (int)(x ^ (x >> 16));
        }
    }
}
