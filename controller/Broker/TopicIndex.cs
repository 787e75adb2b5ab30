using MQTTnet.Protocol;

namespace Fleet.Controller.Broker;

/// <summary>One subscriber's wish for one filter.</summary>
internal sealed record Subscription(Subscriber Owner, string Filter, MqttQualityOfServiceLevel Quality, bool NoLocal, bool RetainAsPublished, uint Id);

/// <summary>
/// Who subscribed to what. Finding the subscriptions of a topic costs its levels, not the number of subscribers: exact filters
/// stand in a dictionary, wildcard ones in a tree with a branch per level. Not thread-safe.
/// </summary>
internal sealed class TopicIndex
{
    /// <summary>Of a topic or filter; Mosquitto takes as many. Trees of topics are walked level by level, and whoever sends a topic of 30,000 must not exhaust the stack.</summary>
    public const int LevelsMax = 200;

    private readonly Dictionary<string, List<Subscription>> exact = new(StringComparer.Ordinal);
    private readonly Node root = new();

    public int Count { get; private set; }

    public void Add(Subscription subscription)
    {
        Count++;
        if (IsExact(subscription.Filter))
        {
            if (!exact.TryGetValue(subscription.Filter, out var list)) exact.Add(subscription.Filter, list = new List<Subscription>(1));
            list.Add(subscription);
            return;
        }
        var node = root;
        foreach (var level in subscription.Filter.Split('/')) node = node.ChildOrNew(level);
        (node.Here ??= []).Add(subscription);
    }

    public void Remove(Subscription subscription)
    {
        if (IsExact(subscription.Filter))
        {
            if (!exact.TryGetValue(subscription.Filter, out var list) || !list.Remove(subscription)) return;
            if (list.Count == 0) exact.Remove(subscription.Filter);
            Count--;
        }
        else if (Remove(root, subscription.Filter.Split('/'), 0, subscription))
        {
            Count--;
        }
    }

    /// <summary>Adds every subscription that matches to <paramref name="found"/>.</summary>
    public void Match(string topic, List<Subscription> found)
    {
        if (exact.TryGetValue(topic, out var list)) found.AddRange(list);
        if (!root.IsEmpty) Match(root, topic, topic.StartsWith('$'), found);
    }

    /// <summary>+ and # stand for whole levels, # only for the last ones (MQTT 5, section 4.7.1).</summary>
    public static bool IsValid(string filter)
    {
        if (!IsBounded(filter)) return false;
        var start = 0;
        while (true)
        {
            var end = filter.IndexOf('/', start);
            var level = end < 0 ? filter.AsSpan(start) : filter.AsSpan(start, end - start);
            if (level.Length > 1 && level.IndexOfAny('+', '#') >= 0 || level is "#" && end >= 0) return false;
            if (end < 0) return true;
            start = end + 1;
        }
    }

    /// <summary>Whether something may be said on it.</summary>
    public static bool IsTopic(string? topic) => topic is not null && IsBounded(topic) && IsExact(topic);

    public static bool IsExact(string filter) => filter.AsSpan().IndexOfAny('+', '#') < 0;

    private static bool IsBounded(string text) => text.Length is > 0 and <= 65535 && text.AsSpan().Count('/') < LevelsMax && Utf8Text.IsAllowed(text);

    // $-topics are the broker's own: no wildcard in the first level matches them (section 4.7.2).
    private static void Match(Node node, ReadOnlySpan<char> rest, bool dollar, List<Subscription> found)
    {
        if (!dollar && node.Child("#") is { Here: { } all }) found.AddRange(all);
        var end = rest.IndexOf('/');
        var level = end < 0 ? rest : rest[..end];
        Follow(node.Child(level), rest, end, found);
        if (!dollar) Follow(node.Child("+"), rest, end, found);
    }

    private static void Follow(Node? next, ReadOnlySpan<char> rest, int end, List<Subscription> found)
    {
        if (next is null) return;
        if (end >= 0)
        {
            Match(next, rest[(end + 1)..], false, found);
            return;
        }
        if (next.Here is { } here) found.AddRange(here);
        // a/# matches a itself.
        if (next.Child("#") is { Here: { } all }) found.AddRange(all);
    }

    private static bool Remove(Node node, string[] levels, int depth, Subscription subscription)
    {
        if (depth == levels.Length)
        {
            if (node.Here is null || !node.Here.Remove(subscription)) return false;
            if (node.Here.Count == 0) node.Here = null;
            return true;
        }
        if (node.Child(levels[depth]) is not { } child || !Remove(child, levels, depth + 1, subscription)) return false;
        if (child.IsEmpty) node.Remove(levels[depth]);
        return true;
    }

    private sealed class Node
    {
        private Dictionary<string, Node>? children;

        public List<Subscription>? Here { get; set; }

        public bool IsEmpty => Here is null && children is null;

        public Node? Child(ReadOnlySpan<char> level) =>
            children is not null && children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(level, out var child) ? child : null;

        public Node ChildOrNew(string level)
        {
            children ??= new Dictionary<string, Node>(StringComparer.Ordinal);
            if (!children.TryGetValue(level, out var child)) children.Add(level, child = new Node());
            return child;
        }

        public void Remove(string level)
        {
            children!.Remove(level);
            if (children.Count == 0) children = null;
        }
    }
}
