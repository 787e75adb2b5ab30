using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Experiments.Quality;

/// <summary>What a site's controller published at a time, and how good its answers truly were under what its devices ran then.</summary>
/// <param name="Asked">Inputs that the tail has been asked about since the shift: audited or offloaded.</param>
/// <param name="Audited">Of these, confident ones that were sent only to check the exit.</param>
public sealed record QualityLook(Seconds At, Summary Told, TrueQuality True, long Asked, long Audited);

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
    private long asked, audited;

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

    /// <summary>How far what is published is from the truth at most, once so many inputs were audited or offloaded; null when it never came to that.</summary>
    public double? AgreementErrorAfter(int inputs) => ErrorAfter(inputs, look => look.Told.Agreement - look.True.Agreement);

    /// <inheritdoc cref="AgreementErrorAfter"/>
    public double? AccuracyErrorAfter(int inputs) => ErrorAfter(inputs, look => look.Told.AccuracyAudited - look.True.Accuracy);

    /// <summary>The same when so many had just been asked about.</summary>
    public double? AgreementErrorAt(int inputs) => looks.FirstOrDefault(look => look.Asked >= inputs) is { } look ? Math.Abs(look.Told.Agreement - look.True.Agreement ?? 1) : null;

    /// <inheritdoc cref="AgreementErrorAt"/>
    public double? AccuracyErrorAt(int inputs) => looks.FirstOrDefault(look => look.Asked >= inputs) is { } look ? Math.Abs(look.Told.AccuracyAudited - look.True.Accuracy ?? 1) : null;

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
        viewer.Subscribe(Topic.Filter(TopicKind.Audit, world.Name), (_, message) => Count(((Audit)message).Exit > 0, world.Reached));
        world.Ledger.Recorder = (device, answer) =>
        {
            running[device.Id] = answer.Assignment;
            if (answer.By is AnsweredBy.Edge && world.Reached >= Shift) asked++;
        };
    }

    private void Count(bool isAudit, Seconds at)
    {
        // An offloaded input counts when it is answered.
        if (!isAudit || at < Shift) return;
        asked++;
        audited++;
    }

    private void Look(Seconds at, Summary told)
    {
        if (running.Count < groups.Count) return;
        // The shift may come between two summaries: what ran at the last one before it is stale.
        if (at < Shift) Stale = Mean(Shift + new Seconds(1e6));
        looks.Add(new QualityLook(at, told, Mean(at), asked, audited));
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

    private double? ErrorAfter(int inputs, Func<QualityLook, double?> error) =>
        looks.Where(look => look.Asked >= inputs).Select(look => error(look) is { } known ? Math.Abs(known) : (double?)null).Max();
}
