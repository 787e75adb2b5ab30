using System.Text;
using MQTTnet;

namespace Fleet.Controller.Broker;

/// <summary>
/// What a text on the wire may hold (MQTT 5, section 1.5.4): no U+0000, and no control characters or noncharacters either, which a receiver
/// may take for malformed. Mosquitto's clients do and hang up, so that one message would cut off everybody who is sent it, and one that is retained for ever.
/// </summary>
internal static class Utf8Text
{
    public static bool IsAllowed(string? text)
    {
        if (text is null || text.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0) return true;
        foreach (var rune in text.EnumerateRunes())
            if (rune.Value is < 0x20 or (>= 0x7f and <= 0x9f) or (>= 0xfdd0 and <= 0xfdef) || (rune.Value & 0xfffe) == 0xfffe) return false;
        return true;
    }

    /// <summary>Whether all texts that go with a message may be sent on.</summary>
    public static bool AreAllowed(MqttApplicationMessage message) =>
        IsAllowed(message.Topic) && IsAllowed(message.ContentType) && IsAllowed(message.ResponseTopic)
        && (message.UserProperties?.TrueForAll(property => IsAllowed(property.Name) && IsAllowed(Encoding.UTF8.GetString(property.ValueBuffer.Span))) ?? true);
}
