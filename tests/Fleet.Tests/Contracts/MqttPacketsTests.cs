using System.Buffers;
using System.Text;
using CsCheck;
using Fleet.Contracts;
using Fleet.Emulator.Live;
using Fleet.Tests.Contracts;
using MQTTnet;
using MQTTnet.Adapter;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>The few packets written by hand, against MQTTnet's formatter.</summary>
public sealed class MqttPacketsTests
{
    [Test]
    public void WritePublish_AnyMessageOfTheProtocol_IsReadByMqttnetAsTheSame([Values] TopicKind kind)
    {
        AnyMessage.On(kind).Sample(message =>
        {
            var topic = Samples.On(kind);
            var wanted = MqttClientSetup.ApplicationMessage(topic, message, Delivery.AtLeastOnce);
            var read = (MqttPublishPacket)Decode(Written(topic, message, id: 7, retain: topic.Rule.Retained));
            Assert.That(read.Topic, Is.EqualTo(topic.Path));
            Assert.That(read.Payload.ToArray(), Is.EqualTo(wanted.Payload.ToArray()));
            Assert.That((read.Retain, read.PacketIdentifier, read.QualityOfServiceLevel), Is.EqualTo((topic.Rule.Retained, (ushort)7, MqttQualityOfServiceLevel.AtLeastOnce)));
            Assert.That((read.ResponseTopic, read.MessageExpiryInterval), Is.EqualTo((wanted.ResponseTopic, wanted.MessageExpiryInterval)));
            Assert.That(read.CorrelationData, Is.EqualTo(wanted.CorrelationData));
        }, iter: 50);
    }

    [Test]
    public void TryReadPublish_WhatMqttnetWrites_IsReadAsItWas()
    {
        Gen.Select(Gen.Int[0, 1], Gen.Bool, Gen.Byte.Array[0, 300], Gen.Bool).Sample((quality, retain, payload, hasMore) =>
        {
            var packet = new MqttPublishPacket
            {
                Topic = "a/b",
                PacketIdentifier = (ushort)(quality * 9),
                QualityOfServiceLevel = (MqttQualityOfServiceLevel)quality,
                Retain = retain,
                Payload = new ReadOnlySequence<byte>(payload),
                ResponseTopic = hasMore ? "answer/here" : null,
                UserProperties = hasMore ? [new MqttUserProperty("k", "v"u8.ToArray())] : null,
                ContentType = hasMore ? "text" : null,
            };
            var bytes = new MqttPacketFormatterAdapter(MqttProtocolVersion.V500, new MqttBufferWriter(64, 4096)).Encode(packet).ToArray();

            Assert.That(MqttPackets.FrameLength(bytes, out var header), Is.EqualTo(bytes.Length));
            Assert.That(MqttPackets.TryReadPublish(bytes[0], bytes.AsSpan(header), out var read, out var id));
            Assert.That(Encoding.UTF8.GetString(read.Topic), Is.EqualTo("a/b"));
            Assert.That((read.Quality, read.Retain, (int)id), Is.EqualTo((quality, retain, quality * 9)));
            Assert.That(read.Payload.ToArray(), Is.EqualTo(payload));
            Assert.That(MqttPackets.ResponseTopicOf(read.Properties), Is.EqualTo(hasMore ? "answer/here" : null));
        }, iter: 100);
    }

    [Test]
    public void TryReadPublish_CutAnywhereInItsHead_IsRefused()
    {
        var bytes = Written(Samples.On(TopicKind.Reply), Samples.Reply, id: 7, retain: false);
        MqttPackets.FrameLength(bytes, out var header);
        var head = bytes.Length - header - Wire.Length(Samples.Reply);
        for (var length = 0; length < head; length++) Assert.That(MqttPackets.TryReadPublish(bytes[0], bytes.AsSpan(header, length), out _, out _), Is.False, $"{length} bytes");
    }

    [TestCase(new byte[] { 0x30 }, 0)]
    [TestCase(new byte[] { 0x30, 0x80 }, 0)]
    [TestCase(new byte[] { 0x30, 0x80, 0x01 }, 131)]
    [TestCase(new byte[] { 0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 }, -1)]
    public void FrameLength_ByTheLengthsBytes(byte[] bytes, int expected) => Assert.That(MqttPackets.FrameLength(bytes, out _), Is.EqualTo(expected));

    [Test]
    public void PublishBytes_AroundEachLengthOfALength_FitsWhatIsWritten([Values(100, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152)] int about)
    {
        for (var payload = about - 20; payload < about + 5; payload++)
        {
            var packet = new byte[MqttPackets.PublishBytes(3, 0, payload, acknowledged: true)];
            Assert.That(MqttPackets.WritePublish(packet, "a/b"u8, [], 1, retain: false), Is.EqualTo(packet.Length - payload));
            Assert.That(MqttPackets.FrameLength(packet, out _), Is.EqualTo(packet.Length));
        }
    }

    private static byte[] Written(Topic topic, Message message, ushort id, bool retain)
    {
        Span<byte> properties = new byte[512];
        properties = properties[..MqttPackets.WriteProperties(properties, message)];
        var (path, payload) = (Encoding.ASCII.GetBytes(topic.Path), Wire.Encode(message));
        var packet = new byte[MqttPackets.PublishBytes(path.Length, properties.Length, payload.Length, id > 0)];
        payload.CopyTo(packet, MqttPackets.WritePublish(packet, path, properties, id, retain));
        return packet;
    }

    private static MqttPacket Decode(byte[] bytes)
    {
        var length = MqttPackets.FrameLength(bytes, out var header);
        return new MqttPacketFormatterAdapter(MqttProtocolVersion.V500, new MqttBufferWriter(64, 4096)).Decode(new ReceivedMqttPacket(bytes[0], new ArraySegment<byte>(bytes, header, length - header), length));
    }
}
