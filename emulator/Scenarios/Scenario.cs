using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Controller.Planning;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Radios;
using Fleet.Models;

namespace Fleet.Emulator.Scenarios;

/// <summary>Where answers come from.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<InferenceKind>))]
public enum InferenceKind
{
    /// <summary>Looked up in the recorded test trace.</summary>
    [JsonStringEnumMemberName("trace")] Trace,

    /// <summary>Computed by ONNX Runtime on the test images.</summary>
    [JsonStringEnumMemberName("onnx")] Onnx,
}

public sealed record EdgeSpec
{
    [JsonPropertyName("id")] public required string Id { get; init; }

    /// <summary>A hardware profile with role edge.</summary>
    [JsonPropertyName("profile")] public required string Profile { get; init; }
    [JsonPropertyName("workers")] public int Workers { get; init; } = 1;
    [JsonPropertyName("queue_max")] public int QueueMax { get; init; } = 256;

    /// <summary>Time both ways between the broker and this server, and the mean of the exponential delay that is added each way. 0: beside the broker.</summary>
    [JsonPropertyName("rtt_s")] public Seconds RoundTrip { get; init; }
    [JsonPropertyName("jitter_s")] public Seconds Jitter { get; init; }

    /// <summary>What is impossible about it, one sentence a fault.</summary>
    public IEnumerable<string> Faults(Stock stock)
    {
        if (!Name.IsValid(Id)) yield return Name.Fault("id", Id);
        if (!stock.IsRole(Profile, "edge")) yield return $"profile is \"{Profile}\"; allowed: {stock.Roles("edge")}";
        if (Workers is < 1 or > 1024) yield return $"workers is {Workers}; allowed: 1 to 1024";
        if (QueueMax is < 1 or > 1_000_000) yield return $"queue_max is {QueueMax}; allowed: 1 to 1000000";
        if (!(RoundTrip.Value is >= 0 and <= 60)) yield return $"rtt_s is {RoundTrip.Value}; allowed: 0 to 60";
        if (!(Jitter.Value is >= 0 and <= 60)) yield return $"jitter_s is {Jitter.Value}; allowed: 0 to 60";
    }
}

/// <summary>A planning domain: devices, their edge servers, one planner.</summary>
public sealed record SiteSpec
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("devices")] public required IReadOnlyList<DeviceGroup> Devices { get; init; }
    [JsonPropertyName("edges")] public required IReadOnlyList<EdgeSpec> Edges { get; init; }

    /// <summary>Servers far away that finish work as the edge servers do, each behind a round trip of its own.</summary>
    [JsonPropertyName("cloud")] public IReadOnlyList<EdgeSpec> Cloud { get; init; } = [];

    /// <summary>All that finish what devices send.</summary>
    [JsonIgnore] public IEnumerable<EdgeSpec> Servers => Edges.Concat(Cloud);

    /// <summary>Devices that work together, besides the others.</summary>
    [JsonPropertyName("groups")] public IReadOnlyList<GroupSpec> Groups { get; init; } = [];

    /// <summary>What shines on its solar panels.</summary>
    [JsonPropertyName("sky")] public SkySpec? Sky { get; init; }
}

/// <summary>How the controller steers.</summary>
public sealed record ControlSpec
{
    [JsonPropertyName("policy")] public string Policy { get; init; } = Planners.Default;
    [JsonPropertyName("deadline_s")] public Seconds Deadline { get; init; } = new(0.5);
    [JsonPropertyName("report_s")] public Seconds Report { get; init; } = new(5);

    /// <summary>Seconds that a joule of device energy is worth, and seconds that a wrong answer is worth.</summary>
    [JsonPropertyName("joule_weight")] public double JouleWeight { get; init; } = new Weights().JouleWeight;
    [JsonPropertyName("error_weight")] public double ErrorWeight { get; init; } = new Weights().ErrorWeight;

