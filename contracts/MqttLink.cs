using MQTTnet;
using MQTTnet.Diagnostics.Logger;

namespace Fleet.Contracts;

/// <summary>One connection, from CONNECT to its end.</summary>
internal sealed class MqttLink : IDisposable
{
    public MqttLink(MqttInbox inbox)
    {
        Client = new MqttClient(new MqttChannelFactory(inbox), new MqttNetNullLogger());
        Client.DisconnectedAsync += e => LoseAsync(e.Reason, e.Exception);
    }

    public IMqttClient Client { get; }

    public CancellationTokenSource Lost { get; } = new();

    public MqttSender Sender { get; set; } = null!;

    public Task Sending { get; private set; } = Task.CompletedTask;

    public string Reason { get; private set; } = "the connection was lost";

    public async Task WhenLostAsync()
    {
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = Lost.Token.Register(lost.SetResult);
        await lost.Task;
    }

    public void StartSending()
    {
#pragma warning disable RS0030 // The process edge: sending would otherwise take turns of the loop, which is for deciding.
        Sending = Task.Run(Sender.RunAsync);
#pragma warning restore RS0030
    }

    /// <summary>Leaves <see cref="Lost"/> alone: MQTTnet reports the end from a thread of its own, perhaps later, and it holds no timer.</summary>
    public void Dispose() => Client.Dispose();

    private Task LoseAsync(MqttClientDisconnectReason reason, Exception? exception)
    {
        Reason = exception is not null ? MqttClientSetup.Reason(exception)
            : reason is MqttClientDisconnectReason.SessionTakenOver ? "another client took over: two use the same client id"
            : reason is MqttClientDisconnectReason.NormalDisconnection ? "the broker closed the connection"
            : $"the broker disconnected: {reason}";
        Lost.Cancel();
        return Task.CompletedTask;
    }
}
