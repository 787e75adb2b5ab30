using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Experiments.Quality;

/// <summary>What a site's controller published at a time, and how good its answers truly were under what its devices ran then.</summary>
/// <param name="Asked">Inputs that the tail has been asked about since the shift: audited or offloaded.</param>
/// <param name="Audited">Of these, confident ones that were sent only to check the exit.</param>
/// <param name="Labels">Inputs drawn since the shift whose label somebody has told.</param>
public sealed record QualityLook(Seconds At, Summary Told, TrueQuality True, long Asked, long Audited, long Labels)
{
    public double? AgreementError => Math.Abs(Told.Agreement - True.Agreement ?? double.NaN) is var error && double.IsNaN(error) ? null : error;

    public double? AccuracyError => Math.Abs(Told.AccuracyAudited - True.Accuracy ?? double.NaN) is var error && double.IsNaN(error) ? null : error;

    /// <summary>Whether the published intervals hold the truth.</summary>
    public bool AgreementIsCovered => Told.AgreementLow <= True.Agreement + Rounding && True.Agreement <= Told.AgreementHigh + Rounding;

    public bool AccuracyIsCovered => Told.AccuracyAuditedLow <= True.Accuracy + Rounding && True.Accuracy <= Told.AccuracyAuditedHigh + Rounding;

    /// <summary>Half of the published 95 % interval of the accuracy.</summary>
    public double? AccuracyHalf => (Told.AccuracyAuditedHigh - Told.AccuracyAuditedLow) / 2;

    /// <summary>Published figures have six digits, and the mean over devices who all agree is not quite 1.</summary>
    private const double Rounding = 1e-6;
}

/// <summary>A run of a watched site whose cameras drift at one time, seen from outside.</summary>
public sealed class QualityRun
{
    /// <summary>Audited or offloaded inputs after which the estimates are to have followed.</summary>
    public const int Allowed = 1000;

    /// <summary>How closely.</summary>
    public const double Close = 0.02;

    private readonly Scenario scenario;
    private readonly Truth truth;
    private readonly List<QualityLook> looks = [];
    private readonly Dictionary<string, Assignment> running = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DeviceGroup> groups = new(StringComparer.Ordinal);
    private long asked, audited, labels;

    private QualityRun(Scenario scenario, Stock stock)
    {
        this.scenario = scenario;
        truth = new Truth(scenario, stock);
        foreach (var (group, id) in SiteWorld.Names(scenario.Sites[0])) groups[id] = group;
        Shift = scenario.Sites[0].Devices.SelectMany(group => group.Drift).Min(drift => drift.At);
    }

    /// <summary>When the images change.</summary>
    public Seconds Shift { get; }

    public IReadOnlyList<QualityLook> Looks => looks;

    /// <summary>What devices ran before the shift, judged on what they see after it.</summary>
    public TrueQuality Stale { get; private set; }

    /// <summary>At the end, with what has been learnt.</summary>
    public TrueQuality Learnt => looks[^1].True;

    /// <summary>Before the shift.</summary>
    public TrueQuality Before => looks.Last(look => look.At < Shift).True;

    /// <summary>Alarms before anything had happened: false ones.</summary>
    public int FalseAlarms => looks.Last(look => look.At < Shift).Told.DriftTotal ?? 0;

    /// <summary>The first summary after the shift that knows of a drift; null when none does.</summary>
    public QualityLook? Alarm => looks.FirstOrDefault(look => look.At >= Shift && look.Told.DriftTotal > FalseAlarms);

    /// <summary>Share of what stale thresholds lose against always asking the tail that learning has won back, in right answers; null where they lose nothing.</summary>
    public double? RecoveredAccuracy => Recovered(quality => quality.Accuracy, Stale.TailAccuracy);

    /// <summary>The same in answers that are the tail's.</summary>
    public double? RecoveredAgreement => Recovered(quality => quality.Agreement, 1);

    /// <summary>When so many had just been asked about; null when it never came to that.</summary>
    public QualityLook? At(int inputs) => looks.FirstOrDefault(look => look.Asked >= inputs);

    /// <summary>From then on.</summary>
    public IEnumerable<QualityLook> After(int inputs) => looks.Where(look => look.Asked >= inputs);

    public static QualityRun Execute(Scenario scenario, long seed, Stock stock)
    {
        var run = new QualityRun(scenario, stock);
        ScenarioRun.Execute(scenario, seed, stock, begins: run.Watch).CheckBooks();
        return run;
    }

    private void Watch(SiteWorld world)
    {
        var viewer = world.Bus.Connect("viewer");
        viewer.Subscribe(new Topic(TopicKind.Summary, world.Name).Path, (_, message) => Look(world.Reached, (Summary)message));
        viewer.Subscribe(Topic.Filter(TopicKind.Audit, world.Name), (_, message) => Count((Audit)message, world.Reached));
        world.Ledger.Recorder = (device, answer) =>
        {
            running[device.Id] = answer.Assignment;
            if (answer.By is AnsweredBy.Edge && world.Reached >= Shift) asked++;
        };
    }

    private void Count(Audit audit, Seconds at)
    {
        if (at < Shift) return;
        if (audit.Label is not null) labels++;
        // An offloaded input counts when it is answered.
        if (audit.Exit == 0) return;
        asked++;
        audited++;
    }

    private void Look(Seconds at, Summary told)
    {
        if (running.Count < groups.Count) return;
        // The shift may come between two summaries: what ran at the last one before it is stale.
        if (at < Shift) Stale = Mean(Shift + new Seconds(1e6));
        looks.Add(new QualityLook(at, told, Mean(at), asked, audited, labels));
    }

    /// <summary>Weighed by how much each device asks.</summary>
    private TrueQuality Mean(Seconds at)
    {
        var sum = default(TrueQuality);
        var rates = groups.Values.Sum(group => group.Rate.Value);
        foreach (var (device, group) in groups) sum += truth.Of(running[device], group, at) * (group.Rate.Value / rates);
        return sum;
    }

    private double? Recovered(Func<TrueQuality, double> of, double tail) => tail - of(Stale) is > 0 and var gap ? (of(Learnt) - of(Stale)) / gap : null;
}
