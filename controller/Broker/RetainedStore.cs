using System.Buffers;
using System.IO.Hashing;
using Fleet.Contracts;
using MQTTnet;
using MQTTnet.Protocol;

namespace Fleet.Controller.Broker;

/// <summary>
/// The last retained message of each topic, in a tree with a branch for each level: names that many topics share are kept once, and a
/// wildcard filter looks only where it can match. Payloads that are alike are one array, as the infos of boards of one type are, or a
/// device's reported and its desired. Not thread-safe.
/// </summary>
internal sealed class RetainedStore(int countMax, TimeProvider time)
{
    // Unix seconds at which a message's own expiry ends it; few have one.
    private readonly Dictionary<string, long> expiries = new(StringComparer.Ordinal);
    private readonly Level root = new("");
    private readonly SharedPayloads shared = new();
    private readonly HashSet<string> words = new(StringComparer.Ordinal);

    public int Count { get; private set; }

    /// <summary>Null when there is none, or its time is over.</summary>
    public MqttApplicationMessage? Find(string topic) => HasExpired(topic, Now) ? null : Seek(topic)?.Message(topic);

    /// <summary>When it ends, in Unix seconds; null when it does not.</summary>
    public long? ExpiryOf(string topic) => expiries.TryGetValue(topic, out var end) ? end : null;

    /// <summary>Seconds it may still be kept by whoever it is sent to; 0 when it does not expire.</summary>
    public uint TimeLeft(string topic) => expiries.TryGetValue(topic, out var end) ? (uint)Math.Max(1, end - Now) : 0;

    /// <summary>False when it is one topic too many.</summary>
    /// <param name="expiry">When it ends, in Unix seconds, if that is not to be counted from now.</param>
    public bool TryPut(MqttApplicationMessage message, long? expiry = null)
    {
        var known = Seek(message.Topic);
        if (known is null && Count >= countMax) return false;
        if (known is null) Count++;
        (known ?? SeekOrGrow(message.Topic)).Keep(message, shared);
        if (message.MessageExpiryInterval > 0) expiries[message.Topic] = expiry ?? Now + message.MessageExpiryInterval;
        else if (expiries.Count > 0) expiries.Remove(message.Topic);
        return true;
    }

    public bool Remove(string topic)
    {
        if (Seek(topic) is null) return false;
        root.Remove(topic);
        if (expiries.Count > 0) expiries.Remove(topic);
        Count--;
        return true;
    }

    /// <summary>Topics whose messages have expired, and have been removed.</summary>
    public IReadOnlyList<string> RemoveExpired()
    {
        if (expiries.Count == 0) return [];
        var now = Now;
        var over = expiries.Where(entry => entry.Value <= now).Select(entry => entry.Key).ToList();
        foreach (var topic in over) Remove(topic);
        return over;
    }

    /// <summary>The topics with a retained message that the filter matches, in the order of their levels.</summary>
    public List<string> Matching(string filter)
    {
        var found = new List<string>();
        Match(root, null, filter.Split('/'), 0, found);
        if (expiries.Count == 0) return found;
        var now = Now;
        found.RemoveAll(topic => HasExpired(topic, now));
        return found;
    }

    private long Now => time.GetUtcNow().ToUnixTimeSeconds();

    private bool HasExpired(string topic, long now) => expiries.Count > 0 && expiries.TryGetValue(topic, out var end) && end <= now;

    /// <summary>+ and # match whole levels, and neither matches the broker's own topics by the first one (MQTT 5, section 4.7).</summary>
    private static void Match(Level at, string? path, string[] filter, int depth, List<string> found)
    {
        var isOver = depth == filter.Length;
        if ((isOver || filter[depth] == "#") && at.HasMessage) found.Add(path!);
        if (isOver) return;
        var level = filter[depth];
        if (level is not ("+" or "#"))
        {
            if (at.Child(level) is { } child) Match(child, Path(path, child), filter, depth + 1, found);
            return;
        }
        foreach (var child in at.InOrder)
            if (path is not null || !child.Name.StartsWith('$')) Match(child, Path(path, child), filter, level == "#" ? depth : depth + 1, found);
    }

    private static string Path(string? path, Level child) => path is null ? child.Name : $"{path}/{child.Name}";

