using System.CommandLine;
using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Live;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet devices`: very many emulated devices on a broker that runs.</summary>
public static class DevicesCommand
{
    private const string PerDevice = "per-device";
    private const int GatewaysMost = 4;

    private static readonly Option<int> Count = new("--count", "-n") { Description = "Emulated devices.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<int?> Gateways = new("--gateways") { Description = $"Connections that carry the devices; without it {GatewaysMost}, or one each for fewer." };
    private static readonly Option<string?> Connections = new("--connections") { Description = $"{PerDevice}: a connection for each device instead of gateways." };
    private static readonly Option<string> Site = new("--site") { Description = "Site of the devices; with more than --per-site of them SITE-0001 and so on.", DefaultValueFactory = _ => "lab" };
    private static readonly Option<int> PerSite = new("--per-site") { Description = "Devices of a site.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<string> IdPrefix = new("--id-prefix") { Description = "Names are this and a number.", DefaultValueFactory = _ => "dev-" };
    private static readonly Option<int> First = new("--first") { Description = "Number of the first device: several processes share a fleet by different ones.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string> Ramp = new("--ramp") { Description = "Devices started in a second, as 500/s.", DefaultValueFactory = _ => "500/s" };
    private static readonly Option<string> Phase = new("--phase") { Description = "Each device starts up to this much later, at random, so that a short ramp does not make all report at once; 0 for none.", DefaultValueFactory = _ => "0" };
    private static readonly Option<double> Speed = new("--speed") { Description = "Virtual seconds in a real one.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string> Rate = new("--rate") { Description = "Inputs of each device a second, as 0.5 or 1/60.", DefaultValueFactory = _ => "1" };
    private static readonly Option<int> Edges = new("--edges") { Description = "Emulated edge servers of each site.", DefaultValueFactory = _ => 0 };
    private static readonly Option<string?> Board = new("--board") { Description = "Hardware profile of all devices; a mix of four without it." };
    private static readonly Option<string> Model = new("--model") { Description = "Model they can run.", DefaultValueFactory = _ => "fmnist" };
    private static readonly Option<string> Inference = new("--inference") { Description = "trace (recorded answers) or onnx (computed).", DefaultValueFactory = _ => "trace" };
    private static readonly Option<string[]> CloneOf = new("--clone-of") { Description = "A real board on the broker, DEVICE or SITE/DEVICE, whose profile and measured stage times the devices follow; may be given several times.", DefaultValueFactory = _ => [] };
    private static readonly Option<long> Seed = new("--seed") { Description = "Seed of boards, radios and inputs.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Threads = new("--threads") { Description = "Threads the devices are spread over.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string> DriftMax = new("--drift-max") { Description = "How late timers, acknowledgements and the controller's summaries may be.", DefaultValueFactory = _ => "5s" };
    private static readonly Option<string> WhenLate = new("--on-drift") { Description = "What to do beyond it: stop, with exit code 1, or slow the speed down.", DefaultValueFactory = _ => "stop" };
    private static readonly Option<int?> MetricsPort = new("--metrics-port") { Description = "Serve Prometheus metrics on this port of loopback; 0 is any free one." };
    private static readonly Option<string?> Duration = new("--for") { Description = "End after this long (30s, 10m, 1h); without it, on Ctrl-C." };
    private static readonly Option<bool> AsJson = new("--json") { Description = "Print one JSON object as the last line." };

    public static Command Create()
    {
        var broker = new BrokerFlags();
        var command = new Command("devices", "Emulate very many devices on a running broker, in real time or faster, and say who cannot keep up.");
        foreach (Option option in (Option[])[Count, Gateways, Connections, Site, PerSite, IdPrefix, First, Ramp, Phase, Speed, Rate, Edges, Board, Model, Inference, CloneOf, Seed, Threads, DriftMax, WhenLate, MetricsPort, Duration, AsJson]) command.Options.Add(option);
        broker.AddTo(command);
        command.SetAction(parsed => ProcessEdge.Run((_, stop) =>
            Run(Read(parsed, broker), Flags.Duration("--for", parsed.GetValue(Duration)), parsed.GetValue(MetricsPort), parsed.GetValue(AsJson), stop)));
        return command;
    }

    private static BulkOptions Read(ParseResult parsed, BrokerFlags broker)
    {
        var connection = broker.Read(parsed, "fleet-devices", will: null);
        return new BulkOptions
        {
            Broker = connection.Broker,
            Tls = connection.Tls,
            Telemetry = connection.TelemetryDelivery,
            Count = parsed.GetValue(Count),
            Gateways = parsed.GetValue(Connections) switch
            {
                null => parsed.GetValue(Gateways) is { } asked ? Flags.InRange("--gateways", asked, 1, 10_000) : Math.Clamp(parsed.GetValue(Count), 1, GatewaysMost),
                PerDevice => 0,
                var other => throw new FaultsException("--connections", $"is \"{other}\"; allowed: {PerDevice}"),
            },
            Site = parsed.GetValue(Site)!,
            PerSite = parsed.GetValue(PerSite),
            IdPrefix = parsed.GetValue(IdPrefix)!,
            First = parsed.GetValue(First),
            Ramp = ParseRate("--ramp", parsed.GetValue(Ramp)!),
            Phase = parsed.GetValue(Phase) == "0" ? Seconds.Zero : Flags.Duration("--phase", parsed.GetValue(Phase))!.Value,
            Speed = parsed.GetValue(Speed),
            Rate = new Hertz(ParseRate("--rate", parsed.GetValue(Rate)!)),
            Edges = parsed.GetValue(Edges),
            Board = parsed.GetValue(Board),
            Model = parsed.GetValue(Model)!,
            Inference = parsed.GetValue(Inference) switch
            {
                "trace" => InferenceKind.Trace,
                "onnx" => InferenceKind.Onnx,
                var other => throw new FaultsException("--inference", $"is \"{other}\"; allowed: trace, onnx"),
            },
            CloneOf = parsed.GetValue(CloneOf)!,
            Seed = parsed.GetValue(Seed),
            Worlds = parsed.GetValue(Threads),
            DriftMax = Flags.Duration("--drift-max", parsed.GetValue(DriftMax))!.Value,
            OnDrift = parsed.GetValue(WhenLate) switch
            {
                "stop" => OnDrift.Stop,
                "slow" => OnDrift.Slow,
                var other => throw new FaultsException("--on-drift", $"is \"{other}\"; allowed: stop, slow"),
            },
        };
    }

    private static async Task<int> Run(BulkOptions options, Seconds? duration, int? metricsPort, bool asJson, CancellationToken stop)
    {
        var told = asJson ? Console.Error : Console.Out;
        var stock = new Stock();
        FaultsException.ThrowIfAny("devices", options.Faults(stock));
        Preflight.Check(options, told.WriteLine);
        BulkFigures figures;
        var clock = TimeProvider.System;
        await using (var fleet = await BulkFleet.StartAsync(options, stock, clock, stop))
        {
            told.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{options.Count:N0} devices on {options.Broker} over {(options.Gateways == 0 ? "a connection each" : $"{options.Gateways} gateway connections")}, {options.Ramp:G6} a second, speed {options.Speed:G4}, seed {options.Seed}"));
            var run = new BulkRun(fleet, options, clock, told.WriteLine);
            await using var metrics = metricsPort is { } port ? await MetricsServer.StartAsync(Flags.InRange("--metrics-port", port, 0, 65535), () => MetricsServer.Text(fleet, run.Drift)) : null;
            if (metrics is not null) told.WriteLine($"metrics on http://127.0.0.1:{metrics.Port}/metrics");
            figures = await run.Run(duration, stop);
        }
        if (asJson) Figures.PrintJson(figures);
        else
            foreach (var (name, value) in figures.Rows()) Console.Out.WriteLine($"  {name,-21} {value}");
        if (figures.Stopped.Length > 0) Console.Error.WriteLine($"stopped: {figures.Stopped}");
        foreach (var missing in figures.Missing) Console.Error.WriteLine($"not whole: {missing}");
        if (figures.Assigned < figures.Devices) Console.Error.WriteLine($"{figures.Devices - figures.Assigned} of {figures.Devices} devices were never told what to run; does a controller steer {Sites(new BulkNames(options).Sites)}?");
        return figures.Stopped.Length == 0 && figures.IsWhole ? 0 : 1;
    }

    private static string Sites(IReadOnlyList<string> names) => names.Count == 1 ? $"site {names[0]}" : $"sites {names[0]} to {names[^1]} (--site + steers any)";

    /// <summary>"500/s", "0.5" or "1/60": a second.</summary>
    private static double ParseRate(string flag, string text)
    {
        var parts = (text.EndsWith("/s", StringComparison.Ordinal) ? text[..^2] : text).Split('/');
        double? Number(string digits) => double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value > 0 ? value : null;
        return parts.Length switch
        {
            1 when Number(parts[0]) is { } value => value,
            2 when Number(parts[0]) is { } count && Number(parts[1]) is { } seconds => count / seconds,
            _ => throw new FaultsException(flag, $"is \"{text}\"; allowed: a number above 0, as 500/s, or a fraction, as 1/60"),
        };
    }
}
