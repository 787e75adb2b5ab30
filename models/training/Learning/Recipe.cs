namespace Fleet.Training;

/// <summary>How a network is trained.</summary>
public sealed record Recipe
{
    public int Seed { get; init; } = 1;
    public int Epochs { get; init; } = 15;
    public int BatchSize { get; init; } = 128;

    /// <summary>AdamW's peak rate (Loshchilov and Hutter, Decoupled weight decay regularization, 2019).</summary>
    public double LearningRate { get; init; } = 3e-3;
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>The share of all steps over which the rate climbs from zero; then it falls to zero along a half cosine.</summary>
    public double WarmUp { get; init; } = 0.1;

    /// <summary>The learning rate of step 0..steps-1.</summary>
    public double RateAt(int step, int steps)
    {
        var warm = Math.Max(1, steps * WarmUp);
        return step < warm
            ? LearningRate * (step + 1) / warm
            : LearningRate * 0.5 * (1 + Math.Cos(Math.PI * (step - warm) / Math.Max(1, steps - warm)));
    }
}
