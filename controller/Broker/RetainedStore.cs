using Fleet.Contracts;
using MQTTnet;

namespace Fleet.Controller.Broker;

/// <summary>
/// The last retained message of each topic. A wildcard filter looks only at the topics that share its literal beginning, so that
/// a device's "…/device/cmd/+" does not scan the fleet. Not thread-safe.
/// </summary>
internal sealed class RetainedStore(int countMax)
{
    private readonly Dictionary<string, MqttApplicationMessage> messages = new(StringComparer.Ordinal);
    private readonly SortedSet<string> topics = new(StringComparer.Ordinal);

    public int Count => messages.Count;

    public MqttApplicationMessage? Find(string topic) => messages.GetValueOrDefault(topic);

    /// <summary>False when it is one topic too many.</summary>
    public bool TryPut(MqttApplicationMessage message)
    {
        if (messages.Count >= countMax && !messages.ContainsKey(message.Topic)) return false;
        messages[message.Topic] = message;
        topics.Add(message.Topic);
        return true;
    }

    public bool Remove(string topic) => messages.Remove(topic) && topics.Remove(topic);

    /// <summary>The topics with a retained message that the filter matches, in order.</summary>
    public List<string> Matching(string filter)
    {
        var wild = filter.AsSpan().IndexOfAny('+', '#');
        if (wild < 0) return messages.ContainsKey(filter) ? [filter] : [];
        // "a/#" also matches "a", which stands before "a/".
        var from = wild > 0 && filter[wild] == '#' ? filter[..(wild - 1)] : filter[..wild];
        var found = new List<string>();
        IEnumerable<string> range = topics;
        if (from.Length > 0) range = topics.GetViewBetween(from, from + '\uffff');
        foreach (var topic in range)
            if ((from.Length > 0 || topic[0] != '$') && TopicFilter.Matches(filter, topic)) found.Add(topic);
        return found;
    }
}