    /// <summary>Least mean accuracy of a site's answers, and longest mean latency of a device's; absent: none is asked.</summary>
    [JsonPropertyName("accuracy_min_ratio")] public double? AccuracyMin { get; init; }
    [JsonPropertyName("latency_max_s")] public Seconds? LatencyMax { get; init; }

    /// <summary>Assignments that may change in a minute; absent: as many as plans change.</summary>
    [JsonPropertyName("changes_per_minute")] public double? ChangesPerMinute { get; init; }

    [JsonIgnore] public Weights Weights => new() { JouleWeight = JouleWeight, ErrorWeight = ErrorWeight, AccuracyMin = AccuracyMin, LatencyMax = LatencyMax };
}

/// <summary>A rehearsal: who is there, what they do, what goes wrong.</summary>
public sealed record Scenario
{
    [JsonPropertyName("name")] public required string Name { get; init; }
    [JsonPropertyName("description")] public string Description { get; init; } = "";
    [JsonPropertyName("duration_s")] public required Seconds Duration { get; init; }

    /// <summary>A site's run ends before its time once this share of its devices has lost its power at least once.</summary>
    [JsonPropertyName("until_dead_ratio")] public double? UntilDead { get; init; }
    [JsonPropertyName("model")] public string Model { get; init; } = "fmnist";
    [JsonPropertyName("inference")] public InferenceKind Inference { get; init; } = InferenceKind.Trace;
    [JsonPropertyName("sites")] public required IReadOnlyList<SiteSpec> Sites { get; init; }
    [JsonPropertyName("control")] public ControlSpec Control { get; init; } = new();
    [JsonPropertyName("faults")] public IReadOnlyList<FaultSpec> FaultList { get; init; } = [];

    /// <summary>Everything that is impossible about it, given what there is.</summary>
    public IEnumerable<string> Faults(Stock stock)
    {
        if (!Contracts.Name.IsValid(Name)) yield return Contracts.Name.Fault("name", Name);
        if (!(Duration.Value is > 0 and <= 1e9)) yield return $"duration_s is {Duration.Value}; allowed: above 0 to 1e9";
        if (UntilDead is { } dead and not (> 0 and <= 1)) yield return $"until_dead_ratio is {dead}; allowed: above 0 to 1 (leave it out to run to the end)";
        if (!stock.Models.ContainsKey(Model)) yield return $"model is \"{Model}\"; allowed: {string.Join(", ", stock.Models.Keys)}";
        if (Sites.Count == 0) yield return "sites is empty; at least one is needed";
        foreach (var twice in Sites.GroupBy(site => site.Name).Where(group => group.Count() > 1)) yield return $"sites: \"{twice.Key}\" stands {twice.Count()} times";
        foreach (var (site, i) in Sites.Select((site, i) => (site, i)))
            foreach (var fault in SiteFaults($"sites[{i}]", site, stock).Concat(GroupFaults($"sites[{i}].groups", site, stock))) yield return fault;
        foreach (var fault in ControlFaults()) yield return fault;
        foreach (var (fault, i) in FaultList.Select((fault, i) => (fault, i)))
            foreach (var wrong in FaultFaults($"faults[{i}]", fault, [.. FaultList.Take(i)], stock.Groups)) yield return wrong;
    }

