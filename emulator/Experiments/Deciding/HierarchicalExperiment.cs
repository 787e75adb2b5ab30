using Fleet.Contracts;
using Fleet.Emulator.Scenarios;
using Fleet.Models;
using Fleet.Models.Offloading;

namespace Fleet.Emulator.Experiments.Deciding;

/// <summary>Deciding input by input where to stop: hierarchical offloading under steps of link and load, online learning on recorded confidences, three tiers, and devices that are alone.</summary>
public sealed class HierarchicalExperiment : IExperiment
{
    public const string PhaseScenario = "hierarchical";
    public const string TierScenario = "three-tiers";
    public const string AloneScenario = "alone";

    public string Name => "hierarchical";

    public string Subject => "where each input stops: hierarchical offloading under steps of link and load; HI-LCB's and H2T2's regret; three tiers; devices alone";

    public IReadOnlyDictionary<string, string> Run(long seed, Action<double> progress)
    {
        var stock = new Stock();
        var phases = PhaseStudy.Run(Read(PhaseScenario, stock), stock, seed, done => progress(0.6 * done));
        var regrets = RegretStudy.Cases.SelectMany(one => RegretStudy.Run(one, Stream(stock, one.Model), seed)).ToList();
        progress(0.75);
        var shifts = RegretStudy.Cases.SelectMany(one => ShiftStudy.Drifts.SelectMany(drift => ShiftStudy.Run(one, drift, Stream(stock, one.Model, isCalibration: true), Stream(stock, one.Model), Stream(stock, one.Model, drift), seed))).ToList();
        progress(0.85);
        var alarms = AlarmStudy.Run("fmnist", Stream(stock, "fmnist", alarms: AlarmStudy.Costs), seed);
        var tiers = TierStudy.Run(Read(TierScenario, stock), stock, seed);
        progress(0.93);
        var alone = AloneStudy.Run(Read(AloneScenario, stock), stock, seed);
        progress(1);
        return new HierarchicalReport(phases, regrets, shifts, alarms, tiers, alone).Write();
    }

    private static Scenario Read(string name, Stock stock) => ScenarioFile.Read(Path.Combine(ProjectFiles.Find("emulator/scenarios"), name + ".json"), stock);

    private static RecordedStream Stream(Stock stock, string name, string drift = "", bool isCalibration = false, AlarmCosts? alarms = null)
    {
        var model = stock.Models[name];
        var trace = isCalibration ? model.ReadCalibrationTrace() : drift.Length == 0 ? stock.TestTrace(model) : model.ReadTrace(model.Card.DriftTraces.Single(known => known.Set is TraceSet.Test && known.Drift == drift));
        return new RecordedStream(model, trace, alarms ?? AlarmCosts.None);
    }
}
