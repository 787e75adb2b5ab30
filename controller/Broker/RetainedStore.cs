using System.Buffers;
using System.IO.Hashing;
using Fleet.Contracts;
using MQTTnet;
using MQTTnet.Protocol;

namespace Fleet.Controller.Broker;

/// <summary>
/// The last retained message of each topic, in a tree with a branch for each level: a wildcard filter looks only where it can match. What topics
/// have in common is kept once: the names of the protocol's levels, the <see cref="Patterns"/> of payloads, and payloads that are alike, as the infos of boards of one type are, or a
/// device's reported and its desired. Not thread-safe.
/// </summary>
internal sealed class RetainedStore(int countMax, TimeProvider time)
{
    /// <summary>A payload that has changed as often will change again: looking for its like is not worth it.</summary>
    private const int ChangesMax = 4;

    // Names of the protocol's levels, each of which stands below every device.
    private static readonly HashSet<string> Words = new(TopicRule.All.SelectMany(rule => rule.Pattern.Split('/')).Where(level => level[0] != '{'), StringComparer.Ordinal);

    // Unix seconds at which a message's own expiry ends it; few have one.
    private readonly Dictionary<string, long> expiries = new(StringComparer.Ordinal);
    private readonly Level root = new();
    private readonly Patterns patterns = new();
    private readonly Alike alike = new();

    public int Count { get; private set; }

    /// <summary>Null when there is none, or its time is over.</summary>
    public MqttApplicationMessage? Find(string topic) => HasExpired(topic, Now) ? null : root.Find(topic) switch
    {
        MqttApplicationMessage unusual => unusual,
        byte[] kept => new MqttApplicationMessage { Topic = topic, Payload = new ReadOnlySequence<byte>(patterns.Unpack(kept, room: 1)), QualityOfServiceLevel = QualityOf(kept), Retain = true },
        _ => null,
    };

    /// <summary>When it ends, in Unix seconds; null when it does not.</summary>
    public long? ExpiryOf(string topic) => expiries.TryGetValue(topic, out var end) ? end : null;

    /// <summary>Seconds it may still be kept by whoever it is sent to; 0 when it does not expire.</summary>
    public uint TimeLeft(string topic) => expiries.TryGetValue(topic, out var end) ? (uint)Math.Max(1, end - Now) : 0;

    /// <summary>False when it is one topic too many.</summary>
    /// <param name="expiry">When it ends, in Unix seconds, if that is not to be counted from now.</param>
    public bool TryPut(MqttApplicationMessage message, long? expiry = null)
    {
        var before = root.Find(message.Topic);
        if (before is null && Count >= countMax) return false;
        if (before is null) Count++;
        if (IsUsual(message)) Put(message, before as byte[]);
        else root.Put(message.Topic, message);
        if (message.MessageExpiryInterval > 0) expiries[message.Topic] = expiry ?? Now + message.MessageExpiryInterval;
        else if (expiries.Count > 0) expiries.Remove(message.Topic);
        return true;
    }

