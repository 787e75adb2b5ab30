using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Emulator.Scenarios;

/// <summary>What goes wrong.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FaultKind>))]
public enum FaultKind
{
    /// <summary>The edge server's process dies, with all it has queued, and comes back.</summary>
    [JsonStringEnumMemberName("edge-crash")] EdgeCrash,

    /// <summary>The devices' connections die (all of a site, or some) and come back one by one.</summary>
    [JsonStringEnumMemberName("link-loss")] LinkLoss,

    /// <summary>A device falls silent in the middle of what it does, and does not come back.</summary>
    [JsonStringEnumMemberName("device-crash")] DeviceCrash,

    /// <summary>The devices' connections die, and all come back in the same instant.</summary>
    [JsonStringEnumMemberName("reconnect-storm")] ReconnectStorm,

    /// <summary>The broker's process dies and comes back: every session is gone, retained messages are kept or lost.</summary>
    [JsonStringEnumMemberName("broker-restart")] BrokerRestart,

    /// <summary>The controller's process dies; another takes over.</summary>
    [JsonStringEnumMemberName("controller-restart")] ControllerRestart,

    /// <summary>Devices reach the broker, but nothing passes between them and an edge server or the controller: a bridge between two brokers is down.</summary>
    [JsonStringEnumMemberName("partition")] Partition,

    /// <summary>Devices' clocks run fast or slow, or are off; at the end they are set right.</summary>
    [JsonStringEnumMemberName("clock-drift")] ClockDrift,

    /// <summary>Devices lose their power whatever their batteries hold, and boot when it is back.</summary>
    [JsonStringEnumMemberName("brown-out")] BrownOut,

    /// <summary>An edge server or the controller takes its messages slowly; what waits for it is bounded, and what finds no room is dropped.</summary>
    [JsonStringEnumMemberName("slow-consumer")] SlowConsumer,

    /// <summary>Some messages are delivered twice.</summary>
    [JsonStringEnumMemberName("duplicate")] Duplicate,

    /// <summary>Some messages are held back, so that later ones overtake them.</summary>
    [JsonStringEnumMemberName("reorder")] Reorder,
}

/// <summary>Whether a broker that restarts still has its retained messages.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RetainedMemory>))]
public enum RetainedMemory
{
    [JsonStringEnumMemberName("kept")] Kept,
    [JsonStringEnumMemberName("lost")] Lost,
}

public sealed record FaultSpec
{
    /// <summary>Names the controller where an edge server could be named instead.</summary>
    public const string Controller = "controller";

    /// <summary>What happens.</summary>
    [JsonPropertyName("kind")] public required FaultKind Kind { get; init; }

    /// <summary>Where.</summary>
    [JsonPropertyName("site")] public required string Site { get; init; }

    /// <summary>
    /// Edge server (edge-crash), edge server or "controller" (slow-consumer), device (device-crash); else a device, a device group's name, or a
    /// board whose devices are meant; absent: all devices.
    /// </summary>
    [JsonPropertyName("target")] public string? Target { get; init; }

    /// <summary>When it begins.</summary>
    [JsonPropertyName("at_s")] public required Seconds At { get; init; }

    /// <summary>How long it lasts.</summary>
    [JsonPropertyName("for_s")] public required Seconds For { get; init; }

    /// <summary>Partition: the edge server, or "controller", that the devices cannot reach.</summary>
    [JsonPropertyName("from")] public string? From { get; init; }

    /// <summary>Duplicate, reorder: share of all messages; absent: 0.05.</summary>
    [JsonPropertyName("ratio")] public double? Ratio { get; init; }

    /// <summary>Reorder: the longest that a message is held back, uniform from 0; absent: 1.</summary>
    [JsonPropertyName("delay_s")] public Seconds? Delay { get; init; }

    /// <summary>Broker-restart; absent: kept.</summary>
    [JsonPropertyName("retained")] public RetainedMemory? Retained { get; init; }

    /// <summary>Clock-drift: how fast the clocks run, in parts per million; negative: slow. Crystals are off by some 20 to 100, an RC oscillator by 10,000.</summary>
    [JsonPropertyName("drift_ppm")] public double? DriftPpm { get; init; }

    /// <summary>Clock-drift: how far ahead the clocks are; negative: behind.</summary>
    [JsonPropertyName("offset_s")] public Seconds? Offset { get; init; }

    /// <summary>Slow-consumer: messages a second; absent: 10.</summary>
    [JsonPropertyName("rate_hz")] public Hertz? Rate { get; init; }

