using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Fleet.Contracts;

/// <summary>Messages to bytes and back. The topic says which message it is.</summary>
public static class Wire
{
    /// <summary>A larger message under the fleet's root is an error.</summary>
    public const int FleetBytesMax = 8 * 1024;

    private static readonly Info?[] Infos = new Info?[256];

    [ThreadStatic] private static ArrayBufferWriter<byte>? scratch;
    [ThreadStatic] private static Utf8JsonWriter? scratchWriter;

    /// <summary>The message's payload on the wire.</summary>
    public static byte[] Encode(Message message)
    {
        switch (message)
        {
            case State state:
                return Encoding.ASCII.GetBytes(state.Word);
            case TensorFrame frame:
                var bytes = new byte[frame.EncodedBytes];
                frame.Encode(bytes);
                return bytes;
            case Cleared:
                return [];
            default:
                return Write(message).ToArray();
        }
    }

    /// <summary>As <see cref="Encode"/> for what is not a tensor frame, into a buffer of this thread's that a later call overwrites.</summary>
    public static ReadOnlySpan<byte> EncodeShared(Message message) => message is State or Cleared ? Encode(message) : Write(message);

    /// <summary>Exactly the length of <see cref="Encode"/>, without keeping a copy: a frame's is computed, a report's is written to a reused buffer.</summary>
    public static int Length(Message message) => message switch
    {
        State state => state.Word.Length,
        TensorFrame frame => frame.EncodedBytes,
        Cleared => 0,
        _ => Write(message).Length,
    };

    /// <summary>
    /// Reads a payload that came on <paramref name="topic"/>; unknown keys are ignored. What cannot be read, or is out of range,
    /// comes back as <see cref="Malformed"/> with the reason.
    /// </summary>
    public static Message Decode(Topic topic, ReadOnlySpan<byte> payload, string? responseTopic = null)
    {
        if (topic.Kind is TopicKind.Offload)
            return TensorFrame.Decode(payload, responseTopic is not null && Topic.TryParse(responseTopic, out var replyTo) && replyTo.Kind is TopicKind.Reply or TopicKind.EdgeReply ? replyTo : null);
        if (payload.IsEmpty && topic.Rule.IsTakenBack) return Cleared.Payload;
        if (payload.Length > FleetBytesMax) return new Malformed($"{payload.Length} bytes; allowed: {FleetBytesMax}", payload.Length);
        if (TypeOf(topic.Kind) is not { } type) return DecodeState(payload);
        try
        {
            var message = FlatJson.Read(type.Type, payload) ?? (Message?)JsonSerializer.Deserialize(payload, type);
            if (message is not null && topic.Rule.IsTyped && UnknownKey(payload, type) is { } slip) return new Malformed(slip, payload.Length);
            if (message is null) return new Malformed("is null; allowed: an object", payload.Length);
            var faults = message.Faults();
            if (faults.Count > 0) return new Malformed(faults[0], payload.Length);
            return message is Info info ? Shared(info) : message;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return new Malformed(Reason(e), payload.Length);
        }
    }

    /// <summary>JSON shape of the messages of a kind; null for states (a word) and offloads (a frame).</summary>
    public static JsonTypeInfo? TypeOf(TopicKind kind) => kind switch
    {
        TopicKind.Summary => Json.Wire.GetTypeInfo(typeof(Summary)),
        TopicKind.Plan => Json.Wire.GetTypeInfo(typeof(PlanReport)),
        TopicKind.Info or TopicKind.EdgeInfo => Json.Wire.GetTypeInfo(typeof(Info)),
        TopicKind.Budget => Json.Wire.GetTypeInfo(typeof(Budget)),
        TopicKind.Infer => Json.Wire.GetTypeInfo(typeof(InferWindow)),
        TopicKind.Desired or TopicKind.Reported => Json.Wire.GetTypeInfo(typeof(Assignment)),
        TopicKind.Command => Json.Wire.GetTypeInfo(typeof(Command)),
        TopicKind.EdgeLoad => Json.Wire.GetTypeInfo(typeof(EdgeLoad)),
        TopicKind.EdgeDesired or TopicKind.EdgeReported => Json.Wire.GetTypeInfo(typeof(TailAssignment)),
        TopicKind.Prediction => Json.Wire.GetTypeInfo(typeof(Prediction)),
        TopicKind.Reply or TopicKind.EdgeReply => Json.Wire.GetTypeInfo(typeof(Reply)),
        TopicKind.Placement => Json.Wire.GetTypeInfo(typeof(PlacementControl)),
        TopicKind.Audit => Json.Wire.GetTypeInfo(typeof(Audit)),
        TopicKind.Objective => Json.Wire.GetTypeInfo(typeof(Objective)),
        _ => null,
    };

    /// <summary>Of an object that could be read: the first key that its record has not, and those it has; null when there is none such.</summary>
    private static string? UnknownKey(ReadOnlySpan<byte> payload, JsonTypeInfo type)
    {
        var reader = new Utf8JsonReader(payload);
        reader.Read();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            if (type.Properties.All(property => property.Name != key)) return $"{Short(key, 60)} is unknown; allowed: {string.Join(", ", type.Properties.Select(property => property.Name))}";
            reader.Skip();
        }
        return null;
    }

    private static Message DecodeState(ReadOnlySpan<byte> payload)
    {
        var word = payload.Length <= 32 ? Encoding.UTF8.GetString(payload) : "";
        return State.Parse(word) ?? (Message)new Malformed($"state is \"{word}\" ({payload.Length} bytes); allowed: init, ready, sleeping, disconnected, lost", payload.Length);
    }

    /// <summary>Very many boards are alike in all that an info tells: theirs is one record, as long as no other of the same slot has come between.</summary>
    public static Info Shared(Info info)
    {
        ref var slot = ref Infos[(uint)info.GetHashCode() % Infos.Length];
        return slot is { } known && known == info ? known : slot = info;
    }

    private static ReadOnlySpan<byte> Write(Message message)
    {
        var recent = RecentTexts.Own;
        return recent.TryFind(message, out var text) || recent.TryWrite(message, out text) ? text : Serialize(message);
    }

    private static ReadOnlySpan<byte> Serialize(Message message)
    {
        scratch ??= new ArrayBufferWriter<byte>(1024);
        scratch.ResetWrittenCount();
        scratchWriter ??= new Utf8JsonWriter(scratch);
        scratchWriter.Reset(scratch);
        JsonSerializer.Serialize(scratchWriter, message, Json.Wire.GetTypeInfo(message.GetType()));
        scratchWriter.Flush();
        return scratch.WrittenSpan;
    }

    private static string Reason(Exception e) => Short(e.Message.Split('\n')[0], 300);

    private static string Short(string text, int most) => text.Length <= most ? text : text[..most];
}
