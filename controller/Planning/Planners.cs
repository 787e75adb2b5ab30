using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>
/// The policies by name. Some take settings: "edgent:deadline_s=0.02", "fin:deadline_s=0.1:loss_ratio=0.005". Devices may decide for themselves beside
/// any of them, "dual+hierarchical", "static-split:threshold_ratio=0.9+hi-lcb:audit_ratio=0.02"; who decides, alone, stands beside the default policy.
/// </summary>
public static class Planners
{
    public const string Default = Dual.PolicyName;

    private const string Deadline = "deadline_s";
    private const string Loss = "loss_ratio";
    private const string Entropy = "entropy_ratio";
    private const string Threshold = "threshold_ratio";
    private const string Cut = "cut";
    private const string Codec = "codec";
    private const string Bottleneck = "bottleneck";

    /// <summary>As they are called, in the order of their numbers.</summary>
    private static readonly IReadOnlyList<string> Codecs = [.. Enum.GetValues<FeatureCodec>().Select(Route.CodecName)];

    private static readonly IReadOnlyDictionary<string, Policy> Known = new List<Policy>
    {
        new(LocalOnly.PolicyName, [], (options, costs, _) => new LocalOnly(options, costs)),
        new(OffloadAll.PolicyName, [], (options, costs, _) => new OffloadAll(options, costs)),
        new(StaticSplit.PolicyName, [new(Threshold, OptionTable.DefaultThreshold, 0, OptionTable.Never), new(Cut, StaticSplit.DefaultCut, 0, 255), new(Codec, 0, 0, Codecs.Count - 1) { Words = Codecs }, new(Bottleneck, 0, 0, 255)],
            (options, costs, set) => new StaticSplit(options, costs, set(Threshold), (int)set(Cut), (FeatureCodec)(int)set(Codec), (int)set(Bottleneck))),
        new(Neurosurgeon.PolicyName, [], (options, costs, _) => new Neurosurgeon(options, costs)),
        new(Edgent.PolicyName, [new(Deadline, Edgent.DefaultDeadline, 1e-6, 3600)], (options, costs, set) => new Edgent(options, costs, new Seconds(set(Deadline)))),
        new(Spinn.PolicyName, [new(Deadline, Edgent.DefaultDeadline, 1e-6, 3600)], (options, costs, set) => new Spinn(options, costs, new Seconds(set(Deadline)))),
        new(Fin.PolicyName, [new(Deadline, Edgent.DefaultDeadline, 1e-6, 3600), new(Loss, Fin.DefaultLoss, 0, 1)], (options, costs, set) => new Fin(options, costs, new Seconds(set(Deadline)), set(Loss))),
        new(Sciot.PolicyName, [], (options, costs, _) => new Sciot(options, costs)),
        new(DdnnThresholds.PolicyName, [new(Entropy, DdnnThresholds.DefaultEntropy, 0, 1)], (options, costs, set) => new DdnnThresholds(options, costs, set(Entropy))),
        new(Greedy.PolicyName, [], (options, costs, _) => new Greedy(options, costs)),
        new(Dual.PolicyName, [], (options, costs, _) => new Dual(options, costs)),
    }.ToDictionary(policy => policy.Name, StringComparer.Ordinal);

    private static readonly IReadOnlyList<Setting> DecisionSettings = [new(Deciding.Audits, Deciding.DefaultAudits, 0, 1)];

    private static readonly IReadOnlyDictionary<string, DecisionKind> DecidersByName = Enum.GetValues<DecisionKind>().ToDictionary(DecisionTerms.NameOf, kind => kind, StringComparer.Ordinal);

    /// <summary>Those by which devices decide for themselves: alone, or behind a policy's name and a plus.</summary>
    public static IReadOnlyList<string> Deciders { get; } = [.. DecidersByName.Keys];

    /// <summary>Whether devices decide for themselves under a policy.</summary>
    public static bool LetsDevicesDecide(string text) => Parts(text).Decision is not null;

    /// <summary>Whether edge servers before a cloud decide, too, what stops there.</summary>
    public static bool LetsServersDecide(string text) => Parts(text).Decision is { } decision && NameOf(decision) == DecisionTerms.NameOf(DecisionKind.Hierarchical);

    /// <summary>Throws <see cref="FaultsException"/> that lists the names there are.</summary>
    /// <param name="what">What is named so.</param>
    public static DecisionKind DeciderNamed(string what, string name) =>
        DecidersByName.TryGetValue(name, out var kind) ? kind : throw new FaultsException(what, $"is \"{name}\"; allowed: {string.Join(", ", Deciders)}");