    /// <summary>Slow-consumer: messages that the broker keeps for it; absent: 100.</summary>
    [JsonPropertyName("queue_max")] public int? QueueMax { get; init; }

    /// <summary>Brown-out: what starting again takes, unless the group's power says; absent: 30. K: a small Linux board boots for half a minute.</summary>
    [JsonPropertyName("boot_s")] public Seconds? Boot { get; init; }

    [JsonIgnore] public Seconds End => At + For;

    /// <summary>The values in force where the scenario leaves them out.</summary>
    [JsonIgnore] public double RatioInForce => Ratio ?? 0.05;
    [JsonIgnore] public Seconds DelayInForce => Delay ?? new Seconds(1);
    [JsonIgnore] public Hertz RateInForce => Rate ?? new Hertz(10);
    [JsonIgnore] public double DriftInForce => DriftPpm ?? 0;
    [JsonIgnore] public Seconds OffsetInForce => Offset ?? Seconds.Zero;
    [JsonIgnore] public int QueueInForce => QueueMax ?? 100;
    [JsonIgnore] public Seconds BootInForce => Boot ?? new Seconds(30);

    /// <summary>The same with every value that is in force written out, as tables and reports tell it.</summary>
    public FaultSpec InForce() => Kind switch
    {
        FaultKind.Duplicate => this with { Ratio = RatioInForce },
        FaultKind.Reorder => this with { Ratio = RatioInForce, Delay = DelayInForce },
        FaultKind.BrokerRestart => this with { Retained = Retained ?? RetainedMemory.Kept },
        FaultKind.ClockDrift => this with { DriftPpm = DriftInForce, Offset = OffsetInForce },
        FaultKind.SlowConsumer => this with { Rate = RateInForce, QueueMax = QueueInForce },
        FaultKind.BrownOut => this with { Boot = BootInForce },
        _ => this,
    };

    /// <summary>Whether it strikes devices that <see cref="Target"/> may narrow down.</summary>
    [JsonIgnore] public bool IsOfDevices => Kind is FaultKind.LinkLoss or FaultKind.ReconnectStorm or FaultKind.Partition or FaultKind.ClockDrift or FaultKind.BrownOut or FaultKind.DeviceCrash;

    /// <summary>Whether it strikes a device of that group and name.</summary>
    /// <param name="group">The name of its group; empty when it has none.</param>
    public bool Strikes(string device, string board, string group) =>
        IsOfDevices && (Target is null || Target == device || Kind is not FaultKind.DeviceCrash && (Target == board || Target == group));

    /// <summary>What is impossible about it, one sentence a fault.</summary>
    /// <param name="duration">Of the run.</param>
    /// <param name="earlier">The faults before it in the file.</param>
    public IEnumerable<string> Faults(SiteSpec site, Seconds duration, IReadOnlyList<FaultSpec> earlier, IReadOnlyDictionary<string, GroupFiles> groups)
    {
        if (!(At.Value >= 0 && At < duration)) yield return $".at_s is {At.Value}; allowed: 0 to below duration_s ({duration.Value})";
        if (!(For.Value is > 0 and <= 1e9)) yield return $".for_s is {For.Value}; allowed: above 0 to 1e9";
        foreach (var fault in TargetFaults(site, groups).Concat(FigureFaults())) yield return fault;
        if (Kind is FaultKind.DeviceCrash && End < duration) yield return $" ends at {End.Value} s; a device that crashed does not come back before the end ({duration.Value} s)";
        var struck = Struck(site, groups);
        foreach (var (other, i) in earlier.Select((other, i) => (other, i)))
            if (other.Kind == Kind && IsAlsoOn(site, other) && other.From == From && At < other.End && other.At < End && other.Struck(site, groups).Overlaps(struck))
                yield return $" begins at {At.Value} s and ends at {End.Value} s, while faults[{i}] ({other.At.Value} to {other.End.Value} s) strikes the same target";
    }

    /// <summary>Whether another fault strikes this one's site, too: the same one, or one is of all the sites that it was written out to.</summary>
    private bool IsAlsoOn(SiteSpec site, FaultSpec other) => other.Site == Site || site.IsMeantBy(other.Site) && (Site == site.Name || other.Site == site.Name || other.Site == site.Family);

