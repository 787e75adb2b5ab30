namespace Fleet.Emulator.Experiments;

/// <summary>A system of the research, run from a seed to its figures. The same seed gives the same bytes.</summary>
public interface IExperiment
{
    /// <summary>As the command line calls it.</summary>
    string Name { get; }

    /// <summary>One line for who lists them.</summary>
    string Subject { get; }

    /// <summary>Every file by its name: the report, tables as CSV, plots as SVG.</summary>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    IReadOnlyDictionary<string, string> Run(long seed, Action<double> progress);
}

/// <summary>All of them.</summary>
public static class ExperimentList
{
    public static readonly IReadOnlyList<IExperiment> All =
    [
        new Exits.BranchyNetExperiment(), new Distributed.DdnnExperiment(), new Splitting.SplitExperiment(), new Splitting.BottlefitExperiment(), new Exits.EarlyLabellingExperiment(),
        new Exits.CalibrationExperiment(), new Exits.TransferExperiment(), new Front.ParetoExperiment(), new Deciding.HierarchicalExperiment(), new Delivery.InfidaExperiment(),
        new Lorawan.HedonicExperiment(), new Quality.QualityExperiment(), new Energy.SolarExperiment(),
    ];
}
