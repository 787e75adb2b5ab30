using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>The policies by name. Some take settings: "edgent:deadline_s=0.02", "fin:deadline_s=0.1:loss_ratio=0.005".</summary>
public static class Planners
{
    public const string Default = Dual.PolicyName;

    private const string Deadline = "deadline_s";
    private const string Loss = "loss_ratio";
    private const string Entropy = "entropy_ratio";
    private const string Threshold = "threshold_ratio";

    private static readonly IReadOnlyDictionary<string, Policy> Known = new List<Policy>
    {
        new(LocalOnly.PolicyName, [], (options, costs, _) => new LocalOnly(options, costs)),
        new(OffloadAll.PolicyName, [], (options, costs, _) => new OffloadAll(options, costs)),
        new(StaticSplit.PolicyName, [new(Threshold, OptionTable.DefaultThreshold, 0, OptionTable.Never)], (options, costs, set) => new StaticSplit(options, costs, set(Threshold))),
        new(Neurosurgeon.PolicyName, [], (options, costs, _) => new Neurosurgeon(options, costs)),
        new(Edgent.PolicyName, [new(Deadline, Edgent.DefaultDeadline, 1e-6, 3600)], (options, costs, set) => new Edgent(options, costs, new Seconds(set(Deadline)))),
        new(Spinn.PolicyName, [new(Deadline, Edgent.DefaultDeadline, 1e-6, 3600)], (options, costs, set) => new Spinn(options, costs, new Seconds(set(Deadline)))),
        new(Fin.PolicyName, [new(Deadline, Edgent.DefaultDeadline, 1e-6, 3600), new(Loss, Fin.DefaultLoss, 0, 1)], (options, costs, set) => new Fin(options, costs, new Seconds(set(Deadline)), set(Loss))),
        new(Sciot.PolicyName, [], (options, costs, _) => new Sciot(options, costs)),
        new(DdnnThresholds.PolicyName, [new(Entropy, DdnnThresholds.DefaultEntropy, 0, 1)], (options, costs, set) => new DdnnThresholds(options, costs, set(Entropy))),
        new(Greedy.PolicyName, [], (options, costs, _) => new Greedy(options, costs)),
        new(Dual.PolicyName, [], (options, costs, _) => new Dual(options, costs)),
    }.ToDictionary(policy => policy.Name, StringComparer.Ordinal);

    public static IReadOnlyList<string> Names { get; } = [.. Known.Keys];

    /// <summary>The policy's name without its settings.</summary>
    public static string NameOf(string text) => text.Split(':')[0];

    /// <summary>Throws <see cref="FaultsException"/> that lists the names or settings there are.</summary>
    public static IPlanner Create(string text, OptionTable options, CostModel costs)
    {
        FaultsException.ThrowIfAny("policy", Faults(text));
        var policy = Known[NameOf(text)];
        var given = Given(text).ToDictionary(pair => pair.Key, pair => double.Parse(pair.Value, CultureInfo.InvariantCulture), StringComparer.Ordinal);
        return policy.Create(options, costs, key => given.TryGetValue(key, out var value) ? value : policy.Settings.Single(setting => setting.Key == key).Default);
    }

    /// <summary>What is wrong with a policy's name and settings, one sentence a fault.</summary>
    public static IEnumerable<string> Faults(string text)
    {
        if (!Known.TryGetValue(NameOf(text), out var policy))
        {
            yield return $"is \"{text}\"; allowed: {string.Join(", ", Names)}";
            yield break;
        }
        foreach (var (key, value) in Given(text))
        {
            if (policy.Settings.FirstOrDefault(setting => setting.Key == key) is not { } setting)
                yield return $"{policy.Name} has no setting \"{key}\"; allowed: {(policy.Settings.Count == 0 ? "none" : string.Join(", ", policy.Settings.Select(setting => setting.Key)))}";
            else if (!double.TryParse(value, CultureInfo.InvariantCulture, out var number) || !(number >= setting.Least && number <= setting.Most))
                yield return string.Create(CultureInfo.InvariantCulture, $"{policy.Name}'s {key} is \"{value}\"; allowed: {setting.Least} to {setting.Most}");
        }
        foreach (var twice in Given(text).GroupBy(pair => pair.Key).Where(same => same.Count() > 1)) yield return $"{policy.Name}'s {twice.Key} stands {twice.Count()} times";
    }

    private static IEnumerable<(string Key, string Value)> Given(string text) =>
        text.Split(':').Skip(1).Select(part => part.Split('=', 2)).Select(part => (part[0], part.ElementAtOrDefault(1) ?? ""));

    private sealed record Setting(string Key, double Default, double Least, double Most);

    private sealed record Policy(string Name, IReadOnlyList<Setting> Settings, Func<OptionTable, CostModel, Func<string, double>, IPlanner> Create);
}
