using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Fleet.Controller.Broker;
using MQTTnet;
using MQTTnet.Packets;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

/// <summary>What the broker keeps from a client that cannot bear it, and from itself when a client does not do its part.</summary>
public sealed class BrokerBoundsTests
{
    [TestCase("a\0b")]
    [TestCase("a\u0001b")]
    [TestCase("a\u0085b")]
    [TestCase("a\uffffb")]
    public async Task Publish_TopicThatClientsTakeForMalformed_IsRefusedAndNotKept(string topic)
    {
        await using var broker = await BrokerFixture.StartAsync();
        await using var client = await RawClient.ConnectAsync(broker, "c");
        await client.SubscribeAsync("#");

        var answer = await client.PublishAsync(topic, "x", retain: true);

        Assert.That(answer.ReasonCode, Is.EqualTo(MqttClientPublishReasonCode.TopicNameInvalid));
        Assert.That(await client.UntilMarkAsync(), Is.Empty);
        Assert.That(broker.Counters, Has.Property(nameof(BrokerCounters.Retained)).EqualTo(0).And.Property(nameof(BrokerCounters.Refused)).EqualTo(1));
    }

    [Test]
    public void Texts_OfAMessage_AreAllLookedAt()
    {
        Assert.That(Utf8Text.AreAllowed(new MqttApplicationMessage { Topic = "grün/\U0001f600", ContentType = "text/plain", ResponseTopic = "r" }));
        Assert.That(Utf8Text.AreAllowed(new MqttApplicationMessage { Topic = "t", ContentType = "\0" }), Is.False);
        Assert.That(Utf8Text.AreAllowed(new MqttApplicationMessage { Topic = "t", ResponseTopic = "r\u001f" }), Is.False);
        Assert.That(Utf8Text.AreAllowed(new MqttApplicationMessage { Topic = "t", UserProperties = [new MqttUserProperty("k", "v\0"u8.ToArray())] }), Is.False);
    }

    [Test]
    public async Task Deliver_MoreThanReceiveMaximum_WaitsForAnswersInOrder()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await using var talker = await RawClient.ConnectAsync(broker, "talker");
        using var slow = await Socket5.ConnectAsync(broker, 0x21, 0, 3);
        await slow.SubscribeAsync();
        for (var number = 0; number < 10; number++) await talker.PublishAsync("t", [(byte)number]);

        var (came, ids) = (new List<byte>(), new Queue<byte[]>());
        await TakeAsync(3);
        // A pong comes after all that was sent before it.
        await slow.SendAsync(0xc0, 0);
        Assert.That((await slow.ReadAsync()).Header, Is.EqualTo(0xd0), "a fourth message was sent before the first was answered");
        while (came.Count < 10)
        {
            await slow.SendAsync([0x40, 2, .. ids.Dequeue()]);
            await TakeAsync(1);
        }
        Assert.That(came, Is.EqualTo(Enumerable.Range(0, 10)));

