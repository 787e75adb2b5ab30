using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>What an option is expected to give one device on one edge server: a mean over its inputs. Never a measurement.</summary>
/// <param name="AccuracyLost">Below the whole network's; negative where exits happen to do better.</param>
public readonly record struct Estimate(double Accuracy, double AccuracyLost, Seconds Latency, Joules Energy, double Offload, Seconds EdgeTime);

/// <summary>Estimates summed over inferences: what plans said beforehand of all that was answered under them.</summary>
public readonly record struct Promise(long Inferences, double Accuracy, Seconds Latency, Joules Energy)
{
    public Promise With(int inferences, in Estimate each) =>
        new(Inferences + inferences, Accuracy + inferences * each.Accuracy, Latency + each.Latency * inferences, Energy + each.Energy * inferences);
}

/// <summary>
/// How much a second, a joule and an error matter, in seconds: cost = latency + JouleWeight * energy + ErrorWeight * (accuracy of the
/// whole network - accuracy). Counting errors from what the whole network reaches keeps its own errors, which no plan can avoid, out
/// of the comparison.
/// </summary>
public sealed record Weights
{
    /// <summary>Seconds a joule is worth.</summary>
    public double JouleWeight { get; init; } = 2;

    /// <summary>Seconds a wrong answer is worth.</summary>
    public double ErrorWeight { get; init; } = 1;

    /// <summary>Least mean accuracy of a site's answers, on top of what an error costs; null: none is asked. Only `dual` and `milp` keep it.</summary>
    public double? AccuracyMin { get; init; }

    /// <summary>Longest mean latency of a device's answers; null: none. Only `dual` and `milp` keep it.</summary>
    public Seconds? LatencyMax { get; init; }

    /// <summary>Most energy that an inference of the site may take in the mean; null: any. Only `dual` and `milp` keep it.</summary>
    public Joules? EnergyMax { get; init; }

    /// <summary>Most bytes that an inference of the site may put on the network in the mean, headers included; null: any. Only `dual` and `milp` keep it.</summary>
    public Bytes? SentMax { get; init; }

    /// <summary>As an operator wants it: the objective's limits and no others, and its weights where it has any.</summary>
    public Weights For(Objective objective) =>
        new() { JouleWeight = objective.JouleWeight ?? JouleWeight, ErrorWeight = objective.ErrorWeight ?? ErrorWeight, AccuracyMin = objective.AccuracyMin, EnergyMax = objective.EnergyMax, SentMax = objective.SentMax };
}

/// <summary>
/// Predicts what an option costs a device: its own measured stage times where it reported them, else its profile's claim. It knows
/// only profiles, cards and reports; the emulator's physics is other code.
/// </summary>
public sealed class CostModel(Weights weights)
{
    /// <summary>Assumed until a device has measured its own: optimistic, so that offloading is tried once and then known.</summary>
    private static readonly Seconds UnknownRoundTrip = new(0.001);

    /// <summary>Topic and headers of MQTT around a frame, about.</summary>
    private const int PublishBytes = 40;

    /// <summary>An answer, with its topic and headers, about.</summary>
    private const int ReplyBytes = 140;

    /// <summary>Share of its time that a device is taken to be idle at least.</summary>
    internal const double IdleMin = 0.05;

    /// <summary>Seconds that an input waits at most: reports may be absurd.</summary>
    internal const double WaitMax = 3600;

    public Weights Weights => weights;

    public double Cost(in Estimate estimate) =>
        estimate.Latency.Value + weights.JouleWeight * estimate.Energy.Value + weights.ErrorWeight * estimate.AccuracyLost;

    /// <summary>Null when the option does not fit the device or the edge server, or when nobody knows how fast one of them is.</summary>
    public Estimate? Estimate(Option option, DeviceView device, EdgeView? edge)
    {
        if (device.Profile is not { } profile || !Fits(option.Model, option.Head, option.Route?.Bottleneck ?? 0, device, profile)) return null;
        if (option.Route is null != edge is null) return null;
        Span<(Seconds, Joules)> stages = stackalloc (Seconds, Joules)[PerExit.Max];
        for (var stage = 1; stage <= option.Head; stage++) stages[stage - 1] = Stage(option.Model, stage, device, profile);
        var rate = device.Budget?.RequestRate ?? Hertz.Zero;
        if (edge is null || option.Route is not { } route) return Sum(option, rate, stages);
        return Served(option.Model, route, edge) is { } served
            ? Sum(option, rate, stages, Crossing(option.Model, route, option.Payload, device, profile), Encoding(option.Model, route, device, profile), RoundTrip(device), Queueing(edge), served)
            : null;
    }

