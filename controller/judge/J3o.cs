using Fleet.Controller.Placement;

namespace Fleet.Controller.Judge;

/// <summary>
/// After J3O (arXiv 2508.13380: models put onto nodes by a Lagrangian greedy, requests sent by a linear program): the relaxation's whole parts are
/// kept, its prices of memory guide a greedy over the rest, plain greedy fills what remains, and the best of several weights of the prices stands. The same construction without its
/// batching; requests are served by the network's own rule, as for all rivals.
/// </summary>
public static class J3o
{
    public const string PolicyName = "j3o-like";

    /// <summary>Weights of the relaxation's prices, with and without its whole parts.</summary>
    private static readonly double[] Weights = [0, 0.5, 0.8, 0.95, 1];

    private const double Whole = 1 - 1e-6;

    /// <param name="batches">What the placement is judged by.</param>
    /// <param name="relaxed">The relaxation over the same batches.</param>
    public static double[] Place(IReadOnlyList<Batch> batches, FractionalOptimum relaxed)
    {
        var idn = batches[0].Idn;
        var free = new double[idn.Nodes];
        var whole = Array.ConvertAll(relaxed.Parts, part => part >= Whole ? 1.0 : 0.0);
        var candidates = Weights.SelectMany(weight => new[] { idn.Minimal(), whole }.Select(start => Guided(start, weight)));
        return candidates.MinBy(held => new Scoreboard(batches, held).Cost)!;

        double[] Guided(double[] start, double weight) =>
            StaticGreedy.Place(batches, StaticGreedy.Place(batches, start, Array.ConvertAll(relaxed.Prices, price => weight * price)), free);
    }
}