    public bool Remove(string topic)
    {
        if (root.Find(topic) is null) return false;
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

    /// <summary>Keeps payload and quality in one array: a byte of quality and changes, then what <see cref="Patterns"/> makes of the payload.</summary>
    private void Put(MqttApplicationMessage message, byte[]? before)
    {
        var kept = patterns.Pack(MqttClientSetup.Contiguous(message.Payload), room: 1);
        kept[0] = (byte)message.QualityOfServiceLevel;
        if (before is not null && QualityOf(before) == QualityOf(kept) && kept.AsSpan(1).SequenceEqual(before.AsSpan(1))) return;
        var changes = before is null ? 0 : Math.Min(ChangesMax, (before[0] >> 2) + 1);
        kept[0] |= (byte)(changes << 2);
        root.Put(message.Topic, changes < ChangesMax ? alike.Of(kept) : kept);
    }

    private static MqttQualityOfServiceLevel QualityOf(byte[] kept) => (MqttQualityOfServiceLevel)(kept[0] & 3);

    private static bool IsUsual(MqttApplicationMessage message) =>
        message.MessageExpiryInterval == 0 && string.IsNullOrEmpty(message.ContentType) && string.IsNullOrEmpty(message.ResponseTopic) && message.CorrelationData is not { Length: > 0 }
        && message.UserProperties is not { Count: > 0 } && message.PayloadFormatIndicator == default;

    /// <summary>+ and # match whole levels, and neither matches the broker's own topics by the first one (MQTT 5, section 4.7).</summary>
    /// <param name="at">A level, or the message of a topic below which there is nothing.</param>
    private static void Match(object at, string? path, string[] filter, int depth, List<string> found)
    {
        var isOver = depth == filter.Length;
        if ((isOver || filter[depth] == "#") && at is not Level { Own: null }) found.Add(path!);
        if (isOver || at is not Level below) return;
        var level = filter[depth];
        if (level is not ("+" or "#"))
        {
            if (below.Child(level) is { } child) Match(child, Path(path, level), filter, depth + 1, found);
            return;
        }
        foreach (var (name, child) in below.InOrder)
            if (path is not null || !name.StartsWith('$')) Match(child, Path(path, name), filter, level == "#" ? depth : depth + 1, found);
    }

    private static string Path(string? path, string name) => path is null ? name : $"{path}/{name}";

    /// <summary>
    /// What is below a level of topics: under each name another level, or, where nothing is below it, as below devices, the message itself: an array as <see cref="Put(MqttApplicationMessage, byte[])"/> makes it,
    /// or one with more than a payload and a quality as it came.
    /// </summary>
    private sealed class Level
    {
        /// <summary>More are found by a dictionary.</summary>
        private const int FewMax = 12;

        private (string Name, object At)[] few = [];
        private Dictionary<string, object>? many;

        /// <summary>The message of the topic that ends here, although others go on.</summary>
        public object? Own { get; private set; }

        public IEnumerable<(string Name, object At)> InOrder => (many is null ? few.AsEnumerable() : many.Select(pair => (Name: pair.Key, At: pair.Value))).OrderBy(child => child.Name, StringComparer.Ordinal);

        private bool IsEmpty => few.Length == 0 && many is not { Count: > 0 };

        public object? Child(ReadOnlySpan<char> of)
        {
            if (many is not null) return many.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(of, out var found) ? found : null;
            return PlaceOf(of) is >= 0 and var place ? few[place].At : null;
        }

        /// <summary>The message of a topic under this level; null when there is none.</summary>
        public object? Find(ReadOnlySpan<char> topic)
        {
            var name = First(topic, out var rest, out var isLast);
            var child = Child(name);
            return child is not Level below ? isLast ? child : null : isLast ? below.Own : below.Find(rest);
        }

        public void Put(ReadOnlySpan<char> topic, object message)
        {
            var name = First(topic, out var rest, out var isLast);
            var child = Child(name);
            if (isLast && child is Level ended) ended.Own = message;
            else if (isLast) Set(name, message);
            else
            {
                if (child is not Level below) Set(name, below = new Level { Own = child });
                below.Put(rest, message);
            }
        }

        /// <summary>Takes the message of a topic under this level away, and what of the tree is empty then.</summary>
        public void Remove(ReadOnlySpan<char> topic)
        {
            var name = First(topic, out var rest, out var isLast);
            if (Child(name) is not { } child) return;
            if (child is Level below)
            {
                if (isLast) below.Own = null;
                else below.Remove(rest);
                if (!below.IsEmpty) return;
                if (below.Own is { } left)
                {
                    Set(name, left);
                    return;
                }
            }
            else if (!isLast)
            {
                return;
            }
            if (many is not null) many.GetAlternateLookup<ReadOnlySpan<char>>().Remove(name);
            else if (PlaceOf(name) is >= 0 and var place) few = [.. few[..place], .. few[(place + 1)..]];
        }

        /// <summary>The name of the first level, and the rest if there is one.</summary>
        private static ReadOnlySpan<char> First(ReadOnlySpan<char> topic, out ReadOnlySpan<char> rest, out bool isLast)
        {
            var end = topic.IndexOf('/');
            isLast = end < 0;
            rest = isLast ? default : topic[(end + 1)..];
            return isLast ? topic : topic[..end];
        }

        private void Set(ReadOnlySpan<char> name, object at)
        {
            if (many is null && PlaceOf(name) is >= 0 and var place) few[place].At = at;
            else if (many is null && few.Length < FewMax) few = [.. few, (Words.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var word) ? word : name.ToString(), at)];
            else
            {
                many ??= few.ToDictionary(known => known.Name, known => known.At, StringComparer.Ordinal);
                few = [];
                many.GetAlternateLookup<ReadOnlySpan<char>>()[name] = at;
            }
        }

        private int PlaceOf(ReadOnlySpan<char> name)
        {
            for (var place = 0; place < few.Length; place++)
                if (name.SequenceEqual(few[place].Name)) return place;
            return -1;
        }
    }

    /// <summary>Finds arrays of the same bytes again, as long as no other of the same slot has come between.</summary>
    private sealed class Alike
    {
        private const int Slots = 1 << 14;
        private readonly byte[]?[] slots = new byte[]?[Slots];

        public byte[] Of(byte[] kept)
        {
            ref var slot = ref slots[XxHash3.HashToUInt64(kept) % Slots];
            return slot is not null && kept.AsSpan().SequenceEqual(slot) ? slot : slot = kept;
        }
    }
}
