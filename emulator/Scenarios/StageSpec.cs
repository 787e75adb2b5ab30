using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Controller.Planning;

namespace Fleet.Emulator.Scenarios;

/// <summary>What is different from a time on: what comes to devices, their links, or how the controller steers. Keys left out stay as they were.</summary>
public sealed record StageSpec
{
    /// <summary>From when on.</summary>
    [JsonPropertyName("at_s")] public required Seconds At { get; init; }

    /// <summary>Absent: all sites.</summary>
    [JsonPropertyName("site")] public string? Site { get; init; }

    /// <summary>A device group's name, or a board; absent: all devices.</summary>
    [JsonPropertyName("target")] public string? Target { get; init; }

    /// <summary>Mean rate of inputs of each device.</summary>
    [JsonPropertyName("rate_hz")] public Hertz? Rate { get; init; }

    /// <summary>With the object of its kind, as in a device group.</summary>
    [JsonPropertyName("arrivals")] public Arrivals? Arrivals { get; init; }

    /// <summary>Of bursty arrivals.</summary>
    [JsonPropertyName("bursty")] public BurstySpec? Bursty { get; init; }

    /// <summary>Of diurnal arrivals.</summary>
    [JsonPropertyName("diurnal")] public DiurnalSpec? Diurnal { get; init; }

    /// <summary>Of event arrivals.</summary>
    [JsonPropertyName("event")] public EventSpec? Event { get; init; }

    /// <summary>Of recorded arrivals.</summary>
    [JsonPropertyName("recorded")] public RecordedSpec? Recorded { get; init; }

    /// <summary>Instead of what drifted before; times count from the run's begin.</summary>
    [JsonPropertyName("drift")] public IReadOnlyList<DriftSpec>? Drift { get; init; }

    /// <summary>Of devices without a radio.</summary>
    [JsonPropertyName("link")] public Radios.LinkModel? Link { get; init; }

    /// <summary>The controller starts anew with another planner, or with other weights.</summary>
    [JsonPropertyName("policy")] public string? Policy { get; init; }

    /// <summary>Seconds that a joule of device energy is worth, from then on.</summary>
    [JsonPropertyName("joule_weight")] public double? JouleWeight { get; init; }

    /// <summary>Seconds that a wrong answer is worth, from then on.</summary>
    [JsonPropertyName("error_weight")] public double? ErrorWeight { get; init; }

    [JsonIgnore] public bool Steers => Policy is not null || JouleWeight is not null || ErrorWeight is not null;

    [JsonIgnore] private bool ChangesDevices => ChangesArrivals || Drift is not null || Link is not null;

    [JsonIgnore] private bool ChangesArrivals => Rate is not null || Arrivals is not null || Bursty is not null || Diurnal is not null || Event is not null || Recorded is not null;

    public bool Concerns(SiteSpec site) => Site is null || site.IsMeantBy(Site);

    /// <summary>Whether it changes something about these devices.</summary>
    public bool Concerns(SiteSpec site, DeviceGroup group) => ChangesDevices && Concerns(site) && (Target is null || Target == group.Name || Target == group.Board);

    /// <summary>The devices as they are from now on.</summary>
    public DeviceGroup Change(DeviceGroup group)
    {
        var next = group with { Rate = Rate ?? group.Rate, Drift = Drift ?? group.Drift, Link = Link ?? group.Link };
        if (Arrivals is { } arrivals) next = next with { Arrivals = arrivals, Bursty = null, Diurnal = null, Event = null, Recorded = null };
        return next with { Bursty = Bursty ?? next.Bursty, Diurnal = Diurnal ?? next.Diurnal, Event = Event ?? next.Event, Recorded = Recorded ?? next.Recorded };
    }

    /// <summary>The controller as it steers from now on.</summary>
    public ControlSpec Change(ControlSpec control) =>
        control with { Policy = Policy ?? control.Policy, JouleWeight = JouleWeight ?? control.JouleWeight, ErrorWeight = ErrorWeight ?? control.ErrorWeight };

    /// <summary>What is impossible about it, one sentence a fault.</summary>
    public IEnumerable<string> Faults(Scenario scenario, Stock stock)
    {
        if (!(At.Value > 0 && At < scenario.Duration)) yield return $".at_s is {At.Value}; allowed: above 0 to below duration_s ({scenario.Duration.Value})";
        if (!ChangesDevices && !Steers) yield return " changes nothing; allowed: rate_hz, arrivals, drift, link, policy, joule_weight, error_weight";
        var sites = scenario.Sites.Where(Concerns).ToList();
        if (sites.Count == 0) yield return $".site is \"{Site}\"; allowed: {string.Join(", ", scenario.Sites.Select(site => site.Name))}";
        if (!ChangesDevices && Target is not null) yield return $".target is \"{Target}\"; a controller steers its whole site, leave it out";
        foreach (var fault in Change(scenario.Control).Faults().Except(scenario.Control.Faults())) yield return $".{fault}";
        if (!ChangesDevices || sites.Count == 0) yield break;
        var groups = sites.SelectMany(site => site.Devices.Select(group => (Site: site, Group: group))).Where(pair => Concerns(pair.Site, pair.Group)).ToList();
        if (groups.Count == 0) yield return $".target is \"{Target}\"; allowed: {string.Join(", ", sites.SelectMany(site => site.Devices).SelectMany(group => new[] { group.Board, group.Name }).Where(name => name.Length > 0).Distinct())}, or none for all";
        foreach (var (site, group) in groups)
        {
            if (Link is not null && group.Radio is not null) yield return $".link is given; the {group.Board} of site {site.Name} have a radio";
            foreach (var fault in Change(group).Faults(site, scenario, stock).Except(group.Faults(site, scenario, stock))) yield return $" makes of {group.Board} in site {site.Name}: {fault}";
        }
    }
}
