using System.Text.Json;

namespace Fleet.Contracts;

/// <summary>
/// Holds a published message to the protocol: a topic that exists, a payload that any viewer can show and plot. For the agents of
/// others as much as for our own: `fleet lint` runs it on a live fleet.
/// </summary>
public static class ProtocolLint
{
    private const int SlashesMax = 7;
    private const int TextLengthMax = 1000;

    /// <summary>Endings that say what a number is.</summary>
    private static readonly string[] Units =
    [
        "_s", "_j", "_w", "_hz", "_c", "_bytes", "_ratio", "_bytes_per_s", "_j_per_byte", "_bytes_per_inference", "_per_inference_j", "_count", "_total", "_threshold", "_threshold_low", "_temperature", "_mean",
    ];

    /// <summary>Numbers that count or name, and so need no unit.</summary>
    private static readonly HashSet<string> Plain = new(StringComparer.Ordinal)
    {
        "seq", "version", "epoch", "seed", "head", "cut", "temperature", "count", "labelled", "correct", "offloaded", "fallback", "deadline_missed", "audited", "audit_agreed", "skipped", "in_flight",
        "queue", "queue_max", "workers", "served", "expired", "refused", "malformed", "devices", "online", "edges_online", "in_agreement", "changed", "objective", "bound", "edge_price", "bytes_per_inference", "bytes_sent", "request_id", "label", "confidence", "batch",
    };

    /// <summary>What is wrong with a message, one sentence a fault; an empty payload only clears a retained message.</summary>
    public static IReadOnlyList<string> Faults(string path, ReadOnlySpan<byte> payload)
    {
        var faults = new List<string>();
        if (path.Count(c => c == '/') > SlashesMax) faults.Add($"has more than {SlashesMax} slashes");
        if (!Topic.TryParse(path, out var topic))
        {
            faults.Add("is no topic of the protocol");
            return faults;
        }
        if (payload.IsEmpty) return faults;
        if (topic.Kind is TopicKind.Offload)
        {
            if (TensorFrame.Decode(payload, new Topic(TopicKind.Reply, topic.Site, "lint")) is Malformed bad) faults.Add(bad.Reason);
            return faults;
        }
        if (payload.Length > Wire.FleetBytesMax) faults.Add($"has {payload.Length} bytes; allowed: {Wire.FleetBytesMax}");
        if (Wire.Decode(topic, payload) is Malformed malformed) faults.Add(malformed.Reason);
        else if (Wire.TypeOf(topic.Kind) is { } type) CheckKeys(payload, [.. type.Properties.Select(property => property.Name)], faults);
        return faults;
    }

    private static void CheckKeys(ReadOnlySpan<byte> payload, List<string> order, List<string> faults)
    {
        var reader = new Utf8JsonReader(payload);
        reader.Read();
        var last = -1;
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            var place = order.IndexOf(key);
            if (place < 0) faults.Add($"{key} is no key of this message");
            else if (place < last) faults.Add($"{key} stands behind {order[last]}; the order of keys is fixed");
            last = Math.Max(last, place);
            reader.Read();
            if (!CheckValue(ref reader, key, faults)) return;
        }
    }

    /// <summary>False when the payload is not flat: what follows cannot be judged.</summary>
    private static bool CheckValue(ref Utf8JsonReader reader, string key, List<string> faults)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                faults.Add($"{key} is not a scalar: viewers cannot plot it");
                return false;
            case JsonTokenType.Null:
                faults.Add($"{key} is null; leave unknown keys out");
                return true;
            case JsonTokenType.String when reader.HasValueSequence || reader.ValueSpan.Length > TextLengthMax:
                faults.Add($"{key} is longer than {TextLengthMax} bytes");
                return true;
            case JsonTokenType.Number when !HasUnit(key):
                faults.Add($"{key} is a number without a unit in its key; allowed endings: {string.Join(", ", Units)}");
                return true;
            default:
                return true;
        }
    }

    /// <summary>exit_1 and head_2_count count; temperatures and thresholds are per exit.</summary>
    private static bool HasUnit(string key) =>
        Plain.Contains(key) || Units.Any(unit => key.EndsWith(unit, StringComparison.Ordinal)) || key.StartsWith("exit_", StringComparison.Ordinal) && int.TryParse(key.AsSpan(5), out _);
}
