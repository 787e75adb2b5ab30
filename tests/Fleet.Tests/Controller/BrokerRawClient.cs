using System.Collections.Concurrent;
using Fleet.Controller.Broker;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

/// <summary>A client that is not the fleet's: a viewer, or somebody who publishes garbage.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    private readonly IMqttClient client = new MqttClientFactory().CreateMqttClient();
    private readonly ConcurrentQueue<MqttApplicationMessage> received = new();
    private readonly SemaphoreSlim came = new(0);

    private RawClient() => client.ApplicationMessageReceivedAsync += e =>
    {
        received.Enqueue(e.ApplicationMessage);
        came.Release();
        return Task.CompletedTask;
    };

    public static Task<RawClient> ConnectAsync(EmbeddedBroker broker, string id, Action<MqttClientOptions>? more = null) => ConnectAsync(broker.Port, id, more);

    /// <summary>Tries until a broker that is just starting lets it in.</summary>
    public static async Task<RawClient> ConnectUntilAsync(int port, string id)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await ConnectAsync(port, id);
            }
            catch (MQTTnet.Exceptions.MqttCommunicationException) when (attempt < 300)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
        }
    }

    public static async Task<RawClient> ConnectAsync(int port, string id, Action<MqttClientOptions>? more = null)
    {
        var raw = new RawClient();
        var options = new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port).WithClientId(id).WithProtocolVersion(MqttProtocolVersion.V500).Build();
        more?.Invoke(options);
        await raw.client.ConnectAsync(options);
        return raw;
    }

    public Task<MqttClientPublishResult> PublishAsync(string topic, byte[] payload, bool retain = false, MqttQualityOfServiceLevel level = MqttQualityOfServiceLevel.AtLeastOnce, uint expiry = 0) =>
        client.PublishAsync(new MqttApplicationMessage { Topic = topic, PayloadSegment = payload, Retain = retain, QualityOfServiceLevel = level, MessageExpiryInterval = expiry });

    public Task<MqttClientPublishResult> PublishAsync(string topic, string payload, bool retain = false) => PublishAsync(topic, System.Text.Encoding.UTF8.GetBytes(payload), retain);

    public async Task<MqttClientSubscribeResultCode> SubscribeAsync(string filter, uint id = 0, Action<MqttTopicFilter>? more = null)
    {
        var wanted = new MqttTopicFilter { Topic = filter, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce };
        more?.Invoke(wanted);
        var result = await client.SubscribeAsync(new MqttClientSubscribeOptions { TopicFilters = [wanted], SubscriptionIdentifier = id });
        return result.Items.Single().ResultCode;
    }

    public Task UnsubscribeAsync(string filter) => client.UnsubscribeAsync(filter);

    public async Task<MqttApplicationMessage> NextAsync()
    {
        Assert.That(await came.WaitAsync(BrokerFixture.Patience), "nothing came");
        received.TryDequeue(out var message);
        return message!;
    }

    /// <summary>All messages before one on <paramref name="mark"/>, which this client publishes itself.</summary>
    public async Task<List<MqttApplicationMessage>> UntilMarkAsync(string mark = "mark")
    {
        await SubscribeAsync(mark);
        await PublishAsync(mark, "x");
        var before = new List<MqttApplicationMessage>();
        while (await NextAsync() is var next && next.Topic != mark) before.Add(next);
        return before;
    }

    public Task DisconnectAsync(MqttClientDisconnectOptionsReason reason = MqttClientDisconnectOptionsReason.NormalDisconnection) =>
        client.DisconnectAsync(new MqttClientDisconnectOptions { Reason = reason });

    public async ValueTask DisposeAsync()
    {
        if (client.IsConnected) await client.DisconnectAsync();
        client.Dispose();
        came.Dispose();
    }
}

/// <summary>A viewer that subscribed to t/# and then does not read its socket any more.</summary>
internal sealed class StuckClient : IAsyncDisposable
{
    private readonly System.Net.Sockets.TcpClient socket = new() { ReceiveBufferSize = 4096 };

    public static async Task<StuckClient> ConnectAsync(int port)
    {
        var stuck = new StuckClient();
        await stuck.socket.ConnectAsync(System.Net.IPAddress.Loopback, port);
        var stream = stuck.socket.GetStream();
        // CONNECT (MQTT 3.1.1, clean session, id "s"), then SUBSCRIBE to t/# at most once.
        byte[] packets = [0x10, 13, 0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 4, 2, 0, 0, 0, 1, (byte)'s', 0x82, 8, 0, 1, 0, 3, (byte)'t', (byte)'/', (byte)'#', 0];
        await stream.WriteAsync(packets);
        var answers = new byte[9];
        await stream.ReadExactlyAsync(answers).AsTask().WaitAsync(BrokerFixture.Patience);
        return stuck;
    }

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
