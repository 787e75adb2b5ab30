using System.Net;
using System.Net.Sockets;
using Fleet.Controller.Broker;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

/// <summary>Publications that the broker takes off a connection before MQTTnet has them.</summary>
public sealed class BrokerPublishTests
{
    private static readonly byte[] Connect = [0x10, 13, 0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 4, 2, 0, 1, 0, 1, (byte)'p'];

    [Test]
    public async Task Publish_ManyInOneWrite_EachIsAcknowledgedOnceAndInOrder()
    {
        await using var broker = await BrokerFixture.StartAsync();
        await using var viewer = await RawClient.ConnectAsync(broker, "viewer");
        await viewer.SubscribeAsync("t");
        using var socket = await OpenAsync(broker);
        var stream = socket.GetStream();

        await stream.WriteAsync(Enumerable.Range(1, 1000).SelectMany(id => Publish((byte)(0x30 | (id % 3 == 0 ? 0 : 2)), (ushort)id)).ToArray());
        var acknowledgements = new byte[4 * 667];
        await stream.ReadExactlyAsync(acknowledgements).AsTask().WaitAsync(BrokerFixture.Patience);

        Assert.That(acknowledgements.Chunk(4).Select(packet => (packet[0], packet[1], packet[2] << 8 | packet[3])), Is.EqualTo(Enumerable.Range(1, 1000).Where(id => id % 3 != 0).Select(id => (0x40, 2, id))));
        for (var id = 1; id <= 1000; id++) Assert.That((await viewer.NextAsync()).Payload.Length, Is.EqualTo(1));
        Assert.That(broker.Counters, Has.Property(nameof(BrokerCounters.Received)).EqualTo(1000).And.Property(nameof(BrokerCounters.Delivered)).EqualTo(1000));
    }

    [Test]
    public async Task Publish_InsteadOfPings_KeepsTheClientAlive()
    {
        await using var broker = await BrokerFixture.StartAsync();
        using var socket = await OpenAsync(broker);
        var stream = socket.GetStream();

        // Its keep-alive is a second: who says nothing for one and a half of it is gone (MQTT 3.1.1, section 3.1.2.10).
        for (var id = 1; id <= 40; id++)
        {
            await stream.WriteAsync(Publish(0x32, (ushort)id));
            await stream.ReadExactlyAsync(new byte[4]).AsTask().WaitAsync(BrokerFixture.Patience);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }
        Assert.That(broker.Counters.Clients, Is.EqualTo(1));
    }

    private static async Task<TcpClient> OpenAsync(EmbeddedBroker broker)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, broker.Port);
        await socket.GetStream().WriteAsync(Connect);
        await socket.GetStream().ReadExactlyAsync(new byte[4]).AsTask().WaitAsync(BrokerFixture.Patience);
        return socket;
    }

    /// <summary>One byte on topic t; at most once packets have no id.</summary>
    private static byte[] Publish(byte header, ushort id) => header == 0x30 ? [header, 4, 0, 1, (byte)'t', 7] : [header, 6, 0, 1, (byte)'t', (byte)(id >> 8), (byte)id, 7];
}