    private Level? Seek(string topic)
    {
        var level = root;
        foreach (var name in topic.AsSpan().Split('/'))
        {
            if (level.Child(topic.AsSpan(name)) is not { } child) return null;
            level = child;
        }
        return level.HasMessage ? level : null;
    }

    private Level SeekOrGrow(string topic)
    {
        var level = root;
        foreach (var name in topic.AsSpan().Split('/')) level = level.Child(topic.AsSpan(name)) ?? level.Grow(Word(topic.AsSpan(name)));
        return level;
    }

    /// <summary>Names of kinds come again and again, and come first.</summary>
    private string Word(ReadOnlySpan<char> name)
    {
        const int WordsMax = 1024;
        if (words.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var known)) return known;
        var word = name.ToString();
        if (words.Count < WordsMax) words.Add(word);
        return word;
    }

    /// <summary>A level of topics, with the message of the topic that ends here.</summary>
    private sealed class Level(string name)
    {
        /// <summary>More are found by a dictionary.</summary>
        private const int FewMax = 12;

        /// <summary>A payload that has changed as often will change again: looking for its like is not worth it.</summary>
        private const byte ChangesMax = 4;

        private Level[] few = [];
        private Dictionary<string, Level>? many;
        private byte[]? payload;
        private MqttApplicationMessage? unusual; // one with more than a payload and a quality
        private MqttQualityOfServiceLevel quality;
        private byte changes;

        public string Name => name;

        public bool HasMessage => payload is not null;

        public IEnumerable<Level> InOrder => (many is null ? few.AsEnumerable() : many.Values).OrderBy(child => child.Name, StringComparer.Ordinal);

        public void Keep(MqttApplicationMessage message, SharedPayloads shared)
        {
            payload = changes < ChangesMax ? shared.Of(message.Payload) : message.Payload.ToArray();
            quality = message.QualityOfServiceLevel;
            unusual = IsUsual(message) ? null : message;
            if (changes < ChangesMax) changes++;
        }

        public MqttApplicationMessage Message(string topic) => unusual ?? new MqttApplicationMessage
        {
            Topic = topic,
            Payload = new ReadOnlySequence<byte>(payload!),
            QualityOfServiceLevel = quality,
            Retain = true,
        };

        public Level? Child(ReadOnlySpan<char> of)
        {
            if (many is not null) return many.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(of, out var found) ? found : null;
            foreach (var child in few)
                if (of.SequenceEqual(child.Name)) return child;
            return null;
        }

        public Level Grow(string of)
        {
            var child = new Level(of);
            if (many is null && few.Length < FewMax)
            {
                few = [.. few, child];
                return child;
            }
            many ??= few.ToDictionary(known => known.Name, StringComparer.Ordinal);
            few = [];
            many.Add(of, child);
            return child;
        }

        /// <summary>Takes the message of a topic under this level away, and what of the tree is empty then.</summary>
        public void Remove(ReadOnlySpan<char> topic)
        {
            var end = topic.IndexOf('/');
            if (Child(end < 0 ? topic : topic[..end]) is not { } child) return;
            if (end < 0) (child.payload, child.unusual, child.changes) = (null, null, 0);
            else child.Remove(topic[(end + 1)..]);
            if (child.HasMessage || child.few.Length > 0 || child.many is { Count: > 0 }) return;
            if (many is null) few = Array.FindAll(few, other => other != child);
            else many.Remove(child.Name);
        }

        private static bool IsUsual(MqttApplicationMessage message) =>
            message.MessageExpiryInterval == 0 && string.IsNullOrEmpty(message.ContentType) && string.IsNullOrEmpty(message.ResponseTopic) && message.CorrelationData is not { Length: > 0 }
            && message.UserProperties is not { Count: > 0 } && message.PayloadFormatIndicator == default;
    }

    /// <summary>Finds arrays of the same bytes again, as long as no other of the same slot has come between.</summary>
    private sealed class SharedPayloads
    {
        private const int Slots = 1 << 14;
        private readonly byte[]?[] slots = new byte[]?[Slots];

        public byte[] Of(in ReadOnlySequence<byte> payload)
        {
            var bytes = MqttClientSetup.Contiguous(payload);
            ref var slot = ref slots[XxHash3.HashToUInt64(bytes) % Slots];
            if (slot is null || !bytes.SequenceEqual(slot)) slot = bytes.ToArray();
            return slot;
        }
    }
}