    /// <summary>An estimate from what one run of each stage takes and, of an option that sends something, the way to the edge server and back.</summary>
    internal static Estimate? Sum(
        Option option, Hertz rate, ReadOnlySpan<(Seconds Time, Joules Energy)> stages,
        (Seconds Time, Joules Energy) crossing = default, Seconds encoding = default, Seconds roundTrip = default, Seconds queueing = default, Seconds served = default)
    {
        var (latency, energy, run, square) = (Seconds.Zero, Joules.Zero, Seconds.Zero, 0.0);
        for (var stage = 0; stage < option.Head && !option.SendsAll; stage++)
        {
            var (time, spent) = stages[stage];
            var share = option.StageShares[stage];
            latency += time * share;
            energy += spent * share;
            square += share * Squares(run, time);
            run += time;
        }
        var busy = latency;
        var edgeTime = Seconds.Zero;
        if (option.Route is not null)
        {
            latency += (crossing.Time + roundTrip + queueing + served) * option.OffloadShare;
            energy += crossing.Energy * option.OffloadShare;
            edgeTime = served * option.OffloadShare;
            (busy, square) = (busy + encoding * option.OffloadShare, square + option.OffloadShare * Squares(run, encoding));
        }
        latency += Waiting(rate, busy, square);
        // A report may be absurd and still lawful: what it leads to is no option.
        if (!double.IsFinite(latency.Value) || !double.IsFinite(energy.Value)) return null;
        return new Estimate(option.Accuracy, option.Model.FullAccuracy - option.Accuracy, latency, energy, option.OffloadShare, edgeTime);
    }

    /// <summary>
    /// How long an input waits for those before it, in the mean: rate x E[S^2] / 2 (1 - rate x E[S]) for inputs that know nothing of each other (Pollaczek and Khinchine). Who is asked more than
    /// it can do waits long, but not for ever: a camera's backlog ends.
    /// </summary>
    /// <param name="square">E[S^2], in square seconds.</param>
    internal static Seconds Waiting(Hertz rate, Seconds busy, double square) => new(Math.Min(WaitMax, rate.Value * square / 2 / Math.Max(IdleMin, 1 - rate * busy)));

    /// <summary>What more work adds to the square of the time that came before.</summary>
    internal static double Squares(Seconds before, Seconds more) => more.Value * (more.Value + 2 * before.Value);

    /// <summary>What of a crossing keeps the processor from the next input: the encoder.</summary>
    internal static Seconds Encoding(PlannedModel model, Route route, DeviceView device, HardwareProfile profile) => route.Bottleneck > 0 ? PackTime(model, route, device, profile) : Seconds.Zero;

    /// <summary>One run of a stage on a device.</summary>
    internal static (Seconds Time, Joules Energy) Stage(PlannedModel model, int stage, DeviceView device, HardwareProfile profile)
    {
        var time = device.Budget?.StageSeconds.Find(stage) is { } measured and > 0 && Ran(device, model)
            ? new Seconds(measured)
            : profile.NominalTime(model.Files.Card.Stage(stage));
        return (time, RunPower(device, profile) * time);
    }

    /// <summary>Getting one input across: packing and the air, without the way there and back.</summary>
    internal static (Seconds Time, Joules Energy) Crossing(PlannedModel model, Route route, Bytes payload, DeviceView device, HardwareProfile profile)
    {
        var onAir = OnAir(payload, profile);
        var (packing, sending) = (PackTime(model, route, device, profile), AirTime(onAir, device, profile));
        var energy = RunPower(device, profile) * packing + onAir * (device.Budget?.TxEnergy ?? profile.Radio.TxPerByte.Value)
            + profile.OnAir(ReplyBytes) * profile.Radio.RxPerByte.Value;
        // Whoever stays awake anyway pays for waiting whatever is planned; a device that could sleep pays for it here, as far as that is the same at all servers.
        if (device.IsDutyCycled) energy += (profile.Power.Idle.Value - (profile.Power.Sleep?.Value ?? Watts.Zero)) * (sending + RoundTrip(device));
        return (packing + sending, energy);
    }