    private IEnumerable<string> TargetFaults(SiteSpec site, IReadOnlyDictionary<string, GroupFiles> groups)
    {
        var servers = site.Servers.Select(edge => edge.Id).ToList();
        string[] readers = [.. servers, Controller];
        if (Kind is FaultKind.EdgeCrash && !servers.Contains(Target!)) yield return $".target is \"{Target}\"; allowed: {string.Join(", ", servers)}";
        if (Kind is FaultKind.SlowConsumer && !readers.Contains(Target)) yield return $".target is \"{Target}\"; allowed: {string.Join(", ", readers)}";
        if (Kind is FaultKind.Partition && !readers.Contains(From)) yield return $".from is \"{From}\"; allowed: {string.Join(", ", readers)}";
        if (Kind is FaultKind.BrokerRestart or FaultKind.ControllerRestart or FaultKind.Duplicate or FaultKind.Reorder && Target is not null)
            yield return $".target is \"{Target}\"; a fault of this kind strikes the whole site, leave it out";
        if (!IsOfDevices || Target is null && Kind is not FaultKind.DeviceCrash || Struck(site, groups).Count > 0) yield break;
        if (Kind is FaultKind.DeviceCrash) yield return $".target is \"{Target}\"; site {site.Name} has no such device";
        else yield return $".target is \"{Target}\"; allowed: a device, {string.Join(", ", site.Devices.SelectMany(group => new[] { group.Board, group.Name }).Concat(site.Groups.Select(group => group.Name)).Where(name => name.Length > 0).Distinct())}, or none for all";
    }

    private IEnumerable<string> FigureFaults()
    {
        foreach (var (key, isGiven, kinds) in Keys())
            if (isGiven && !kinds.Contains(Kind)) yield return $".{key} is given; it belongs to {string.Join(", ", kinds.Select(kind => JsonNames.Of(kind)))}";
        if (Ratio is { } ratio and not (> 0 and <= 1)) yield return $".ratio is {ratio}; allowed: above 0 to 1";
        if (Delay is { Value: not (> 0 and <= 60) } delay) yield return $".delay_s is {delay.Value}; allowed: above 0 to 60";
        if (DriftPpm is { } drift and not (>= -50_000 and <= 50_000)) yield return $".drift_ppm is {drift}; allowed: -50000 to 50000";
        if (Offset is { Value: not (>= -86_400 and <= 86_400) } offset) yield return $".offset_s is {offset.Value}; allowed: -86400 to 86400";
        if (Kind is FaultKind.ClockDrift && DriftPpm is null && Offset is null) yield return ".drift_ppm and .offset_s are missing; one of them is needed";
        if (Rate is { Value: not (>= 0.01 and <= 1e5) } rate) yield return $".rate_hz is {rate.Value}; allowed: 0.01 to 100000";
        if (QueueMax is { } queue and not (>= 1 and <= 1_000_000)) yield return $".queue_max is {queue}; allowed: 1 to 1000000";
        if (Boot is { Value: not (> 0 and <= 3600) } boot) yield return $".boot_s is {boot.Value}; allowed: above 0 to 3600";
    }

    private IEnumerable<(string Key, bool IsGiven, FaultKind[] Kinds)> Keys() =>
    [
        ("from", From is not null, [FaultKind.Partition]),
        ("ratio", Ratio is not null, [FaultKind.Duplicate, FaultKind.Reorder]),
        ("delay_s", Delay is not null, [FaultKind.Reorder]),
        ("retained", Retained is not null, [FaultKind.BrokerRestart]),
        ("drift_ppm", DriftPpm is not null, [FaultKind.ClockDrift]),
        ("offset_s", Offset is not null, [FaultKind.ClockDrift]),
        ("rate_hz", Rate is not null, [FaultKind.SlowConsumer]),
        ("queue_max", QueueMax is not null, [FaultKind.SlowConsumer]),
        ("boot_s", Boot is not null, [FaultKind.BrownOut]),
    ];

    /// <summary>Names of what it strikes: two faults of one kind on one of them at once could not be told apart.</summary>
    private HashSet<string> Struck(SiteSpec site, IReadOnlyDictionary<string, GroupFiles> groups) => IsOfDevices
        ? [.. SiteWorld.Names(site).Where(device => Strikes(device.Id, device.Group.Board, device.Group.Name)).Select(device => device.Id),
           .. SiteWorld.Members(site, groups).Where(device => Strikes(device.Id, device.Together.Group.Board, device.Together.Group.Name)).Select(device => device.Id)]
        : [Target ?? ""];
}
