namespace Fleet.Training;

/// <summary>What several trainings of one kind come to: the mean, and its standard error (0 of one value).</summary>
public readonly record struct MeanAndError(double Mean, double Error)
{
    public MeanAndError(IReadOnlyList<double> values) : this(values.Average(), StandardError(values))
    {
    }

    private static double StandardError(IReadOnlyList<double> values)
    {
        if (values.Count == 1) return 0;
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1) / values.Count);
    }
}
