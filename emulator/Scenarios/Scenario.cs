using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Controller.Planning;
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

/// <summary>A rehearsal: who is there, what they do, what goes wrong.</summary>
public sealed record Scenario
{
    /// <summary>Where editors find the schema of such files; not looked at.</summary>
    [JsonPropertyName("$schema")] public string? Schema { get; init; }

    /// <summary>Of the scenario, as its file is called.</summary>
    [JsonPropertyName("name")] public required string Name { get; init; }

    /// <summary>One line: what happens in it, shown by `fleet scenario list`.</summary>
    [JsonPropertyName("description")] public string Description { get; init; } = "";

    /// <summary>Virtual time that is run.</summary>
    [JsonPropertyName("duration_s")] public required Seconds Duration { get; init; }

    /// <summary>A site's run ends before its time once this share of its devices has lost its power at least once.</summary>
    [JsonPropertyName("until_dead_ratio")] public double? UntilDead { get; init; }

    /// <summary>The model of the zoo that devices run.</summary>
    [JsonPropertyName("model")] public string Model { get; init; } = "fmnist";

    /// <summary>Where answers come from: the recorded test trace, or ONNX Runtime on the images.</summary>
    [JsonPropertyName("inference")] public InferenceKind Inference { get; init; } = InferenceKind.Trace;

    /// <summary>Planning domains that know nothing of each other.</summary>
    [JsonPropertyName("sites")] public required IReadOnlyList<SiteSpec> Sites { get; init; }

    /// <summary>How controllers steer, the same on every site.</summary>
    [JsonPropertyName("control")] public ControlSpec Control { get; init; } = new();

    /// <summary>What is different from a time on.</summary>
    [JsonPropertyName("stages")] public IReadOnlyList<StageSpec> Stages { get; init; } = [];

    /// <summary>What goes wrong, and when.</summary>
    [JsonPropertyName("faults")] public IReadOnlyList<FaultSpec> FaultList { get; init; } = [];

    /// <summary>Where its file lies: paths in it are relative to that.</summary>
    [JsonIgnore] public string Directory { get; init; } = "";

    /// <summary>The drifts of images that occur in it, in the order of their names.</summary>
    [JsonIgnore]
    public IReadOnlyList<Drift> Drifts =>
        [.. Sites.SelectMany(site => site.Devices).SelectMany(group => group.Drift).Concat(Stages.SelectMany(stage => stage.Drift ?? [])).Where(drift => !drift.IsOfLabels)
            .Select(drift => drift.Kind).Distinct().Order(StringComparer.Ordinal).Select(Drift.Parse)];

    /// <summary>Whether devices decide for themselves at some time, with a controller or without.</summary>
    [JsonIgnore] public bool LetsDevicesDecide => Control.Alone is not null || PolicyNames.Any(Planners.LetsDevicesDecide);

    /// <summary>Whether any device may lose its power for good: one on a battery, or one that a fault crashes.</summary>
    [JsonIgnore] public bool MayDie => Sites.SelectMany(site => site.Devices).Any(group => group.Battery is not null || group.Power is not null) || FaultList.Any(fault => fault.Kind is FaultKind.DeviceCrash);

    private IEnumerable<string> PolicyNames => Stages.Select(stage => stage.Policy).Append(Control.Policy).OfType<string>();

    /// <summary>A group of devices through all stages: what it is from which time on.</summary>
    public IReadOnlyList<(Seconds From, DeviceGroup Group)> Through(SiteSpec site, DeviceGroup group)
    {
        var through = new List<(Seconds From, DeviceGroup Group)> { (Seconds.Zero, group) };
        foreach (var stage in Stages.Where(stage => stage.Concerns(site, group)).OrderBy(stage => stage.At.Value)) through.Add((stage.At, stage.Change(through[^1].Group)));
        return through;
    }

    /// <summary>The same with each repeated site written out.</summary>
    public Scenario Expanded() => this with { Sites = [.. Sites.SelectMany(site => site.Expanded())] };

    /// <summary>Everything that is impossible about it, given what there is.</summary>
    public IEnumerable<string> Faults(Stock stock)
    {
        if (!Contracts.Name.IsValid(Name)) yield return Contracts.Name.Fault("name", Name);
        if (!(Duration.Value is > 0 and <= 1e9)) yield return $"duration_s is {Duration.Value}; allowed: above 0 to 1e9";
        if (UntilDead is { } dead and not (> 0 and <= 1)) yield return $"until_dead_ratio is {dead}; allowed: above 0 to 1 (leave it out to run to the end)";
        if (UntilDead is not null && !MayDie) yield return "until_dead_ratio is given where nobody can die: no devices have battery_j or power, and no fault is a device-crash";
        if (!stock.Models.ContainsKey(Model)) yield return $"model is \"{Model}\"; allowed: {string.Join(", ", stock.Models.Keys)}";
        if (Sites.Count == 0) yield return "sites is empty; at least one is needed";
        foreach (var twice in Expanded().Sites.Concat(Sites.Where(site => site.Repeat > 1)).GroupBy(site => site.Name).Where(group => group.Count() > 1)) yield return $"sites: \"{twice.Key}\" stands {twice.Count()} times";
        foreach (var (site, i) in Sites.Select((site, i) => (site, i)))
            foreach (var fault in SiteFaults($"sites[{i}]", site, stock).Concat(GroupFaults($"sites[{i}].groups", site, stock))) yield return fault;
        foreach (var fault in Control.Faults()) yield return $"control.{fault}";
        // Stages of which some exit may answer are no tails: what they take is not counted.
        foreach (var site in Sites.Where(site => site.Cloud.Count > 0 && site.Edges.Any(edge => edge.TailMemory is not null) && PolicyNames.Any(Planners.LetsServersDecide)))
            yield return $"site {site.Name} has a cloud and edge servers with tail_memory_bytes under a policy that lets edge servers decide (hierarchical); allowed: two of the three";
        foreach (var fault in Stages.SelectMany((stage, i) => stage.Faults(this, stock).Select(fault => $"stages[{i}]{fault}"))) yield return fault;
        foreach (var (fault, i) in FaultList.Select((fault, i) => (fault, i)))
            foreach (var wrong in FaultFaults($"faults[{i}]", fault, [.. FaultList.Take(i)], stock.Groups)) yield return wrong;
    }

    private IEnumerable<string> SiteFaults(string at, SiteSpec site, Stock stock)
    {
        if (!Contracts.Name.IsValid(site.Name)) yield return Contracts.Name.Fault($"{at}.name", site.Name);
        if (site.Repeat is < 1 or > SiteSpec.RepeatMax) yield return $"{at}.repeat is {site.Repeat}; allowed: 1 to {SiteSpec.RepeatMax}";
        foreach (var (group, i) in site.Devices.Select((group, i) => (group, i)))
            foreach (var fault in group.Faults(site, this, stock)) yield return $"{at}.devices[{i}].{fault}";
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

    private IEnumerable<string> FaultFaults(string at, FaultSpec fault, IReadOnlyList<FaultSpec> earlier, IReadOnlyDictionary<string, GroupFiles> groups) =>
        Sites.FirstOrDefault(site => site.IsMeantBy(fault.Site)) is { } site
            ? fault.Faults(site, Duration, earlier, groups).Select(wrong => at + wrong)
            : [$"{at}.site is \"{fault.Site}\"; allowed: {string.Join(", ", Sites.Select(known => known.Name))}"];
}
