using Fleet.Contracts;
using Fleet.Models.Profiling;

namespace Fleet.Emulator.Fitting;

/// <summary>
/// Plain non-negative least squares on relative error, in cycles. Some charges are held, some tied to pointwise, the others free; a free
/// charge that no row has keeps the ratio to pointwise that kinds have over MLPerf Tiny.
/// </summary>
internal sealed class RatioFit(FitRecipe recipe, Hertz clock, double? layerCycles, Seconds overhead)
{
    private readonly Dictionary<Charge, double> held = Held(recipe, layerCycles);
    private readonly Dictionary<Charge, double> tied = recipe.Tied.ToDictionary(pair => ProfileFit.Keys[pair.Key], pair => pair.Value);

    /// <summary>How many rates the rows decide.</summary>
    public int Free => ProfileFit.Keys.Values.Count(charge => !held.ContainsKey(charge) && !tied.ContainsKey(charge));

    /// <returns>Cycles, before anything is carried over.</returns>
    public Rates Fit(IReadOnlyList<KnownTime> rows)
    {
        var ties = new Dictionary<Charge, double>(tied);
        foreach (var charge in ProfileFit.Keys.Values.Where(charge => charge is not Charge.Pointwise && !held.ContainsKey(charge) && rows.All(row => row.Network.Work[charge] == 0)))
            ties.TryAdd(charge, RateFit.MicrocontrollerShape[charge] / RateFit.MicrocontrollerShape[Charge.Pointwise]);
        var free = ProfileFit.Keys.Values.Where(charge => !held.ContainsKey(charge) && !ties.ContainsKey(charge)).ToArray();
        double PointwiseEquivalent(NetworkWork work) => work[Charge.Pointwise] + ties.Sum(tie => tie.Value * work[tie.Key]);
        double Coefficient(NetworkWork work, Charge charge) => charge is Charge.Pointwise ? PointwiseEquivalent(work) : work[charge];
        double Settled(NetworkWork work) => held.Sum(pair => pair.Value * Coefficient(work, pair.Key));
        var cycles = rows.Select(row => row.Time.Value * clock.Value).ToArray();
        var coefficients = rows.Select((row, i) => free.Select(charge => Coefficient(row.Network.Work, charge) / cycles[i]).ToArray()).ToList();
        var targets = rows.Select((row, i) => 1 - (Settled(row.Network.Work) + overhead.Value * clock.Value) / cycles[i]).ToList();
        var solution = NonNegativeLeastSquares.Solve(coefficients, targets);
        var found = new Dictionary<Charge, double>(held);
        for (var i = 0; i < free.Length; i++) found[free[i]] = solution[i];
        foreach (var (charge, ratio) in ties) found[charge] = ratio * found[Charge.Pointwise];
        return new Rates(Rates.Charges.Select(charge => found.GetValueOrDefault(charge)));
    }

    /// <summary>What the profile's own stack does otherwise than the measured one.</summary>
    public Rates CarriedOver(Rates fitted)
    {
        var carried = recipe.Carried.ToDictionary(pair => ProfileFit.Keys[pair.Key], pair => pair.Value);
        double Rate(Charge charge) => carried.TryGetValue(charge, out var ratio) ? ratio * fitted[Charge.Pointwise] : fitted[charge];
        return new Rates(Rates.Charges.Select(charge => charge is Charge.Layer ? Rate(charge) : recipe.ArithmeticFactor * Rate(charge)));
    }

    private static Dictionary<Charge, double> Held(FitRecipe recipe, double? layerCycles)
    {
        var held = recipe.Held.ToDictionary(pair => ProfileFit.Keys[pair.Key], pair => pair.Value);
        if (layerCycles is { } cycles) held[Charge.Layer] = cycles;
        return held;
    }
}
