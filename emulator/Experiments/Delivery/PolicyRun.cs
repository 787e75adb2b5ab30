using Fleet.Controller.Placement;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>What a policy did over a trace.</summary>
/// <param name="Gain">Milliseconds saved against the repository alone, for each request.</param>
/// <param name="Fetched">Megabytes loaded, for each slot; what is there in the first slot counts.</param>
/// <param name="Over">Most megabytes that a node held beyond its memory.</param>
public readonly record struct PolicyRun(double Gain, double Fetched, double Over)
{
    public static PolicyRun Of(IPlacement policy, IReadOnlyList<Batch> batches)
    {
        var idn = batches[0].Idn;
        var (gain, fetched, over, requests) = (0.0, 0.0, 0.0, 0.0);
        var before = idn.Minimal();
        foreach (var batch in batches)
        {
            var held = policy.Held;
            gain += Serving.Gain(batch, held);
            requests += batch.Total;
            for (var node = 0; node < idn.Nodes; node++)
            {
                over = Math.Max(over, idn.Used(node, held) - idn.Budget[node] * (1 + 1e-9));
                foreach (var piece in idn.FreeOf(node))
                    if (held[node * idn.Pieces + piece] > before[node * idn.Pieces + piece]) fetched += idn.Size[piece];
            }
            before = held.ToArray();
            policy.Learn(batch);
        }
        return new PolicyRun(gain / requests, fetched / batches.Count, Math.Max(0, over));
    }

    /// <summary>Milliseconds a request that the fractional allocations of a learner save.</summary>
    public static double OfLearner(ILearner learner, IReadOnlyList<Batch> batches)
    {
        var gain = 0.0;
        foreach (var batch in batches)
        {
            gain += Serving.Gain(batch, learner.Fractional);
            learner.Learn(batch);
        }
        return gain / batches.Sum(batch => batch.Total);
    }
}