    private static IEnumerable<string> SiteFaults(string at, SiteSpec site, Stock stock)
    {
        if (!Contracts.Name.IsValid(site.Name)) yield return Contracts.Name.Fault($"{at}.name", site.Name);
        foreach (var (group, i) in site.Devices.Select((group, i) => (group, i)))
            foreach (var fault in group.Faults(site, stock)) yield return $"{at}.devices[{i}].{fault}";
        foreach (var fault in site.Sky?.Faults() ?? []) yield return $"{at}.{fault}";
        var radios = site.Devices.Select(group => group.Radio).Concat(site.Groups.Select(group => group.Radio)).OfType<RadioSpec>();
        foreach (var cell in radios.GroupBy(radio => radio.Cell).Where(cell => cell.Select(radio => stock.Radios.Find(radio.Part)?.Kind).Distinct().Count() > 1))
            yield return $"{at}: radios {string.Join(", ", cell.Select(radio => radio.Part).Distinct())} share cell \"{cell.Key}\"; they need one kind, or cells of their own";
        foreach (var twice in site.Servers.GroupBy(edge => edge.Id).Where(group => group.Count() > 1)) yield return $"{at}.edges: \"{twice.Key}\" stands {twice.Count()} times";
        foreach (var server in site.Servers.Where(server => server.Id == FaultSpec.Controller)) yield return $"{at}: an edge server cannot be called \"{FaultSpec.Controller}\"; faults name the controller so";
        foreach (var fault in site.Edges.SelectMany((edge, i) => edge.Faults(stock).Select(fault => $"{at}.edges[{i}].{fault}"))) yield return fault;
        foreach (var fault in site.Cloud.SelectMany((cloud, i) => cloud.Faults(stock).Select(fault => $"{at}.cloud[{i}].{fault}"))) yield return fault;
        foreach (var (cloud, i) in site.Cloud.Select((cloud, i) => (cloud, i)))
            if (cloud.RoundTrip.Value == 0) yield return $"{at}.cloud[{i}].rtt_s is missing; a cloud is far away, or it stands among the edges";
    }

    private static IEnumerable<string> GroupFaults(string at, SiteSpec site, Stock stock)
    {
        foreach (var (group, i) in site.Groups.Select((group, i) => (group, i)))
            foreach (var fault in group.Faults(site, stock)) yield return $"{at}[{i}].{fault}";
        foreach (var twice in site.Groups.GroupBy(group => group.Name).Where(same => same.Count() > 1)) yield return $"{at}: \"{twice.Key}\" stands {twice.Count()} times";
        foreach (var shared in site.Groups.GroupBy(group => group.Edge).Where(same => same.Select(group => (group.Model, group.Gather)).Distinct().Count() > 1))
            yield return $"{at}: {string.Join(" and ", shared.Select(group => group.Name))} share edge \"{shared.Key}\"; they need one model and one gather_s";
    }

    private IEnumerable<string> ControlFaults()
    {
        foreach (var fault in Policies.Faults(Control.Policy)) yield return $"control.policy {fault}";
        if (!(Control.Deadline.Value is > 0 and <= 3600)) yield return $"control.deadline_s is {Control.Deadline.Value}; allowed: above 0 to 3600";
        if (!(Control.Report.Value is >= 0.1 and <= 86400)) yield return $"control.report_s is {Control.Report.Value}; allowed: 0.1 to 86400";
        if (!(Control.JouleWeight is >= 0 and <= 1e6)) yield return $"control.joule_weight is {Control.JouleWeight}; allowed: 0 to 1e6";
        if (Control.AccuracyMin is { } least and not (>= 0 and <= 1)) yield return $"control.accuracy_min_ratio is {least}; allowed: 0 to 1";
        if (Control.LatencyMax is { Value: not (> 0 and <= 3600) } longest) yield return $"control.latency_max_s is {longest.Value}; allowed: above 0 to 3600";
        if (Control.ChangesPerMinute is { } changes and not (>= 1 and <= 1e6)) yield return $"control.changes_per_minute is {changes}; allowed: 1 to 1e6";
        if (!(Control.ErrorWeight is >= 0 and <= 1e6)) yield return $"control.error_weight is {Control.ErrorWeight}; allowed: 0 to 1e6";
    }

    private IEnumerable<string> FaultFaults(string at, FaultSpec fault, IReadOnlyList<FaultSpec> earlier, IReadOnlyDictionary<string, GroupFiles> groups) =>
        Sites.FirstOrDefault(site => site.Name == fault.Site) is { } site
            ? fault.Faults(site, Duration, earlier, groups).Select(wrong => at + wrong)
            : [$"{at}.site is \"{fault.Site}\"; allowed: {string.Join(", ", Sites.Select(known => known.Name))}"];
}
