using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>What an option is expected to give one device on one edge server: a mean over its inputs. Never a measurement.</summary>
/// <param name="AccuracyLost">Below the whole network's; negative where exits happen to do better.</param>
public readonly record struct Estimate(double Accuracy, double AccuracyLost, Seconds Latency, Joules Energy, double Offload, Seconds EdgeTime);

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
}

/// <summary>
/// Predicts what an option costs a device: its own measured stage times where it reported them, else its profile's claim. It knows
/// only profiles, cards and reports; the emulator's physics is other code.
/// </summary>
public sealed class CostModel(Weights weights)
{
    /// <summary>Assumed until a device has measured its own: optimistic, so that offloading is tried once and then known.</summary>
    private static readonly Seconds UnknownRoundTrip = new(0.001);

    public double Cost(in Estimate estimate) =>
        estimate.Latency.Value + weights.JouleWeight * estimate.Energy.Value + weights.ErrorWeight * estimate.AccuracyLost;

    /// <summary>Null when the option does not fit the device or the edge server, or when nobody knows how fast one of them is.</summary>
    public Estimate? Estimate(Option option, DeviceView device, EdgeView? edge)
    {
        if (device.Profile is not { } profile || !Fits(option, device, profile)) return null;
        if (option.Route is null != edge is null) return null;
        var (latency, energy) = (Seconds.Zero, Joules.Zero);
        for (var stage = 1; stage <= option.Head && !option.SendsAll; stage++)
        {
            var time = StageTime(option, stage, device, profile);
            var share = option.StageShares[stage - 1];
            latency += time * share;
            energy += StageEnergy(stage, time, device, profile) * share;
        }
        var edgeTime = Seconds.Zero;
        if (edge is not null && option.Route is { } route)
        {
            if (Served(option, route, edge) is not { } served) return null;
            var (crossing, spent) = Crossing(option, route, device, profile, served, edge);
            latency += crossing * option.OffloadShare;
            energy += spent * option.OffloadShare;
            edgeTime = served * option.OffloadShare;
        }
        // A report may be absurd and still lawful: what it leads to is no option.
        if (!double.IsFinite(latency.Value) || !double.IsFinite(energy.Value)) return null;
        return new Estimate(option.Accuracy, option.Model.FullAccuracy - option.Accuracy, latency, energy, option.OffloadShare, edgeTime);
    }

    /// <summary>Seconds of edge-server time that one second offers: its workers.</summary>
    public static double Capacity(EdgeView edge) => edge.Load?.Workers is { } workers and > 0 ? workers : 1;

    /// <summary>Whether the device's energy budget carries the option at its request rate.</summary>
    public static bool IsAffordable(in Estimate estimate, DeviceView device) =>
        device.Budget is not { EnergyBudget: { } budget } known || known.RequestRate * estimate.Energy <= budget;

    private static Seconds StageTime(Option option, int stage, DeviceView device, HardwareProfile profile) =>
        device.Budget?.StageSeconds.Find(stage) is { } measured and > 0 && Ran(device, option)
            ? new Seconds(measured)
            : profile.NominalTime(option.Model.Files.Card.Stage(stage).Work);

    private static Joules StageEnergy(int stage, Seconds time, DeviceView device, HardwareProfile profile) =>
        device.Budget?.StageJoules.Find(stage) is { } joules && device.Budget.StageSeconds.Find(stage) is { } measured and > 0
            ? new Joules(joules) * (time.Value / measured)
            : profile.Power.Active.Value * time;

    /// <summary>Measured times count only for the model they were measured with.</summary>
    private static bool Ran(DeviceView device, Option option) => device.Reported?.CardSha256 == option.Model.Files.CardSha256;

    /// <summary>Time of one frame on the edge server: measured, else its profile's claim, else unknown; null too when it does not hold the bottleneck.</summary>
    private static Seconds? Served(Option option, Route route, EdgeView edge)
    {
        var card = option.Model.Files.Card;
        if (route.Bottleneck > 0 && edge.Reported?.HoldsBottleneck(card.Bottleneck(route.Bottleneck).Name) is not true) return null;
        var measured = route.Bottleneck == 0 ? edge.Load?.TailSeconds.Find(route.Cut + 1) : edge.Load?.BottleneckSeconds.Find(route.Bottleneck);
        return measured is { } known and > 0 ? new Seconds(known) : edge.Profile?.NominalTime(card.Tail(route.Tail).Work);
    }

    /// <summary>What making the payload takes on the device, before it is sent.</summary>
    private static Seconds PackTime(Option option, Route route, DeviceView device, HardwareProfile profile)
    {
        var card = option.Model.Files.Card;
        if (route.Codec is FeatureCodec.Png or FeatureCodec.Webp) return profile.NominalImageCodecTime(card.Cuts[0].Elements);
        if (route.Bottleneck == 0) return Seconds.Zero;
        var bottleneck = card.Bottleneck(route.Bottleneck);
        var isMeasured = Ran(device, option) && device.Reported?.Bottleneck == bottleneck.Name;
        return isMeasured && device.Budget?.EncoderTime is { Value: > 0 } measured ? measured : profile.NominalTime(bottleneck.Encoder.Work);
    }

    private static (Seconds Latency, Joules Energy) Crossing(Option option, Route route, DeviceView device, HardwareProfile profile, Seconds served, EdgeView edge)
    {
        var onAir = profile.OnAir((long)option.Payload.Value + TensorFrame.HeaderBytes);
        var uplink = device.Budget?.Uplink ?? profile.Radio.Goodput.Value;
        var packing = PackTime(option, route, device, profile);
        var queue = edge.Load?.QueueMean ?? Seconds.Zero;
        var latency = packing + onAir / uplink + (device.Budget?.RoundTrip ?? UnknownRoundTrip) + queue + served;
        var energy = profile.Power.Active.Value * packing + onAir * (device.Budget?.TxEnergy ?? profile.Radio.TxPerByte.Value);
        // Whoever stays awake anyway pays for waiting whatever is planned; a device that could sleep pays for it here.
        if (device.IsDutyCycled) energy += (profile.Power.Idle.Value - (profile.Power.Sleep?.Value ?? Watts.Zero)) * (latency - packing);
        return (latency, energy);
    }

    private static bool Fits(Option option, DeviceView device, HardwareProfile profile)
    {
        var stages = option.Model.Files.Card.Stages.Take(option.Head).ToList();
        var bottleneck = option.Route is { Bottleneck: > 0 and var number } ? option.Model.Files.Card.Bottleneck(number) : null;
        var files = stages.Sum(stage => stage.FileBytes) + (bottleneck?.DeviceFiles.Sum(file => file.FileBytes) ?? 0);
        var memory = files + Math.Max(stages.Max(stage => stage.PeakActivationBytes), bottleneck?.Encoder.PeakActivationBytes ?? 0);
        return memory <= (device.Info?.Memory is { Value: > 0 } told ? told : profile.Memory.Value).Value
            && files <= (device.Info?.Storage is { Value: > 0 } room ? room : profile.Storage.Value).Value;
    }
}
