using Fleet.Contracts;

namespace Fleet.Emulator.Live;

/// <summary>
/// What is known of one real board, for its emulated clones: the profile it names, and how long its stages really take. Heard on one
/// thread, read by the boards of the clones on others.
/// </summary>
public sealed class Twin(string site, string device, Stock stock)
{
    private volatile IReadOnlyDictionary<ModelPiece, double> factors = new Dictionary<ModelPiece, double>();
    private Assignment? reported;
    private Budget? budget;
    private double others = 1;

    public string Site => site;

    public string Device => device;

    /// <summary>As the board's info names it; null before it was heard.</summary>
    public HardwareProfile? Known { get; private set; }

    /// <summary>Of a twin that has been heard.</summary>
    public HardwareProfile Profile => Known ?? throw new InvalidOperationException($"{device} has not said what it is");

    /// <summary>Why it cannot be cloned; empty when it can, or nothing is known yet.</summary>
    public string Fault { get; private set; } = "";

    /// <summary>Measured against the profile's claim, stage by stage; empty before there is a measurement.</summary>
    public Prediction? Error { get; private set; }

    /// <summary>
    /// Measured time of a piece by the profile's claim for it. A piece that the board has not run takes the geometric mean of those it has:
    /// what makes one stage slower mostly makes all slower.
    /// </summary>
    public double Factor(ModelPiece piece) => factors.TryGetValue(piece, out var factor) ? factor : Volatile.Read(ref others);

    /// <summary>Takes what the board says; true when its prediction error has changed.</summary>
    public bool Hear(Topic topic, Message message)
    {
        if (topic.Site != site || topic.Id != device) return false;
        switch (message)
        {
            case Info info:
                Know(info);
                return false;
            case Assignment said when topic.Kind is TopicKind.Reported:
                reported = said;
                return Compare();
            case Budget said:
                budget = said;
                return Compare();
            default:
                return false;
        }
    }

    private void Know(Info info)
    {
        if (info.Emulated) Fault = $"{site}/{device} is emulated itself; clones follow what a real board measures";
        else if (!stock.IsRole(info.Profile, "device")) Fault = $"{site}/{device} names profile \"{info.Profile}\"; allowed: {stock.Roles("device")}";
        else (Known, Fault) = (stock.Profiles[info.Profile], "");
    }

    private bool Compare()
    {
        if (Known is not { } profile || reported is not { } runs || budget is not { StageSeconds.Count: > 0 } said) return false;
        if (!stock.Models.TryGetValue(runs.Model, out var model) || model.CardSha256 != runs.CardSha256) return false;
        var stages = model.Card.Stages.Take(said.StageSeconds.Count).Select((stage, i) => (Piece: stage, Claim: profile.NominalTime(stage), Measured: said.StageSeconds.Of(i + 1))).Where(stage => stage.Measured > 0).ToList();
        if (stages.Count == 0) return false;
        factors = stages.ToDictionary(stage => stage.Piece, stage => stage.Measured / stage.Claim.Value);
        Volatile.Write(ref others, Math.Exp(stages.Average(stage => Math.Log(stage.Measured / stage.Claim.Value))));
        var next = new Prediction
        {
            SentAt = said.SentAt,
            Profile = profile.Id,
            Model = runs.Model,
            Predicted = new PerExit(stages.Select(stage => Quantity.Rounded(stage.Claim.Value))),
            Measured = new PerExit(stages.Select(stage => stage.Measured)),
            Error = Quantity.Rounded(stages.Average(stage => Math.Abs(stage.Claim.Value - stage.Measured) / stage.Measured)),
        };
        var changed = Error is null || Error with { SentAt = next.SentAt } != next;
        Error = next;
        return changed;
    }
}

/// <summary>The real boards of a hybrid fleet. Emulated devices take turns in following them.</summary>
public sealed class TwinSet
{
    private readonly List<Twin> twins;

    /// <param name="names">DEVICE or SITE/DEVICE.</param>
    public TwinSet(IReadOnlyList<string> names, string site, Stock stock) =>
        twins = [.. names.Select(name => name.Split('/')).Select(parts => parts.Length == 1 ? new Twin(site, parts[0], stock) : new Twin(parts[0], parts[1], stock))];

    public IReadOnlyList<Twin> All => twins;

    public IEnumerable<string> Filters =>
        from twin in twins
        from kind in new[] { TopicKind.Info, TopicKind.Budget, TopicKind.Reported }
        select new Topic(kind, twin.Site, twin.Device).Path;

    /// <summary>Publishes a board's prediction error.</summary>
    public Action<Topic, Message> Publish { get; set; } = (_, _) => { };

    /// <summary>Whom the i-th emulated device follows; null when there is nobody to follow.</summary>
    public Twin? Of(int i) => twins.Count == 0 ? null : twins[i % twins.Count];

    public void Hear(Topic topic, Message message)
    {
        foreach (var twin in twins)
            if (twin.Hear(topic, message)) Publish(new Topic(TopicKind.Prediction, twin.Site, twin.Device), twin.Error!);
    }
}
