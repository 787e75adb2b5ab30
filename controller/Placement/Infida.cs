namespace Fleet.Controller.Placement;

/// <summary>
/// INFIDA (Si Salem et al., MedComNet 2021 and IEEE/ACM ToN 32(1), 2024; reconstructed): a learner of fractional allocations, rounded every few slots.
/// Expects at least 1 - 1/e of what the best fixed allocation gains, but for a regret that grows with the root of time.
/// </summary>
public sealed class Infida : IPlacement
{
    private readonly ILearner learner;
    private readonly RoundingOptions options;
    private readonly Rounding rounding;
    private readonly double[] held;
    private int slot;

    public Infida(string name, ILearner learner, RoundingOptions options, Random random)
    {
        (Name, this.learner, this.options) = (name, learner, options);
        rounding = new Rounding(learner.Idn, options, random);
        held = learner.Idn.Minimal();
        rounding.Round(learner.Fractional, held, last: null);
    }

    public string Name { get; }

    public ReadOnlySpan<double> Held => held;

    /// <summary>y, from which the next roundings are drawn.</summary>
    public ReadOnlySpan<double> Fractional => learner.Fractional;

    public void Learn(Batch batch)
    {
        learner.Learn(batch);
        if (++slot % options.Refresh == 0) rounding.Round(learner.Fractional, held, batch);
    }
}