    /// <summary>What a payload puts on the air.</summary>
    internal static Bytes OnAir(Bytes payload, HardwareProfile profile) => profile.OnAir((long)payload.Value + TensorFrame.HeaderBytes + PublishBytes);

    /// <summary>What an inference of a device puts on the air in the mean; its answer and reports are not counted.</summary>
    public static Bytes Sent(Option option, HardwareProfile profile) => option.Route is null ? Bytes.Zero : OnAir(option.Payload, profile) * option.OffloadShare;

    /// <summary>How long the air is busy with so many bytes, headers included.</summary>
    internal static Seconds AirTime(Bytes onAir, DeviceView device, HardwareProfile profile) => onAir / (device.Budget?.Uplink ?? profile.Radio.Goodput.Value);

    internal static Seconds RoundTrip(DeviceView device) => device.Budget?.RoundTrip ?? UnknownRoundTrip;

    /// <summary>What an answer waits there, and for being farther away than other servers are.</summary>
    internal static Seconds Queueing(EdgeView edge) => (edge.Load?.QueueMean ?? Seconds.Zero) + edge.Distance;

    /// <summary>Seconds of edge-server time that one second offers: its workers.</summary>
    public static double Capacity(EdgeView edge) => edge.Load?.Workers is { } workers and > 0 ? workers : 1;

    /// <summary>Whether the device's energy budget carries the option at its request rate.</summary>
    public static bool IsAffordable(in Estimate estimate, DeviceView device) =>
        device.Budget is not { EnergyBudget: { } budget } known || known.RequestRate * estimate.Energy <= budget;

    /// <summary>Drawn by a run above what the device draws without it: by its own account of the stages it holds, else by its profile.</summary>
    private static Watts RunPower(DeviceView device, HardwareProfile profile)
    {
        if (device.Budget is { } budget && budget.StageJoules.Find(1) is { } joules && budget.StageSeconds.Find(1) is { } seconds and > 0) return new Watts(joules / seconds);
        return profile.Power.Active.Value - (device.IsDutyCycled ? profile.Power.Sleep?.Value ?? Watts.Zero : profile.Power.Idle.Value);
    }

    /// <summary>Measured times count only for the model they were measured with.</summary>
    private static bool Ran(DeviceView device, PlannedModel model) => device.Reported?.CardSha256 == model.Files.CardSha256;

    /// <summary>Time of one frame on the edge server: measured, else its profile's claim, else unknown; null too when it does not hold the tail.</summary>
    internal static Seconds? Served(PlannedModel model, Route route, EdgeView edge)
    {
        var card = model.Files.Card;
        if (edge.Reported?.Finishes(route.Cut, card.NameOf(route.Bottleneck)) is not true) return null;
        var measured = route.Bottleneck == 0 ? edge.Load?.TailSeconds.Find(route.Cut + 1) : edge.Load?.BottleneckSeconds.Find(route.Bottleneck);
        return measured is { } known and > 0 ? new Seconds(known) : edge.Profile?.NominalTime(card.Tail(route.Tail));
    }

    /// <summary>What making the payload takes on the device, before it is sent.</summary>
    private static Seconds PackTime(PlannedModel model, Route route, DeviceView device, HardwareProfile profile)
    {
        var card = model.Files.Card;
        if (route.Codec is FeatureCodec.Png or FeatureCodec.Webp) return profile.NominalImageCodecTime(card.Cuts[0].Elements);
        if (route.Bottleneck == 0) return Seconds.Zero;
        var bottleneck = card.Bottleneck(route.Bottleneck);
        var isMeasured = Ran(device, model) && device.Reported?.Bottleneck == bottleneck.Name;
        return isMeasured && device.Budget?.EncoderTime is { Value: > 0 } measured ? measured : profile.NominalTime(bottleneck.Encoder);
    }

    /// <summary>Whether the head, and the encoder of a bottleneck (0: none), fit the device's memory and storage.</summary>
    internal static bool Fits(PlannedModel model, int head, int bottleneckNumber, DeviceView device, HardwareProfile profile)
    {
        var (files, memory) = model.Needs(head, bottleneckNumber);
        return memory <= (device.Info?.Memory is { Value: > 0 } told ? told : profile.Memory.Value).Value
            && files <= (device.Info?.Storage is { Value: > 0 } room ? room : profile.Storage.Value).Value;
    }
}
