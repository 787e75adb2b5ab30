using Fleet.Contracts;

namespace Fleet.Emulator.Simulation;

/// <summary>What a simulated broker retains, by the kind of topic: a device that subscribes to its own few topics walks past nobody else's.</summary>
internal sealed class RetainedMessages
{
    private static readonly int[] AllKinds = [.. Enumerable.Range(0, TopicRule.All.Count)];

    private readonly Dictionary<string, SimBus.Kept>?[] byKind = new Dictionary<string, SimBus.Kept>?[TopicRule.All.Count];

    /// <summary>In order of their paths.</summary>
    public IEnumerable<SimBus.Kept> All => Matching("#");

    /// <summary>Of one kind, in no order.</summary>
    public IEnumerable<SimBus.Kept> Of(TopicKind kind) => byKind[(int)kind]?.Values ?? Enumerable.Empty<SimBus.Kept>();

    public void Keep(SimBus.Kept kept)
    {
        var same = byKind[(int)kept.Topic.Kind] ??= new(StringComparer.Ordinal);
        if (kept.Message is Cleared) same.Remove(kept.Topic.Path);
        else same[kept.Topic.Path] = kept;
    }

    public void Clear() => Array.Clear(byKind);

    public SimBus.Kept? Find(string path) => Topic.KindOf(path) is { } kind && byKind[(int)kind] is { } same && same.TryGetValue(path, out var kept) ? kept : null;

    /// <summary>In order of their paths, as they are now.</summary>
    public IReadOnlyList<SimBus.Kept> Matching(string filter)
    {
        if (TopicFilter.IsExact(filter)) return Find(filter) is { } one ? [one] : [];
        var found = new List<SimBus.Kept>();
        foreach (var kind in KindsOf(filter))
            if (byKind[kind] is { } some) found.AddRange(some.Where(pair => TopicFilter.Matches(filter, pair.Key)).Select(pair => pair.Value));
        found.Sort(static (a, b) => string.CompareOrdinal(a.Topic.Path, b.Topic.Path));
        return found;
    }

    /// <summary>The kinds of topics that a filter may match: one when it is a topic but for its names, else perhaps any.</summary>
    public static ReadOnlySpan<int> KindsOf(string filter) => Topic.KindOf(filter.Replace('+', 'x')) is { } kind ? AllKinds.AsSpan((int)kind, 1) : AllKinds;
}
