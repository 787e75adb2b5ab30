using MQTTnet;
using MQTTnet.Protocol;

namespace Fleet.Contracts;

/// <summary>Empties the outbox into one connection, with a bounded number of messages that wait for their acknowledgement.</summary>
internal sealed class MqttSender(IMqttClient client, MqttOutbox outbox, CancellationTokenSource lost, int inFlightMax, MqttBusOptions options, TimeProvider time)
{
    private readonly TimeSpan acknowledgeTimeout = TimeSpan.FromSeconds(options.AcknowledgeTimeout.Value);
    private readonly SemaphoreSlim room = new(inFlightMax);
    private long sent;

    public long Sent => Interlocked.Read(ref sent);

    /// <summary>The last message the broker did not take, and why.</summary>
    public string? Refused { get; private set; }

    /// <summary>Ends when the connection does; what was not acknowledged is back in the outbox then.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (true)
            {
                MqttOutbox.Item item;
                while (!outbox.TryTake(out item)) await outbox.WhenAddedAsync(lost.Token);
                if (item.Message.QualityOfServiceLevel is MqttQualityOfServiceLevel.AtMostOnce)
                {
                    await SendAsync(item);
                    lost.Token.ThrowIfCancellationRequested();
                    continue;
                }
                try
                {
                    await room.WaitAsync(lost.Token);
                }
                catch (OperationCanceledException)
                {
                    outbox.PutBack(item);
                    throw;
                }
                _ = AcknowledgedAsync(item);
            }
        }
        catch (OperationCanceledException)
        {
            // The connection is lost: wait until each message in flight has been put back.
            for (var i = 0; i < inFlightMax; i++) await room.WaitAsync(CancellationToken.None);
        }
    }

    private async Task AcknowledgedAsync(MqttOutbox.Item item)
    {
        await SendAsync(item);
        room.Release();
    }

    private async Task SendAsync(MqttOutbox.Item item)
    {
        try
        {
            var result = await client.PublishAsync(item.Message, lost.Token).WaitAsync(acknowledgeTimeout, time);
            if (result.IsSuccess)
            {
                Interlocked.Increment(ref sent);
            }
            else
            {
                Refused = $"{item.Path}: {result.ReasonCode} {result.ReasonString}";
                outbox.Drop();
            }
            outbox.Done();
        }
        catch (Exception)
        {
            // Broken, or silent for too long: either way this connection is given up.
            outbox.PutBack(item);
            lost.Cancel();
        }
    }
}
