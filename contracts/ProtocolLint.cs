using System.Text.Json;
using System.Text.Unicode;

namespace Fleet.Contracts;

/// <summary>
/// Judges messages as a viewer sees them, topic and bytes, by the rules of the protocol. Knows nothing of who sent them, so it can be
/// run over the messages of an emulated run, over what mosquitto_sub prints and, by `fleet lint`, over the agents of others.
/// </summary>
public static class ProtocolLint
{
    public const int SlashesMax = 7;

    /// <summary>Characters of one text: a reason still fits, a tensor in base64 does not.</summary>
    public const int TextLengthMax = 512;

    /// <summary>Of an outlook, which holds a table for each exit.</summary>
    public const int OutlookLengthMax = 2048;

    /// <summary>What a number's key may end in.</summary>
    private static readonly string[] UnitSuffixes = ["_s", "_j", "_w", "_hz", "_c", "_bytes", "_ratio", "_bytes_per_s", "_j_per_byte", "_count", "_total"];

    /// <summary>Numbers without a unit (counts, indices, temperatures of a softmax, prices in a planner's own weights), and those whose unit comes first. # is a digit.</summary>
    private static readonly HashSet<string> PlainNumbers = new(StringComparer.Ordinal)
    {
        "seed", "seq", "version", "epoch", "head", "cut", "pass_cut", "view", "request_id", "label", "confidence", "confidence_mean", "temperature", "exit_#_threshold", "exit_#_threshold_min", "exit_#_threshold_max", "exit_#_temperature",
        "count", "labelled", "correct", "exit_#", "offloaded", "fallback", "deadline_missed", "audited", "audit_agreed", "audit_labelled", "audit_correct", "skipped", "spared", "in_flight",
        "exit_#_confidence_mean", "exit_#_audited", "exit_#_audit_agreed", "exit", "tail_label", "tail_confidence", "threshold_min",
        "queue", "queue_max", "workers", "served", "expired", "refused", "malformed", "batch", "batch_mean",
        "devices", "online", "edges_online", "in_agreement", "changed", "objective", "bound", "edge_price", "joule_weight", "error_weight", "bytes_sent", "bytes_per_inference", "request_type",
    };

    /// <summary>What is wrong with a published message, one sentence a fault; empty when it may be published.</summary>
    public static IReadOnlyList<string> Faults(string topic, ReadOnlySpan<byte> payload)
    {
        var faults = new List<string>();
        if (topic.Count(c => c == '/') > SlashesMax) faults.Add($"{topic}: {topic.Count(c => c == '/')} slashes; allowed: {SlashesMax}");
        foreach (var level in topic.Split('/'))
            if (!IsLevel(level)) faults.Add($"{topic}: level \"{level}\"; allowed: lower-case letters, digits and dashes, or a reserved word after an underscore");
        if (!Topic.TryParse(topic, out var known))
        {
            faults.Add($"{topic}: the protocol has no such topic");
            return faults;
        }
        // A retained message of no length takes back the one before it.
        if (payload.Length == 0 && known.Rule.Retained) return faults;
        if (known.Kind is not TopicKind.Offload)
        {
            if (payload.Length > Wire.FleetBytesMax) faults.Add($"{topic}: {payload.Length} bytes; allowed: {Wire.FleetBytesMax}");
            if (!IsText(payload)) faults.Add($"{topic}: binary; only {TopicRule.DataRoot} carries that");
            else if (Wire.TypeOf(known.Kind) is { } type) JsonFaults(topic, payload, [.. type.Properties.Where(property => property.Get is not null).Select(property => property.Name)], TextMax(known.Kind), faults);
        }
        // An offload's response topic does not travel in its payload: any stands for it.
        if (Wire.Decode(known, payload, new Topic(TopicKind.Reply, known.Site, "any").Path) is Malformed malformed) faults.Add($"{topic}: {malformed.Reason}");
        return faults;
    }

    /// <summary>As <see cref="Faults"/> for a line of <c>mosquitto_sub -F "%t %x"</c>: topic, space, payload in hexadecimal.</summary>
    public static IReadOnlyList<string> LineFaults(string line)
    {
        var space = line.LastIndexOf(' ');
        return space < 0 ? [$"\"{line}\" is not a topic, a space and a payload in hexadecimal"] : Faults(line[..space], Convert.FromHexString(line[(space + 1)..]));
    }

    private static int TextMax(TopicKind kind) => kind switch
    {
        TopicKind.Placement => PlacementControl.TextLengthMax,
        TopicKind.Audit => Audit.LogitsLengthMax,
        _ => TextLengthMax,
    };

    private static bool IsLevel(string level)
    {
        var word = level.StartsWith('_') ? level[1..] : level;
        return word.Length > 0 && word.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');
    }

    private static bool IsText(ReadOnlySpan<byte> payload)
    {
        foreach (var octet in payload)
            if (octet < ' ') return false;
        return Utf8.IsValid(payload);
    }

    private static void JsonFaults(string topic, ReadOnlySpan<byte> payload, List<string> order, int textMax, List<string> faults)
    {
        try
        {
            using var document = JsonDocument.Parse(payload.ToArray());
            if (document.RootElement.ValueKind is not JsonValueKind.Object)
            {
                faults.Add($"{topic}: {document.RootElement.ValueKind}; allowed: a flat JSON object");
                return;
            }
            var last = -1;
            foreach (var member in document.RootElement.EnumerateObject())
            {
                var at = order.IndexOf(member.Name);
                if (at < 0) faults.Add($"{topic}: {member.Name} is no key of this message");
                else if (at == last) faults.Add($"{topic}: {member.Name} stands twice");
                else if (at < last) faults.Add($"{topic}: {member.Name} stands after {order[last]}; the order is that of the declaration");
                last = Math.Max(last, at);
                if (ValueFault(member.Name, member.Value, textMax) is { } fault) faults.Add($"{topic}: {fault}");
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            faults.Add($"{topic}: not JSON: {e.Message}");
        }
    }

    private static string? ValueFault(string key, JsonElement value, int textMax) => value.ValueKind switch
    {
        JsonValueKind.True or JsonValueKind.False => null,
        JsonValueKind.String when key == "outlook" => LengthFault(key, value, OutlookLengthMax),
        JsonValueKind.String => LengthFault(key, value, textMax),
        JsonValueKind.Number when !double.IsFinite(value.GetDouble()) => $"{key} is {value.GetRawText()}; it must be finite",
        JsonValueKind.Number => HasUnit(key) ? null : $"{key} is a number without a unit in its name; allowed endings: {string.Join(", ", UnitSuffixes)}, or a plain count that this list knows",
        _ => $"{key} is {value.ValueKind}; allowed: numbers, true, false and short texts",
    };

    private static string? LengthFault(string key, JsonElement value, int most) =>
        value.GetString()!.Length <= most ? null : $"{key} has {value.GetString()!.Length} characters; allowed: {most}";

    private static bool HasUnit(string key) =>
        UnitSuffixes.Any(suffix => key.EndsWith(suffix, StringComparison.Ordinal)) || PlainNumbers.Contains(string.Concat(key.Select(c => char.IsAsciiDigit(c) ? '#' : c)));
}
