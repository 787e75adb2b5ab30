using Fleet.Controller.Judge;
using Fleet.Controller.Placement;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>One cell of the comparison: all policies on one trace.</summary>
public static class DeliveryCell
{
    public const string Plain = "infida-plain";
    public const string Practical = "infida-practical";
    public const string Bound = "lp-fractional";
    public const string CloudOnly = "cloud-only";

    public static readonly IReadOnlyList<string> Policies = [StaticGreedy.PolicyName, J3o.PolicyName, Olag.PolicyName, Plain, Practical, DeviceOnly.PolicyName, CloudOnly, Bound];

    /// <summary>Rates that plain INFIDA is swept over; its best one in each cell is what the table shows.</summary>
    private static readonly double[] SweptRates = [0.5, 2, 8];

    /// <summary>Rates among which practical INFIDA's learner finds its own.</summary>
    private static readonly double[] HedgedRates = [0.25, 1, 4, 16];

    private const double ForgottenShare = 0.005;

    public static List<Batch> Batches(DeliveryWorld world, Idn idn, int slots)
    {
        var requests = world.Requests(idn);
        return [.. Enumerable.Range(0, slots).Select(_ => new Batch(idn, requests.Next([])))];
    }

    public static ILearner Learner(Idn idn) => new HedgedAscent(idn, HedgedRates, new AscentOptions { Share = ForgottenShare });

    /// <summary>Every policy by name.</summary>
    public static IReadOnlyDictionary<string, PolicyRun> Run(DeliveryWorld world, int slots)
    {
        var idn = world.MakeIdn();
        var batches = Batches(world, idn, slots);
        var hindsight = Hindsight(world, batches);
        var means = hindsight.Select(part => part.Batch).ToList();
        var optimum = FractionalOptimum.Of(hindsight);
        return new Dictionary<string, PolicyRun>(StringComparer.Ordinal)
        {
            [StaticGreedy.PolicyName] = PolicyRun.Of(new FixedPlacement(StaticGreedy.PolicyName, StaticGreedy.Place(means)), batches),
            [J3o.PolicyName] = PolicyRun.Of(new FixedPlacement(J3o.PolicyName, J3o.Place(means, optimum)), batches),
            [Olag.PolicyName] = PolicyRun.Of(new Olag(idn), batches),
            [Plain] = SweptRates.Select(rate => PolicyRun.Of(new Infida(Plain, new MirrorAscent(idn, new AscentOptions { Rate = rate }), RoundingOptions.Plain, Luck(world, Plain)), batches)).MaxBy(run => run.Gain),
            [Practical] = PolicyRun.Of(new Infida(Practical, Learner(idn), RoundingOptions.Practical, Luck(world, Practical)), batches),
            [DeviceOnly.PolicyName] = PolicyRun.Of(new FixedPlacement(DeviceOnly.PolicyName, DeviceOnly.Place(Batch.Mean(batches))), batches),
            [CloudOnly] = PolicyRun.Of(new FixedPlacement(CloudOnly, idn.Minimal()), batches),
            [Bound] = new PolicyRun(optimum.Gain / batches.Sum(batch => batch.Total), 0, 0),
        };
    }

    /// <summary>The trace as those who know it all see it: the mean of each stretch of one popularity, and for how many slots it lasted.</summary>
    public static IReadOnlyList<(Batch Batch, double Times)> Hindsight(DeliveryWorld world, IReadOnlyList<Batch> batches) =>
        [.. batches.Chunk(world.Popularity is Popularity.Sliding ? world.Period : batches.Count).Select(part => (Batch.Mean(part), (double)part.Length))];

    public static SeededRandom Luck(DeliveryWorld world, string policy) => new(world.Seed, $"policy/{policy}");
}
