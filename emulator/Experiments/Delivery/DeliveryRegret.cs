using Fleet.Controller.Judge;
using Fleet.Controller.Placement;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>How plain INFIDA's learner steps where its regret is measured.</summary>
public enum RegretRate
{
    /// <summary>The theorem's for the horizon at hand: see <see cref="AscentBound"/>.</summary>
    Theorem,

    /// <summary>One that needs no horizon: <see cref="AscentOptions.IsScaled"/>.</summary>
    Scaled,
}

/// <summary>What plain INFIDA and the best fixed allocation did over one horizon, in milliseconds a request.</summary>
/// <param name="Optimum">The best fixed fractional allocation.</param>
/// <param name="Gain">Of the allocations that were drawn.</param>
/// <param name="FractionalGain">Of the fractional allocations that they were drawn from.</param>
/// <param name="OptimumDrawn">Of allocations drawn from the best fixed fractional one, in the mean.</param>
/// <param name="Bound">What the fractional regret cannot exceed at the theorem's rate, whatever is asked for.</param>
public readonly record struct RegretPoint(double Optimum, double Gain, double FractionalGain, double OptimumDrawn, double Bound)
{
    /// <summary>What rounding keeps at least of a fractional allocation's gain, in the mean.</summary>
    public const double Factor = 1 - 1 / Math.E;

    private const int Draws = 300;

    /// <summary>What the theorem bounds: (1 - 1/e) of the optimum less what was gained.</summary>
    public double Promised => Factor * Optimum - Gain;

    /// <summary>What learning answers for: the optimum less what the fractional allocations gained.</summary>
    public double Fractional => Optimum - FractionalGain;

    /// <summary>Share of the fractional allocations' gain that is left after rounding.</summary>
    public double Kept => Gain / FractionalGain;

    /// <summary>What the promised regret of somebody would be who held the optimum from the first slot on: drawn from it, slot by slot.</summary>
    public double PromisedAtOptimum => Factor * Optimum - OptimumDrawn;

    public static RegretPoint Of(Popularity popularity, RegretRate rate, int slots, long seed)
    {
        var world = new DeliveryWorld("tree", popularity, 100, Tasks: 6, Period: 50, seed);
        var topology = Topology.Tree(leaves: 4);
        var idn = world.MakeIdn(topology);
        var bound = AscentBound.Of(idn, DeliveryWorld.RequestsPerEntry * topology.Entries.Count, slots);
        // The theorem knows no floor; at its rate no part comes near where numbers end.
        var learner = new MirrorAscent(idn, rate is RegretRate.Theorem ? new AscentOptions { IsScaled = false, Rate = bound.Rate, Floor = 0 } : new AscentOptions { Rate = 4 });
        var infida = new Infida(DeliveryCell.Plain, learner, RoundingOptions.Plain, DeliveryCell.Luck(world, DeliveryCell.Plain));
        var requests = world.Requests(idn);
        var (gain, fractional, total) = (0.0, 0.0, 0.0);
        var parts = new SortedDictionary<int, (Batch Mean, int Slots)>();
        var batch = new Batch(idn);
        for (var slot = 0; slot < slots; slot++)
        {
            batch.Set(requests.Next(infida.Held));
            gain += Serving.Gain(batch, infida.Held);
            fractional += Serving.Gain(batch, learner.Fractional);
            total += batch.Total;
            Add(parts, PartOf(world, batch, slot), batch);
            infida.Learn(batch);
        }
        var optimum = FractionalOptimum.Of([.. parts.Values.Select(part => (part.Mean, (double)part.Slots))]);
        return new RegretPoint(optimum.Gain / total, gain / total, fractional / total, Drawn(optimum.Parts, parts.Values, new SeededRandom(seed, "optimum")) / total, bound.Regret / total);
    }

    /// <summary>Slots that ask for the same: of one ranking, or of one task at the first entry. Within a part the mean stands for all, which can only flatter the optimum.</summary>
    private static int PartOf(DeliveryWorld world, Batch batch, int slot) => world.Popularity switch
    {
        Popularity.Sliding => slot / world.Period % world.Tasks,
        Popularity.Adversarial => batch.Active[0],
        _ => 0,
    };

    private static void Add(SortedDictionary<int, (Batch Mean, int Slots)> parts, int part, Batch batch)
    {
        var (mean, slots) = parts.TryGetValue(part, out var known) ? known : (new Batch(batch.Idn), 0);
        mean.Blend(batch, 1.0 / (slots + 1));
        parts[part] = (mean, slots + 1);
    }

    /// <summary>Milliseconds that allocations drawn from a fractional one save over all slots, in the mean.</summary>
    private static double Drawn(double[] fractional, IReadOnlyCollection<(Batch Mean, int Slots)> parts, Random random)
    {
        var idn = parts.First().Mean.Idn;
        var rounding = new Rounding(idn, RoundingOptions.Plain, random);
        var (held, gain) = (idn.Minimal(), 0.0);
        for (var draw = 0; draw < Draws; draw++)
        {
            rounding.Round(fractional, held, last: null);
            gain += parts.Sum(part => part.Slots * Serving.Gain(part.Mean, held)) / Draws;
        }
        return gain;
    }
}
