using Fleet.Contracts;
using Fleet.Emulator.Live;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Fleet.Emulator.Recording;

/// <summary>Writes down what goes over a broker, as it comes: what is retained first, then what is said. It acknowledges what it has written down.</summary>
public sealed class Recorder : IAsyncDisposable
{
    /// <summary>Acknowledgements that wait to be sent.</summary>
    private const int QueueBytesMax = 1 << 20;

    private readonly RecordingWriter writer;
    private readonly BrokerConnection connection;
    private readonly TaskCompletionSource<string> lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Recorder(ConnectionOptions options, string path, IReadOnlyList<string> filters, TimeProvider time)
    {
        writer = new RecordingWriter(path, new RecordingHeader { RecordedAt = time.UnixTime(), Broker = options.Broker.ToString(), Filters = filters, Version = ProcessEdge.Version }, time);
        connection = new BrokerConnection(options, new PacketRing(4096, QueueBytesMax), new Lock(), time, Take);
        connection.Lost += reason => lost.TrySetResult(reason);
    }

    public long Messages => writer.Messages;

    public Bytes Length => writer.Length;

    /// <summary>Completes with the reason when the connection was lost: what comes later is not in the file.</summary>
    public Task<string> Lost => lost.Task;

    public static async Task<Recorder> StartAsync(ConnectionOptions options, string path, IReadOnlyList<string> filters, TimeProvider time, CancellationToken cancel)
    {
        var recorder = new Recorder(options, path, filters, time);
        try
        {
            await recorder.connection.OpenAsync(
                [.. filters.Select(filter => new MqttTopicFilter { Topic = filter, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce, RetainAsPublished = true })], cancel);
            return recorder;
        }
        catch
        {
            await recorder.DisposeAsync();
            File.Delete(path);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await connection.CloseAsync();
        connection.Dispose();
        writer.Dispose();
    }

    private bool Take(in InboundPublish message)
    {
        writer.Add(message.Topic, message.Properties, message.Payload, message.Quality, message.Retain);
        return true;
    }
}
