using Fleet.Contracts;
using MQTTnet;

namespace Fleet.Controller.Broker;

/// <summary>
/// The last retained message of each topic. A wildcard filter looks only at the topics that share its literal beginning, so that
/// a device's "…/device/cmd/+" does not scan the fleet. Not thread-safe.
/// </summary>
internal sealed class RetainedStore(int countMax, TimeProvider time)
{
    // Unix seconds at which a message's own expiry ends it; few have one.
    private readonly Dictionary<string, long> expiries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MqttApplicationMessage> messages = new(StringComparer.Ordinal);
    private readonly SortedSet<string> topics = new(StringComparer.Ordinal);

    public int Count => messages.Count;

    /// <summary>Null when there is none, or its time is over.</summary>
    public MqttApplicationMessage? Find(string topic) => expiries.Count > 0 && HasExpired(topic, Now) ? null : messages.GetValueOrDefault(topic);

    /// <summary>When it ends, in Unix seconds; null when it does not.</summary>
    public long? ExpiryOf(string topic) => expiries.TryGetValue(topic, out var end) ? end : null;

    /// <summary>Seconds it may still be kept by whoever it is sent to; 0 when it does not expire.</summary>
    public uint TimeLeft(string topic) => expiries.TryGetValue(topic, out var end) ? (uint)Math.Max(1, end - Now) : 0;

    /// <summary>False when it is one topic too many.</summary>
    /// <param name="expiry">When it ends, in Unix seconds, if that is not to be counted from now.</param>
    public bool TryPut(MqttApplicationMessage message, long? expiry = null)
    {
        if (messages.Count >= countMax && !messages.ContainsKey(message.Topic)) return false;
        if (!messages.ContainsKey(message.Topic)) topics.Add(message.Topic);
        messages[message.Topic] = message;
        if (message.MessageExpiryInterval > 0) expiries[message.Topic] = expiry ?? Now + message.MessageExpiryInterval;
        else if (expiries.Count > 0) expiries.Remove(message.Topic);
        return true;
    }

    public bool Remove(string topic)
    {
        if (!messages.Remove(topic)) return false;
        if (expiries.Count > 0) expiries.Remove(topic);
        return topics.Remove(topic);
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

    /// <summary>The topics with a retained message that the filter matches, in order.</summary>
    public List<string> Matching(string filter)
    {
        var wild = filter.AsSpan().IndexOfAny('+', '#');
        if (wild < 0) return Find(filter) is not null ? [filter] : [];
        // "a/#" also matches "a", which stands before "a/".
        var from = wild > 0 && filter[wild] == '#' ? filter[..(wild - 1)] : filter[..wild];
        var found = new List<string>();
        var now = Now;
        IEnumerable<string> range = topics;
        if (from.Length > 0) range = topics.GetViewBetween(from, from + '\uffff');
        foreach (var topic in range)
            if ((from.Length > 0 || topic[0] != '$') && TopicFilter.Matches(filter, topic) && !HasExpired(topic, now)) found.Add(topic);
        return found;
    }

    private long Now => time.GetUtcNow().ToUnixTimeSeconds();

    private bool HasExpired(string topic, long now) => expiries.Count > 0 && expiries.TryGetValue(topic, out var end) && end <= now;
}
