using System.Buffers;
using System.CommandLine;
using Fleet.Contracts;
using MQTTnet;
using MQTTnet.Protocol;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet lint`: holds everything a fleet publishes to the protocol, as any viewer would receive it.</summary>
public static class LintCommand
{
    private const int FaultsShown = 50;

    public static Command Create()
    {
        var duration = new Option<string>("--for") { Description = "Listen this long (30s, 10m).", DefaultValueFactory = _ => "10s" };
        var broker = new BrokerFlags();
        var command = new Command("lint", "Check every message of a live fleet against the protocol.") { duration };
        broker.AddTo(command);
        command.SetAction(parsed => ProcessEdge.Run((loop, stop) =>
            Run(broker.Read(parsed, $"fleet-lint-{Environment.ProcessId}", will: null) with { CleanStart = true, SessionExpiry = Seconds.Zero }, Flags.Duration("--for", parsed.GetValue(duration))!.Value, loop, stop)));
        return command;
    }

    /// <summary>Listens below both roots with a plain MQTT client: what the protocol's own bus would refuse must be seen too.</summary>
    private static async Task<int> Run(MqttBusOptions options, Seconds duration, EventLoop loop, CancellationToken stop)
    {
        var (messages, topics, faults) = (0L, new SortedSet<string>(StringComparer.Ordinal), new SortedSet<string>(StringComparer.Ordinal));
        using var client = new MqttClientFactory().CreateMqttClient();
        client.ApplicationMessageReceivedAsync += received =>
        {
            var (topic, payload) = (received.ApplicationMessage.Topic, received.ApplicationMessage.Payload.ToArray());
            loop.Post(() =>
            {
                messages++;
                topics.Add(topic);
                foreach (var fault in ProtocolLint.Faults(topic, payload)) faults.Add(fault);
            });
            return Task.CompletedTask;
        };
        try
        {
            await client.ConnectAsync(MqttClientSetup.ClientOptions(options), stop);
            foreach (var root in (string[])["fleet/#", "fleet-data/#"]) await client.SubscribeAsync(root, MqttQualityOfServiceLevel.AtMostOnce, stop);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // MQTTnet throws its own kinds for refused, unreachable and timed out: all of them are the broker's answer.
            throw new FaultsException($"broker {options.Broker}", $"not reachable: {e.GetBaseException().Message}");
        }
        await TimeProvider.System.Sleep(duration, stop);
        foreach (var fault in faults.Take(FaultsShown)) Console.Out.WriteLine(fault);
        if (faults.Count > FaultsShown) Console.Out.WriteLine($"... and {faults.Count - FaultsShown} more");
        Console.Out.WriteLine($"{messages} messages on {topics.Count} topics, {faults.Count} faults");
        if (messages == 0) throw new FaultsException($"broker {options.Broker}", $"nothing was published below fleet/ in {duration}");
        return faults.Count == 0 ? 0 : 1;
    }
}