    /// <summary>Policies that plan, then <see cref="Deciders"/>.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Keys, .. Deciders];

    /// <summary>The policy's name without its settings, and without who decides beside it.</summary>
    public static string NameOf(string text) => text.Split(':', '+')[0];

    /// <summary>Throws <see cref="FaultsException"/> that lists the names or settings there are.</summary>
    public static IPlanner Create(string text, OptionTable options, CostModel costs)
    {
        FaultsException.ThrowIfAny("policy", Faults(text));
        var (plan, decision) = Parts(text);
        var planner = CreatePlanner(plan, options, costs);
        if (decision is null) return planner;
        var audits = Given(decision).Select(pair => double.Parse(pair.Value, CultureInfo.InvariantCulture)).FirstOrDefault(Deciding.DefaultAudits);
        return new Deciding(text, planner, costs, DecidersByName[NameOf(decision)], audits);
    }

    private static IPlanner CreatePlanner(string text, OptionTable options, CostModel costs)
    {
        var policy = Known[NameOf(text)];
        var given = Given(text).ToDictionary(pair => pair.Key, pair => policy.Settings.Single(setting => setting.Key == pair.Key).Read(pair.Value) ?? throw new FaultsException("policy", text), StringComparer.Ordinal);
        var planner = policy.Create(options, costs, key => given.TryGetValue(key, out var value) ? value : policy.Settings.Single(setting => setting.Key == key).Default);
        return planner is Dual ? planner : new HeldTogether(planner, options);
    }

    /// <summary>What is wrong with a policy's name and settings, one sentence a fault.</summary>
    public static IEnumerable<string> Faults(string text)
    {
        var (plan, decision) = Parts(text);
        if (!Known.TryGetValue(NameOf(plan), out var policy)) yield return $"is \"{text}\"; allowed: {string.Join(", ", Names)}";
        else foreach (var fault in SettingFaults(policy.Name, policy.Settings, plan)) yield return fault;
        if (decision is null) yield break;
        if (!DecidersByName.ContainsKey(NameOf(decision))) yield return $"is \"{text}\"; allowed behind +: {string.Join(", ", Deciders)}";
        else foreach (var fault in SettingFaults(NameOf(decision), DecisionSettings, decision)) yield return fault;
    }

    private static IEnumerable<string> SettingFaults(string name, IReadOnlyList<Setting> settings, string text)
    {
        foreach (var (key, value) in Given(text))
        {
            if (settings.FirstOrDefault(setting => setting.Key == key) is not { } setting)
                yield return $"{name} has no setting \"{key}\"; allowed: {(settings.Count == 0 ? "none" : string.Join(", ", settings.Select(setting => setting.Key)))}";
            else if (setting.Read(value) is not { } number || !(number >= setting.Least && number <= setting.Most))
                yield return $"{name}'s {key} is \"{value}\"; allowed: {setting.Allowed}";
        }
        foreach (var twice in Given(text).GroupBy(pair => pair.Key).Where(same => same.Count() > 1)) yield return $"{name}'s {twice.Key} stands {twice.Count()} times";
    }

    /// <summary>What plans and, behind a plus, who decides on devices; who decides, alone, stands beside the default.</summary>
    private static (string Plan, string? Decision) Parts(string text)
    {
        if (text.Split('+', 2) is [var plan, var decision]) return (plan, decision);
        return DecidersByName.ContainsKey(NameOf(text)) ? (Default, text) : (text, null);
    }

    private static IEnumerable<(string Key, string Value)> Given(string text) =>
        text.Split(':').Skip(1).Select(part => part.Split('=', 2)).Select(part => (part[0], part.ElementAtOrDefault(1) ?? ""));

    private sealed record Setting(string Key, double Default, double Least, double Most)
    {
        /// <summary>What is said instead of numbers: the n-th word, from 0, stands for n. Empty: numbers are said.</summary>
        public IReadOnlyList<string> Words { get; init; } = [];

        public string Allowed => Words.Count > 0 ? string.Join(", ", Words) : string.Create(CultureInfo.InvariantCulture, $"{Least} to {Most}");

        /// <summary>Null when it is neither a number nor a word of these.</summary>
        public double? Read(string value)
        {
            if (Words.Count == 0) return double.TryParse(value, CultureInfo.InvariantCulture, out var number) ? number : null;
            var word = Words.TakeWhile(known => known != value).Count();
            return word < Words.Count ? word : null;
        }
    }

    private sealed record Policy(string Name, IReadOnlyList<Setting> Settings, Func<OptionTable, CostModel, Func<string, double>, IPlanner> Create);
}
