using System.CommandLine;
using Fleet.Contracts;
using Fleet.Controller.Planning;
using Spectre.Console;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet up`: a whole fleet in one process, in real time.</summary>
public static class UpCommand
{
    public static Command Create()
    {
        var devices = new Option<int>("--devices") { Description = "Emulated devices, of four board types.", DefaultValueFactory = _ => 50 };
        var rate = new Option<double>("--rate") { Description = "Inputs a second for each device.", DefaultValueFactory = _ => 4 };
        var policy = new Option<string>("--policy") { Description = "Planner: " + string.Join(", ", Planners.Names) + "; behind a plus who decides on devices, such as dual+hierarchical.", DefaultValueFactory = _ => Planners.Default };
        var seed = new Option<long>("--seed") { Description = "Seed of boards, radios and inputs.", DefaultValueFactory = _ => 1 };
        var port = new Option<int>("--port") { Description = "Port of the embedded broker; 0 is any free one.", DefaultValueFactory = _ => 1883 };
        var broker = new Option<string?>("--broker") { Description = "A running broker instead: mqtt://HOST:PORT." };
        var duration = new Option<string?>("--for") { Description = "End after this long (30s, 10m, 1h); without it, on Ctrl-C." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object as the last line instead of the live table." };
        var command = new Command("up", "Bring up broker, controller, edge server and emulated devices in one process.") { devices, rate, policy, seed, port, broker, duration, json };
        command.SetAction(parsed => ProcessEdge.Run((loop, stop) =>
        {
            var options = new LiveOptions
            {
                Devices = Flags.InRange("--devices", parsed.GetValue(devices), 1, 10_000),
                Rate = new Hertz(Flags.InRange("--rate", parsed.GetValue(rate), 0.001, 1000)),
                Policy = parsed.GetValue(policy)!,
                Seed = parsed.GetValue(seed),
                Port = Flags.InRange("--port", parsed.GetValue(port), 0, 65535),
                Broker = parsed.GetValue(broker) is { } url ? MqttAddress.Parse(url) : null,
            };
            return Run(options, Flags.Duration("--for", parsed.GetValue(duration)), parsed.GetValue(json), loop, stop);
        }));
        return command;
    }

    private static async Task<int> Run(LiveOptions options, Seconds? duration, bool json, EventLoop loop, CancellationToken stop)
    {
        await using var fleet = await LiveFleet.Start(options, new Stock(), loop);
        var told = json ? Console.Error : Console.Out;
        told.WriteLine($"{options.Devices} devices on {fleet.Address}, policy {options.Policy}, seed {options.Seed}. Watch with MQTT Explorer or: mosquitto_sub -h {fleet.Address.Host} -p {fleet.Address.Port} -v -t 'fleet/#'");
        await LiveScreen.Show(fleet.Observer, duration, json || Console.IsOutputRedirected, stop);
        var final = fleet.Observer.Figures();
        await fleet.StopDevices();
        // Who was online is what was so while it ran; what was answered counts to the last answer.
        final = fleet.Observer.Figures() with
        {
            DevicesOnline = final.DevicesOnline,
            EdgesOnline = final.EdgesOnline,
            DesiredEqualsReported = final.DesiredEqualsReported,
            Power = final.Power,
            Lost = Math.Max(Math.Abs(fleet.Lost), Math.Abs(fleet.Observer.Figures().Lost)),
        };
        if (json) Figures.PrintJson(final);
        else Figures.Print(final);
        return final.Lost == 0 ? 0 : 1;
    }
}

/// <summary>`fleet watch`: any fleet, from what it publishes.</summary>
public static class WatchCommand
{
    public static Command Create()
    {
        var broker = new BrokerFlags();
        var site = new Option<string>("--site") { Description = "One site; all without it.", DefaultValueFactory = _ => "+" };
        var duration = new Option<string?>("--for") { Description = "End after this long (30s, 10m, 1h); without it, on Ctrl-C." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object as the last line instead of the live table." };
        var command = new Command("watch", "Observe any fleet and sum it up.") { site, duration, json };
        broker.AddTo(command);
        command.SetAction(parsed => ProcessEdge.Run(async (loop, stop) =>
        {
            var where = parsed.GetValue(site)!;
            if (where != "+" && !Name.IsValid(where)) throw new FaultsException("--site", Name.Fault("site", where));
            var options = broker.Read(parsed, $"fleet-watch-{Environment.ProcessId}", will: null) with { CleanStart = true, SessionExpiry = Seconds.Zero };
            await using var bus = await MqttBus.ConnectAsync(options, loop, TimeProvider.System, new Simulation.SeededRandom(Environment.ProcessId, "watch"), cancel: stop);
            using var observer = new FleetObserver(bus, TimeProvider.System, where);
            await LiveScreen.Show(observer, Flags.Duration("--for", parsed.GetValue(duration)), parsed.GetValue(json) || Console.IsOutputRedirected, stop);
            if (parsed.GetValue(json)) Figures.PrintJson(observer.Figures());
            else Figures.Print(observer.Figures());
            return 0;
        }));
        return command;
    }
}

/// <summary>The live table, once a second.</summary>
internal static class LiveScreen
{
    private static readonly Seconds Refresh = new(1);

    public static async Task Show(FleetObserver observer, Seconds? duration, bool isQuiet, CancellationToken stop)
    {
        var clock = TimeProvider.System;
        var began = clock.GetTimestamp();
        if (isQuiet)
        {
            if (duration is { } length) await clock.Sleep(length, stop);
            else await Task.Delay(Timeout.InfiniteTimeSpan, clock, stop).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
            return;
        }
        var last = (Answered: 0L, At: began);
        await AnsiConsole.Live(Table(observer.Figures(), Seconds.Zero, new Hertz(0))).AutoClear(true).StartAsync(async screen =>
        {
            while (duration is null || clock.Since(began) < duration)
            {
                if (!await clock.Sleep(Seconds.Min(Refresh, duration is { } all ? all - clock.Since(began) : Refresh), stop)) return;
                var rate = new Hertz((observer.Answered - last.Answered) / Math.Max(1e-3, clock.Since(last.At).Value));
                last = (observer.Answered, clock.GetTimestamp());
                screen.UpdateTarget(Table(observer.Figures(), clock.Since(began), rate));
            }
        });
    }

    private static Table Table(FleetFigures figures, Seconds elapsed, Hertz rate)
    {
        var table = new Table().AddColumns("fleet", $"{elapsed.Value:F0} s");
        foreach (var (name, value) in Figures.Rows(figures)) table.AddRow(Markup.Escape(name), Markup.Escape(value));
        return table.AddRow("answers a second", rate.Value.ToString("F0", System.Globalization.CultureInfo.InvariantCulture));
    }
}