        async Task TakeAsync(int count)
        {
            for (; count > 0; count--)
            {
                var (header, body) = await slow.ReadAsync();
                Assert.That(header, Is.EqualTo(0x32));
                ids.Enqueue(body[3..5]);
                came.Add(body[^1]);
            }
        }
    }

    [Test]
    public async Task Deliver_NeverAnswered_KeepsNoMoreThanItsBound()
    {
        await using var broker = await BrokerFixture.StartAsync(new BrokerOptions { Port = 0, PendingMax = 20, PendingPause = 10, Patience = new(0.01) });
        await using var talker = await RawClient.ConnectAsync(broker, "talker");
        using var mute = await Socket5.ConnectAsync(broker);
        await mute.SubscribeAsync();

        for (var number = 0; number < 200; number++) await talker.PublishAsync("t", [(byte)number]);

        Assert.That(broker.Counters, Has.Property(nameof(BrokerCounters.Delivered)).LessThanOrEqualTo(42).And.Property(nameof(BrokerCounters.Dropped)).GreaterThanOrEqualTo(158));
    }

    [Test]
    public async Task Deliver_LongerThanTheClientTakes_IsLeftOutAndCounted()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await using var talker = await RawClient.ConnectAsync(broker, "talker");
        using var small = await Socket5.ConnectAsync(broker, 0x27, 0, 0, 0, 64);
        await small.SubscribeAsync();

        // Fixed header 2, topic 3, identifier 2, length of the properties 1.
        await talker.PublishAsync("t", new byte[57]);
        await talker.PublishAsync("t", new byte[56]);

        var (_, body) = await small.ReadAsync();
        Assert.That(body, Has.Length.EqualTo(62));
        Assert.That(broker.Counters, Has.Property(nameof(BrokerCounters.Delivered)).EqualTo(1).And.Property(nameof(BrokerCounters.Dropped)).EqualTo(1));
    }

    [Test]
    public void PacketSize_WithAllProperties_IsWhatTheProtocolSays()
    {
        var message = new MqttApplicationMessage
        {
            Topic = "t",
            Payload = new ReadOnlySequence<byte>(new byte[200]),
            ContentType = "text",
            ResponseTopic = "resp",
            CorrelationData = [1, 2, 3, 4],
            MessageExpiryInterval = 9,
            PayloadFormatIndicator = MQTTnet.Protocol.MqttPayloadFormatIndicator.CharacterData,
            SubscriptionIdentifiers = [7, 300],
            UserProperties = [new MqttUserProperty("k", "v"u8.ToArray())],
        };

        // Properties: 2 + 5 + 7 + 7 + 7 + 2 + 3 + 7 = 40; their length 1; topic 3; payload 200; the rest's length 2; first byte 1.
        Assert.That(PacketSize.Of(message), Is.EqualTo(247));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task PublishExactlyOnce_SentAgainBeforeItsRelease_IsPublishedOnce(bool afterReconnect)
    {
        await using var broker = await BrokerFixture.StartAsync();
        await using var viewer = await RawClient.ConnectAsync(broker, "viewer");
        await viewer.SubscribeAsync("t");
        byte[] lives = [0x11, 0, 0, 0, 100];
        var sender = await Socket5.ConnectAsync(broker, lives);
        await sender.SendAsync(0x34, 7, 0, 1, (byte)'t', 0, 5, 0, 1);
        Assert.That((await sender.ReadAsync()).Header, Is.EqualTo(0x50));
        if (afterReconnect)
        {
            sender.Dispose();
            sender = await Socket5.ConnectAsync(broker, lives, clean: false);
        }

        await sender.SendAsync(0x3c, 7, 0, 1, (byte)'t', 0, 5, 0, 1);
        Assert.That((await sender.ReadAsync()).Header, Is.EqualTo(0x50));
        await sender.SendAsync(0x62, 2, 0, 5);
        Assert.That((await sender.ReadAsync()).Header, Is.EqualTo(0x70));
        // Released, the identifier is free for another.
        await sender.SendAsync(0x34, 7, 0, 1, (byte)'t', 0, 5, 0, 2);
        Assert.That((await sender.ReadAsync()).Header, Is.EqualTo(0x50));
        sender.Dispose();

        var seen = (await viewer.UntilMarkAsync()).Select(message => message.Payload.ToArray().Single());
        Assert.That(seen, Is.EqualTo(new byte[] { 1, 2 }));
    }

    [Test]
    public async Task Connect_LongerThanAnyPacketMayBe_IsCutOff()
    {
        await using var broker = await BrokerFixture.StartAsync(new BrokerOptions { Port = 0, PayloadBytesMax = 1000 });
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, broker.Port);
        var stream = socket.GetStream();

        // A CONNECT of 256 MB, without end.
        await stream.WriteAsync(new byte[] { 0x10, 0xff, 0xff, 0xff, 0x7f });
        var megabyte = new byte[1 << 20];
        Assert.That(async () =>
        {
            for (var sent = 0; sent < 100; sent++) await stream.WriteAsync(megabyte).AsTask().WaitAsync(BrokerFixture.Patience);
        }, Throws.InstanceOf<IOException>());
        await using var other = await RawClient.ConnectAsync(broker, "other");
    }

    [Test]
    public async Task Read_ConnectionThatEndsWithinAPacket_IsOverAndNotReadForEver()
    {
        var pipe = new System.IO.Pipelines.Pipe();
        await pipe.Writer.WriteAsync(new byte[] { 0x30, 9, 0 });
        await pipe.Writer.CompleteAsync();
        var input = new BoundedInput(pipe.Reader, 100);

        var first = await input.ReadAsync();
        input.AdvanceTo(first.Buffer.Start, first.Buffer.End);
        Assert.That(async () => await input.ReadAsync(), Throws.InstanceOf<IOException>());
    }

    [Test]
    public async Task Connect_IsToldTheLongestPacket()
    {
        await using var broker = await BrokerFixture.StartAsync(new BrokerOptions { Port = 0, PayloadBytesMax = 1000 });
        using var client = await Socket5.ConnectAsync(broker);

        var longest = 1000 + (1 << 20);
        Assert.That(Convert.ToHexString(client.Answer[3..]), Does.Contain($"27{longest:X8}"));
    }

    /// <summary>MQTT 5 byte by byte; its client answers nothing by itself.</summary>
    private sealed class Socket5 : IDisposable
    {
        private readonly TcpClient socket = new();

        /// <summary>The body of CONNACK: flags, reason, the length of the properties, the properties.</summary>
        public byte[] Answer { get; private set; } = [];

        public static Task<Socket5> ConnectAsync(EmbeddedBroker broker, params byte[] properties) => ConnectAsync(broker, properties, clean: true);

        public static async Task<Socket5> ConnectAsync(EmbeddedBroker broker, byte[] properties, bool clean)
        {
            var client = new Socket5();
            await client.socket.ConnectAsync(IPAddress.Loopback, broker.Port);
            byte[] body = [0, 4, .. Encoding.ASCII.GetBytes("MQTT"), 5, (byte)(clean ? 2 : 0), 0, 0, (byte)properties.Length, .. properties, 0, 1, (byte)'s'];
            await client.SendAsync([0x10, (byte)body.Length, .. body]);
            var (header, answer) = await client.ReadAsync();
            Assert.That(header, Is.EqualTo(0x20));
            client.Answer = answer;
            return client;
        }

        /// <summary>To t, at least once.</summary>
        public async Task SubscribeAsync()
        {
            await SendAsync(0x82, 7, 0, 1, 0, 0, 1, (byte)'t', 1);
            Assert.That((await ReadAsync()).Header, Is.EqualTo(0x90));
        }

        public Task SendAsync(params byte[] bytes) => socket.GetStream().WriteAsync(bytes).AsTask();

        /// <summary>A packet shorter than 128 bytes.</summary>
        public async Task<(byte Header, byte[] Body)> ReadAsync()
        {
            var start = await ReadAsync(2);
            return (start[0], await ReadAsync(start[1]));
        }

        public void Dispose() => socket.Dispose();

        private async Task<byte[]> ReadAsync(int length)
        {
            var bytes = new byte[length];
            await socket.GetStream().ReadExactlyAsync(bytes).AsTask().WaitAsync(BrokerFixture.Patience);
            return bytes;
        }
    }
}
