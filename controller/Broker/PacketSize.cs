using System.Text;
using MQTTnet;
using MQTTnet.Protocol;

namespace Fleet.Controller.Broker;

/// <summary>How long a PUBLISH is in MQTT 5 (section 3.3).</summary>
internal static class PacketSize
{
    /// <returns>In bytes, fixed header included.</returns>
    public static long Of(MqttApplicationMessage message)
    {
        long properties = (message.PayloadFormatIndicator is MqttPayloadFormatIndicator.Unspecified ? 0 : 2) + (message.MessageExpiryInterval > 0 ? 5 : 0)
            + Property(message.ContentType) + Property(message.ResponseTopic) + (message.CorrelationData is { } correlation ? 3 + correlation.Length : 0)
            + (message.SubscriptionIdentifiers?.Sum(id => 1L + LengthOf(id)) ?? 0)
            + (message.UserProperties?.Sum(property => 5L + Encoding.UTF8.GetByteCount(property.Name) + property.ValueBuffer.Length) ?? 0);
        var rest = 2 + Encoding.UTF8.GetByteCount(message.Topic) + (message.QualityOfServiceLevel > 0 ? 2 : 0) + LengthOf(properties) + properties + message.Payload.Length;
        return 1 + LengthOf(rest) + rest;
    }

    private static long Property(string? text) => string.IsNullOrEmpty(text) ? 0 : 3 + Encoding.UTF8.GetByteCount(text);

    /// <summary>Of a variable byte integer (section 1.5.5).</summary>
    private static int LengthOf(long value) => value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;
}
