using Fleet.Controller.Judge;
using Fleet.Controller.Placement;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>Regret after so many slots, in milliseconds a request.</summary>
/// <param name="Promised">(1 - 1/e) of the best fixed fractional allocation less what plain INFIDA gained: what the theorem bounds.</param>
/// <param name="Fractional">The best fixed fractional allocation less what the fractional allocations gained: without the factor and without rounding.</param>
/// <param name="Optimum">The best fixed fractional allocation.</param>
public readonly record struct RegretPoint(int Slots, double Promised, double Fractional, double Optimum)
{
    public static readonly IReadOnlyList<int> Horizons = [100, 316, 1000, 3162, 10_000];

    private const double Factor = 1 - 1 / Math.E;

    /// <summary>One run, looked at at every horizon: rates scale themselves, so that it is the run of each.</summary>
    public static IReadOnlyList<RegretPoint> Of(Popularity popularity, long seed)
    {
        var world = new DeliveryWorld("tree", popularity, 100, Tasks: 6, Period: 50, seed);
        var idn = world.MakeIdn(Topology.Tree(leaves: 4));
        var requests = world.Requests(idn);
        var learner = new MirrorAscent(idn, new AscentOptions { Rate = 4 });
        var infida = new Infida(DeliveryCell.Plain, learner, RoundingOptions.Plain, DeliveryCell.Luck(world, DeliveryCell.Plain));
        var (gain, fractional, total) = (0.0, 0.0, 0.0);
        var parts = new SortedDictionary<int, (Batch Mean, int Slots)>();
        var points = new List<RegretPoint>();
        var batch = new Batch(idn);
        for (var slot = 0; slot < Horizons[^1]; slot++)
        {
            batch.Set(requests.Next(infida.Held));
            gain += Serving.Gain(batch, infida.Held);
            fractional += Serving.Gain(batch, learner.Fractional);
            total += batch.Total;
            Add(parts, PartOf(world, batch, slot), batch);
            infida.Learn(batch);
            if (!Horizons.Contains(slot + 1)) continue;
            var optimum = FractionalOptimum.Of([.. parts.Values.Select(part => (part.Mean, (double)part.Slots))]).Gain;
            points.Add(new RegretPoint(slot + 1, (Factor * optimum - gain) / total, (optimum - fractional) / total, optimum / total));
        }
        return points;
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
}
