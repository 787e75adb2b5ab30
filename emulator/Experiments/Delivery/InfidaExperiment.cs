using Fleet.Controller.Placement;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>A cell of the comparison, and what each policy did in it.</summary>
public sealed record CellRun(DeliveryWorld World, IReadOnlyDictionary<string, PolicyRun> Runs)
{
    public double Gain(string policy) => Runs[policy].Gain;

    /// <summary>What practical INFIDA is held against.</summary>
    public double BestRival => Math.Max(Gain(StaticGreedy.PolicyName), Gain(Olag.PolicyName));
}

/// <summary>INFIDA against its rivals on three topologies, its regret, its ingredients, and splits.</summary>
public sealed class InfidaExperiment : IExperiment
{
    public static readonly IReadOnlyList<string> Topologies = ["tree", "abilene", "geant"];
    public static readonly IReadOnlyList<double> Alphas = [10, 30, 100, 300, 1000];
    public static readonly IReadOnlyList<Popularity> Popularities = [Popularity.Fixed, Popularity.Sliding];

    public const int Seeds = 10;
    public const int Slots = 120;
    public const int Period = 30;
    public const int Tasks = 20;

    private const int AblationSeeds = 5;

    public string Name => "infida";

    public string Subject => "which variants lie where in a delivery network: INFIDA against greedy, OLAG, J3O-like and the LP bound; regret; splits";

    public IReadOnlyDictionary<string, string> Run(long seed, Action<double> progress)
    {
        var cells = Cells(seed, done => progress(0.7 * done));
        var regrets = RegretSection.Run(seed, Seeds);
        progress(0.8);
        var worlds = Popularities.SelectMany(popularity => new[] { 100.0, 1000.0 }.SelectMany(alpha => Enumerable.Range(0, AblationSeeds).Select(i => new DeliveryWorld("tree", popularity, alpha, Tasks, Period, seed + i)))).ToList();
        var ablation = DeliveryAblation.Variants.Select(variant => (variant.Name, Runs: worlds.Select(world => (world, DeliveryAblation.Round(world, Slots, variant.Options))).ToList())).ToList();
        var learners = DeliveryAblation.Learners.Select(learner => (learner.Name, Gains: worlds.Select(world => (world, DeliveryAblation.Learn(world, Slots, learner.Make))).ToList())).ToList();
        progress(0.9);
        var splits = SplitStudy.Run(seed);
        progress(1);
        return new InfidaReport(cells, regrets, splits).Write(
            ablation.Select(variant => (variant.Name, (IReadOnlyList<(DeliveryWorld, PolicyRun)>)variant.Runs)),
            learners.Select(learner => (learner.Name, (IReadOnlyList<(DeliveryWorld, double)>)learner.Gains)));
    }

    /// <summary>Cells know nothing of each other: two threads give what one gives.</summary>
    private static IReadOnlyList<CellRun> Cells(long seed, Action<double> progress)
    {
        var worlds = Topologies.SelectMany(topology => Popularities.SelectMany(popularity => Alphas.SelectMany(alpha =>
            Enumerable.Range(0, Seeds).Select(i => new DeliveryWorld(topology, popularity, alpha, Tasks, Period, seed + i))))).ToList();
        var cells = new CellRun[worlds.Count];
        var done = 0;
        Parallel.For(0, worlds.Count, new ParallelOptions { MaxDegreeOfParallelism = 2 }, i =>
        {
            cells[i] = new CellRun(worlds[i], DeliveryCell.Run(worlds[i], Slots));
            progress((double)Interlocked.Increment(ref done) / worlds.Count);
        });
        return cells;
    }
}
