namespace Fleet.Models.Offloading;

/// <summary>
/// Confidence in bins, as learners and tables count it: narrow near 1, where most inputs of a trained network lie and where thresholds
/// are. The same on devices, servers and controllers, so that a table needs no edges on the wire. K: the edges are ours.
/// </summary>
public static class ConfidenceScale
{
    private static readonly double[] Upper = [0.4, 0.5, 0.6, 0.7, 0.8, 0.86, 0.9, 0.94, 0.97, 0.985, 0.995, 1];
    private static readonly double[] Middle = [.. Upper.Select((high, bin) => (high + (bin == 0 ? 0 : Upper[bin - 1])) / 2)];

    public static int Bins => Upper.Length;

    /// <summary>The bin (low, high] of a confidence; the first one reaches down to 0.</summary>
    public static int Bin(double confidence)
    {
        var bin = 0;
        while (bin < Upper.Length - 1 && confidence > Upper[bin]) bin++;
        return bin;
    }

    public static double Centre(int bin) => Middle[bin];

    public static double High(int bin) => Upper[bin];

    /// <summary>Between the centres of bins linearly, outside of them constant.</summary>
    /// <param name="values">One a bin.</param>
    public static double Interpolate(ReadOnlySpan<double> values, double confidence)
    {
        if (confidence <= Middle[0]) return values[0];
        var right = 1;
        while (right < Middle.Length && confidence > Middle[right]) right++;
        if (right == Middle.Length) return values[^1];
        var share = (confidence - Middle[right - 1]) / (Middle[right] - Middle[right - 1]);
        return values[right - 1] + share * (values[right] - values[right - 1]);
    }
}
