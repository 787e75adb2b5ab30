namespace Fleet.Contracts;

/// <summary>
/// Who on this side wants which filter. An exact filter is found in a dictionary, so that thousands of emulated devices can share a
/// connection. Owned by the event loop.
/// <para>
/// Overlapping filters: a broker may send a message once for each matching subscription, or once for all. Every subscription
/// carries an MQTT 5 identifier which comes back with each message: <see cref="ExactId"/> for all exact filters (two of them
/// never match the same topic, so they share packets), and one of its own for each wildcard filter. Either way a handler is called
/// once for each message. Where a broker sends no identifiers, a message goes to all that match, which is right if it sends once.
/// </para>
/// </summary>
public sealed class MqttSubscriptions
{
    public const uint ExactId = 1;

    private readonly Dictionary<string, Filter> exact = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Filter> wildcards = new(StringComparer.Ordinal);
    private readonly Dictionary<uint, Filter> wildcardsById = [];
    private Filter[] allWildcards = [];
    private uint lastId = ExactId;

    /// <summary>A filter and the handlers that share it.</summary>
    public sealed class Filter(string text, uint id)
    {
        // What + stands for in a filter of one kind of topic; null when it is another filter.
        private readonly Topic? pattern = Topic.TryParse(text.Replace('+', 'x'), out var like) && Topic.Filter(like.Kind, text.Split('/')[2]) == text ? like : null;

        private readonly bool isOfAnySite = text.Split('/') is { Length: > 2 } levels && levels[2] == "+";

        public string Text { get; } = text;

        public uint Id { get; } = id;

        internal Handler[] Handlers { get; set; } = [];

        public bool HasHandlers => Handlers.Length > 0;

        /// <summary>Most filters ask for one kind of topic of one site or of all: that is told without the topic's text.</summary>
        public bool Matches(Topic topic) => pattern is null ? TopicFilter.Matches(Text, topic.Path) : topic.Kind == pattern.Kind && (isOfAnySite || topic.Site == pattern.Site);
    }

    /// <summary>One local subscription.</summary>
    public sealed class Handler(Filter filter, Action<Topic, Message> action)
    {
        public Filter Filter { get; } = filter;

        public bool IsActive { get; internal set; } = true;

        /// <summary>Nothing once it is disposed, even if the message was already on its way.</summary>
        public void Call(Topic topic, Message message)
        {
            if (IsActive) action(topic, message);
        }
    }

    public int Count => exact.Count + wildcards.Count;

    public IEnumerable<Filter> All => exact.Values.Concat(wildcards.Values);

    /// <summary>Identifier of a filter that somebody wants; null when nobody does.</summary>
    public uint? IdOf(string text) => Find(text)?.Id;

    public Handler Add(string text, Action<Topic, Message> action)
    {
        ThrowIfInvalid(text);
        var filter = Find(text) ?? AddFilter(text);
        var handler = new Handler(filter, action);
        filter.Handlers = [.. filter.Handlers, handler];
        return handler;
    }

    /// <summary>False when it was removed before.</summary>
    public bool Remove(Handler handler)
    {
        if (!handler.IsActive) return false;
        handler.IsActive = false;
        var filter = handler.Filter;
        filter.Handlers = Array.FindAll(filter.Handlers, other => other != handler);
        if (filter.HasHandlers) return true;
        exact.Remove(filter.Text);
        wildcards.Remove(filter.Text);
        wildcardsById.Remove(filter.Id);
        allWildcards = [.. wildcards.Values];
        return true;
    }

    /// <summary>Calls each handler the message is for, once. <paramref name="ids"/>: the subscription identifiers it came with.</summary>
    public void Dispatch(Topic topic, Message message, IReadOnlyList<uint>? ids)
    {
        if (ids is null or { Count: 0 })
        {
            DispatchExact(topic, message);
            foreach (var filter in allWildcards)
                if (filter.Matches(topic)) Call(filter, topic, message);
            return;
        }
        foreach (var id in ids)
        {
            if (id == ExactId) DispatchExact(topic, message);
            // A persistent session may still hold a subscription of a former process whose identifier means another filter today.
            else if (wildcardsById.TryGetValue(id, out var filter) && filter.Matches(topic)) Call(filter, topic, message);
        }
    }

    private void DispatchExact(Topic topic, Message message)
    {
        if (exact.Count > 0 && exact.TryGetValue(topic.Path, out var filter)) Call(filter, topic, message);
    }

    private static void Call(Filter filter, Topic topic, Message message)
    {
        foreach (var handler in filter.Handlers) handler.Call(topic, message);
    }

    private Filter? Find(string text) => exact.GetValueOrDefault(text) ?? wildcards.GetValueOrDefault(text);

    private Filter AddFilter(string text)
    {
        if (TopicFilter.IsExact(text)) return exact[text] = new Filter(text, ExactId);
        var filter = new Filter(text, ++lastId);
        wildcards.Add(text, filter);
        wildcardsById.Add(filter.Id, filter);
        allWildcards = [.. wildcards.Values];
        return filter;
    }

    private static void ThrowIfInvalid(string text)
    {
        var levels = text.Split('/');
        for (var i = 0; i < levels.Length; i++)
        {
            var wild = levels[i].Contains('#', StringComparison.Ordinal) || levels[i].Contains('+', StringComparison.Ordinal);
            if (wild && levels[i].Length > 1 || levels[i] == "#" && i < levels.Length - 1)
                throw new ArgumentException($"\"{text}\" is no topic filter: + and # stand for whole levels, # for the last ones only", nameof(text));
        }
        if (text.Length == 0) throw new ArgumentException("an empty topic filter matches nothing", nameof(text));
    }
}
