using System.CommandLine;
using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Live;
using Fleet.Emulator.Recording;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet record`: a live run's traffic into a file.</summary>
public static class RecordCommand
{
    public static Command Create()
    {
        var broker = new BrokerFlags();
        var file = new Option<string>("--out") { Description = "File to write.", Required = true };
        var duration = new Option<string?>("--for") { Description = "End after this long (30s, 10m, 1h); without it, on Ctrl-C." };
        var data = new Option<bool>("--data") { Description = "Tensors and replies too." };
        var command = new Command("record", "Record a fleet's messages with their times, to be replayed.") { file, duration, data };
        broker.AddTo(command);
        command.SetAction(parsed => ProcessEdge.Run((_, stop) => Run(
            Connection(broker.Read(parsed, $"fleet-record-{Environment.ProcessId}", will: null)), parsed.GetValue(file)!, Flags.Duration("--for", parsed.GetValue(duration)),
            parsed.GetValue(data) ? ["fleet/#", "fleet-data/#"] : ["fleet/#"], stop)));
        return command;
    }

    internal static ConnectionOptions Connection(MqttBusOptions bus) =>
        new() { Broker = bus.Broker, Tls = bus.Tls, ClientId = bus.ClientId, SendBytes = 1 << 20, ReceiveBytes = 256 * 1024 };

    private static async Task<int> Run(ConnectionOptions connection, string file, Seconds? duration, IReadOnlyList<string> filters, CancellationToken stop)
    {
        if (File.Exists(file)) throw new FaultsException("--out", $"is {file}, which exists already; allowed: a new file");
        var clock = TimeProvider.System;
        var lost = "";
        await using (var recorder = await Recorder.StartAsync(connection, file, filters, clock, stop))
        {
            Console.Out.WriteLine($"recording {string.Join(" and ", filters)} of {connection.Broker} to {file}");
            var over = clock.Sleep(duration ?? new Seconds(1000 * 3600), stop).AsTask();
            if (await Task.WhenAny(recorder.Lost, over) == recorder.Lost) lost = await recorder.Lost;
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{recorder.Messages:N0} messages"));
        }
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{new FileInfo(file).Length:N0} bytes"));
        if (lost.Length == 0) return 0;
        Console.Error.WriteLine($"the recording ends early: {lost}");
        return 1;
    }
}

/// <summary>`fleet replay`: says again what was recorded.</summary>
public static class ReplayCommand
{
    private static readonly Dictionary<string, SaidBy> Parts = new(StringComparer.Ordinal)
    {
        ["fleet"] = SaidBy.Fleet,
        ["devices"] = SaidBy.Devices,
        ["edge-servers"] = SaidBy.EdgeServers,
        ["gateways"] = SaidBy.Gateways,
        ["controller"] = SaidBy.Controller,
        ["all"] = SaidBy.All,
    };

    public static Command Create()
    {
        var broker = new BrokerFlags();
        var file = new Argument<string>("FILE") { Description = "A recording, as `fleet record` writes it." };
        var speed = new Option<double>("--speed") { Description = "Recorded seconds in a real one.", DefaultValueFactory = _ => 1 };
        var saidBy = new Option<string[]>("--said-by") { Description = $"Whose words: {string.Join(", ", Parts.Keys)}; may be given several times. fleet is all but the controller.", DefaultValueFactory = _ => ["fleet"] };
        var driftMax = new Option<string>("--drift-max") { Description = "How late messages and acknowledgements may be.", DefaultValueFactory = _ => "5s" };
        var whenLate = new Option<string>("--on-drift") { Description = "What to do beyond it: stop, with exit code 1, or slow the speed down.", DefaultValueFactory = _ => "stop" };
        var command = new Command("replay", "Replay a recording against a broker, in its own time or faster.") { file, speed, saidBy, driftMax, whenLate };
        broker.AddTo(command);
        command.SetAction(parsed => ProcessEdge.Run((_, stop) => Run(
            parsed.GetRequiredValue(file),
            RecordCommand.Connection(broker.Read(parsed, $"fleet-replay-{Environment.ProcessId}", will: null)),
            parsed.GetValue(saidBy)!.Aggregate(SaidBy.None, (sum, part) => sum | (Parts.TryGetValue(part, out var by) ? by : throw new FaultsException("--said-by", $"is \"{part}\"; allowed: {string.Join(", ", Parts.Keys)}"))),
            Flags.InRange("--speed", parsed.GetValue(speed), 0.01, 10_000),
            Flags.Duration("--drift-max", parsed.GetValue(driftMax))!.Value,
            parsed.GetValue(whenLate) switch { "stop" => OnDrift.Stop, "slow" => OnDrift.Slow, var other => throw new FaultsException("--on-drift", $"is \"{other}\"; allowed: stop, slow") },
            stop)));
        return command;
    }

    private static async Task<int> Run(string file, ConnectionOptions connection, SaidBy saidBy, double speed, Seconds driftMax, OnDrift onDrift, CancellationToken stop)
    {
        using var recording = new RecordingReader(file);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"replaying {file}, recorded of {recording.Header.Broker} at {DateTimeOffset.FromUnixTimeSeconds((long)recording.Header.RecordedAt.Value):u}, on {connection.Broker} at speed {speed:G4}"));
        var figures = await new Replayer(recording, connection, saidBy, speed, driftMax, onDrift, TimeProvider.System, Console.Out.WriteLine).Run(stop);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{figures.Read:N0} messages over {figures.Length.Value:F1} s read, {figures.Published:N0} published, {figures.LeftOut:N0} of others left out, {figures.Unacknowledged:N0} not acknowledged; drift at most {Drift.Text(figures.DriftMax)}; speed {figures.Speed:G4}"));
        if (recording.Damage is { } damage) Console.Error.WriteLine($"{file} is damaged {damage}; it was replayed up to there");
        else if (!recording.KnowsItsEnd) Console.Error.WriteLine($"{file} is of an older fleet, whose recordings do not say where they end: whether it is whole cannot be checked");
        if (figures.Stopped.Length > 0) Console.Error.WriteLine($"stopped: {figures.Stopped}");
        return figures.Stopped.Length == 0 && figures.Unacknowledged == 0 && recording.Damage is null ? 0 : 1;
    }
}
