namespace Fleet.Onnx;

/// <summary>The values that an activation takes, or that its codes should cover.</summary>
public readonly record struct ValueRange(float Low, float High)
{
    private const int CodeMax = 255;

    /// <summary>
    /// How uint8 covers the range, value = scale (q - zero point). 0 always has a code of its own, because padding is made of it
    /// and a ReLU ends there.
    /// </summary>
    internal (float Scale, byte ZeroPoint) Codes()
    {
        var (low, high) = (Math.Min(0, Low), Math.Max(0, High));
        if (!float.IsFinite(high - low)) throw new InvalidDataException($"the range {Low}..{High} is not finite");
        if (high - low < 1e-30f) return (1, 0);
        var scale = (high - low) / CodeMax;
        return (scale, (byte)Math.Round(-low / scale));
    }
}
