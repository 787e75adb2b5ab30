using System.CommandLine;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Broker;
using Fleet.Controller.Energy;
using Fleet.Controller.Planning;
using Fleet.Controller.Quality;
using Fleet.Controller.Tails;
using Fleet.Models;
using Fleet.Models.Deciding;

var sites = new Option<string[]>("--site") { Description = "Site to steer; may be given several times. + steers every site that is heard of.", DefaultValueFactory = _ => ["lab"] };
var policy = new Option<string>("--policy") { Description = "Planner: " + string.Join(", ", Planners.Names) + "; behind a plus who decides on devices, such as dual+hierarchical.", DefaultValueFactory = _ => Planners.Default };
var model = new Option<string>("--model") { Description = "Model that devices shall run.", DefaultValueFactory = _ => "fmnist" };
var models = new Option<string?>("--models") { Description = "Directory of models; the one that ships with Fleet without it." };
var deadline = new Option<string>("--deadline") { Description = "How long a device waits for an edge server.", DefaultValueFactory = _ => "0.5s" };
var report = new Option<string>("--report") { Description = "How often everybody reports.", DefaultValueFactory = _ => "5s" };
var budget = new Option<string?>("--budget") { Description = "Devices whose budget is no news say it again after so long only, 10m for instance; without it with each report." };
var plan = new Option<string>("--plan") { Description = "How often a site whose view has changed is planned anew; longer for very many devices.", DefaultValueFactory = _ => "1s" };
var port = new Option<int>("--port") { Description = "Port of the embedded broker; 0 is any free one.", DefaultValueFactory = _ => 1883 };
var listen = new Option<string>("--listen") { Description = "Address of the embedded broker and of the model files; anything but loopback needs --user and --password.", DefaultValueFactory = _ => "127.0.0.1" };
var user = new Option<string>("--user") { Description = "User that clients of the embedded broker must give.", DefaultValueFactory = _ => "" };
var password = new Option<string>("--password") { Description = "And their password.", DefaultValueFactory = _ => "" };
var state = new Option<string>("--state") { Description = "Directory where the embedded broker keeps retained messages over restarts; without it they are forgotten.", DefaultValueFactory = _ => "" };
var httpPort = new Option<int>("--http-port") { Description = "Port of the model files; 0 is any free one.", DefaultValueFactory = _ => 8080 };
var artifacts = new Option<string?>("--artifacts-url") { Description = "Where devices fetch model files, when not from here; \"\" when they have them." };
var jouleWeight = new Option<double>("--joule-weight") { Description = "Seconds that a joule of device energy is worth.", DefaultValueFactory = _ => new Weights().JouleWeight };
var errorWeight = new Option<double>("--error-weight") { Description = "Seconds that a wrong answer is worth.", DefaultValueFactory = _ => new Weights().ErrorWeight };
var accuracyMin = new Option<double?>("--accuracy-min") { Description = "Least mean accuracy of all answers, 0 to 1; kept by dual." };
var latencyMax = new Option<string?>("--latency-max") { Description = "Longest mean latency of a device's answers; kept by dual." };
var energyMax = new Option<double?>("--energy-max") { Description = "Most joules that an inference may take in the mean; kept by dual." };
var sentMax = new Option<double?>("--sent-max") { Description = "Most bytes that an inference may put on the network in the mean; kept by dual." };
var objective = new Option<string?>("--objective") { Description = "FILE:NAME, a point that `fleet pareto` found: its weights and limits, kept by dual, instead of all others." };
var changes = new Option<double?>("--changes-per-minute") { Description = "Assignments that may change in a minute; without it as many as plans change." };
var audit = new Option<double>("--audit-ratio") { Description = "Share of inputs that are drawn to check the exits against the tail; 0: nobody watches.", DefaultValueFactory = _ => 0 };
var risk = new Option<double>("--risk-max") { Description = "Share of answers that may differ from the tail's, once thresholds have been learnt from audits.", DefaultValueFactory = _ => new QualityOptions().RiskMax };
var exitRisk = new Option<double?>("--exit-risk") { Description = $"Share of answers that may differ from the tail's, {RiskControl.RiskBounds}: planners may then also choose thresholds that keep to it, by conformal risk control on the calibration trace. Without it there are none of these." };
var horizon = new Option<string?>("--energy-horizon") { Description = "Time in which what a battery holds above its reserve may be used up; without it devices are not kept alive." };
var groups = new Option<string[]>("--group") { Description = "Devices that see one sample together, a view each, and the edge server that answers them: NAME=MODEL@EDGE:DEVICE,DEVICE,...; may be given several times.", DefaultValueFactory = _ => [] };
var clouds = new Option<string[]>("--cloud") { Description = "Server that stands behind the edge servers, far away; may be given several times. Edge servers pass on to it where devices decide hierarchically.", DefaultValueFactory = _ => [] };
var alone = new Option<string?>("--alone") { Description = $"Who decides on devices while no controller is there: {string.Join(", ", Planners.Deciders)}. Without it their thresholds, as ever." };
var gather = new Option<string>("--gather") { Description = "How long, twice a sample, an edge server waits for the devices of a group.", DefaultValueFactory = _ => "0.1s" };
var cloudDistance = new Option<string?>("--cloud-rtt") { Description = "How much farther away they are than the edge servers, there and back. Without it they count as near." };
var placement = new Option<string>("--placement") { Description = $"Who decides which tails servers hold that have not memory for all (their --tail-memory): {string.Join(", ", Enum.GetValues<PlacementKind>().Select(PlacementOptions.NameOf))}.", DefaultValueFactory = _ => PlacementOptions.NameOf(PlacementKind.All) };
var placementPeriod = new Option<string>("--placement-period") { Description = "How often that is decided anew.", DefaultValueFactory = _ => "30s" };
var swapPrice = new Option<double>("--swap-price") { Description = "Seconds that loading a byte is worth, summed over what requests save between two decisions.", DefaultValueFactory = _ => new PlacementOptions().SwapPrice.Value };
var broker = new BrokerFlags();
var root = new RootCommand("Fleet's controller: decides who runs what. Without --broker it brings its own.") { sites, policy, model, models, deadline, report, budget, plan, port, listen, user, password, state, httpPort, artifacts, jouleWeight, errorWeight, accuracyMin, latencyMax, energyMax, sentMax, objective, changes, audit, risk, exitRisk, horizon, groups, gather, clouds, cloudDistance, alone, placement, placementPeriod, swapPrice };
broker.AddTo(root);
root.SetAction(parsed => ProcessEdge.Run(async (loop, stop) =>
{
    Flags.Require64Bit();
    var isEverySite = parsed.GetValue(sites) is ["+"];
    var names = isEverySite ? ["every site"] : parsed.GetValue(sites)!.Select(site => Flags.ValidName("--site", site)).Distinct().ToList();
    var zoo = ModelFiles.OpenAll(parsed.GetValue(models) ?? ProjectFiles.Find("models/zoo"));
    if (!zoo.TryGetValue(parsed.GetValue(model)!, out var files)) throw new FaultsException("--model", $"is \"{parsed.GetValue(model)}\"; allowed: {string.Join(", ", zoo.Keys)}");
    var groupModels = GroupFiles.OpenAll(parsed.GetValue(models) ?? ProjectFiles.Find("models/zoo"));
    var planned = new PlannedModel(files, files.ReadCalibrationTrace());
    var table = new OptionTable(planned, parsed.GetValue(exitRisk) is { } level ? RiskControl.RiskBounds.Checked("--exit-risk", level) : null);
    var wanted = parsed.GetValue(objective) is { } point ? Objectives.Read("--objective", point) : null;
    var flagged = new Weights
    {
        JouleWeight = Flags.InRange("--joule-weight", parsed.GetValue(jouleWeight), 0, 1e6),
        ErrorWeight = Flags.InRange("--error-weight", parsed.GetValue(errorWeight), 0, 1e6),
        AccuracyMin = parsed.GetValue(accuracyMin) is { } least ? Flags.InRange("--accuracy-min", least, 0, 1) : null,
        LatencyMax = Flags.Duration("--latency-max", parsed.GetValue(latencyMax)),
        EnergyMax = parsed.GetValue(energyMax) is { } joules ? new Joules(Flags.InRange("--energy-max", joules, 1e-12, 1e6)) : null,
        SentMax = parsed.GetValue(sentMax) is { } bytes ? new Bytes(Flags.InRange("--sent-max", bytes, 0, 1e12)) : null,
    };
    var weights = wanted is null ? flagged : flagged.For(wanted);
    var costs = new CostModel(weights);
    var planner = Planners.Create(wanted is null ? parsed.GetValue(policy)! : Dual.PolicyName, table, costs);
    var profiles = ProfileFile.ReadAll(ProjectFiles.Find("hardware-profiles"));
    var address = parsed.GetValue(listen)!;
    await using var server = await ArtifactServer.Start(address, Flags.InRange("--http-port", parsed.GetValue(httpPort), 0, 65535), zoo, groupModels);
    var reports = ControllerOptions.ReportPeriodBounds.Checked("--report", Flags.Duration("--report", parsed.GetValue(report))!.Value);
    var options = new ControllerOptions
    {
        Name = $"{Flags.HostName()}-{Environment.ProcessId}",
        Deadline = Flags.InRange("--deadline", Flags.Duration("--deadline", parsed.GetValue(deadline))!.Value, new Seconds(0.001), new Seconds(3600)),
        ReportPeriod = reports,
        BudgetPeriod = Flags.Duration("--budget", parsed.GetValue(budget)) is { } silence ? Flags.InRange("--budget", silence, reports, new Seconds(ControllerOptions.ReportPeriodBounds.Most)) : null,
        PlanningShare = new PlanningShare(TimeProvider.System),
        PlanPeriod = ControllerOptions.PlanPeriodBounds.Checked("--plan", Flags.Duration("--plan", parsed.GetValue(plan))!.Value),
        ChangesPerMinute = parsed.GetValue(changes) is { } most ? Flags.InRange("--changes-per-minute", most, 1, 1e6) : null,
        Quality = Flags.InRange("--audit-ratio", parsed.GetValue(audit), 0, QualityOptions.AuditRatioMax) is > 0 and var drawn ? new QualityOptions { AuditRatio = drawn, RiskMax = RiskControl.RiskBounds.Checked("--risk-max", parsed.GetValue(risk)) } : null,
        Energy = Flags.Duration("--energy-horizon", parsed.GetValue(horizon)) is { } time ? new EnergyOptions { Horizon = EnergyOptions.HorizonBounds.Checked("--energy-horizon", time) } : null,
        Groups = [.. parsed.GetValue(groups)!.Select(group => ViewGroup.Parse(group, groupModels, Flags.Duration("--gather", parsed.GetValue(gather))!.Value))],
        Clouds = [.. parsed.GetValue(clouds)!.Select(cloud => Flags.ValidName("--cloud", cloud))],
        CloudDistance = Flags.Duration("--cloud-rtt", parsed.GetValue(cloudDistance)) is { } distance ? ControllerOptions.CloudDistanceBounds.Checked("--cloud-rtt", distance) : Seconds.Zero,
        Placement = new PlacementOptions
        {
            Kind = PlacementOptions.KindNamed("--placement", parsed.GetValue(placement)!),
            Period = PlacementOptions.PeriodBounds.Checked("--placement-period", Flags.Duration("--placement-period", parsed.GetValue(placementPeriod))!.Value),
            SwapPrice = new Seconds(PlacementOptions.SwapPriceBounds.Checked("--swap-price", parsed.GetValue(swapPrice))),
        },
        Alone = parsed.GetValue(alone) is { } decider ? Planners.DeciderNamed("--alone", decider) : null,
        Weights = weights,
        Objective = wanted?.Name ?? "",
        ArtifactsUrl = parsed.GetValue(artifacts) ?? $"http://{(address == "0.0.0.0" ? Environment.MachineName : address)}:{server.Port}/models",
    };

    if (options.Clouds.Count > 0 && parsed.GetValue(cloudDistance) is null)
        Console.Error.WriteLine("--cloud without --cloud-rtt: once devices have measured the way to a cloud it is taken for the way to every edge server, and near ones may stand idle; say how much farther it is");

    // As scenarios refuse it: stages that edge servers before a cloud decide with are not placed.
    if (options.Clouds.Count > 0 && options.Placement.Kind is not PlacementKind.All && Planners.LetsServersDecide(planner.Name))
        throw new FaultsException("--placement", $"is \"{parsed.GetValue(placement)}\", with --cloud and a policy that lets edge servers decide ({planner.Name}); allowed: two of the three");

    EmbeddedBroker? embedded = null;
    IBus bus;
    var telling = Task.CompletedTask;
    if (broker.IsGiven(parsed))
    {
        // An assignment that its queue lost would never be said again: many sites that begin at once are planned faster than a broker takes what comes out.
        const int AssignmentsMax = 1 << 20;
        var connection = broker.Read(parsed, "fleet-controller-" + (isEverySite ? "all" : string.Join("-", names)), will: names.Count == 1 && !isEverySite ? new MqttWill(new Topic(TopicKind.ControllerState, names[0]), State.Lost) : null) with { Linger = new Seconds(0.005), KeptMax = AssignmentsMax };
        var connected = await MqttBus.ConnectAsync(connection, loop, TimeProvider.System, new Random(Environment.ProcessId), failFast: true, stop);
        (bus, telling) = (connected, ProcessEdge.TellFaults(connected, TimeProvider.System, stop));
        Console.WriteLine($"controller of {string.Join(", ", names)} on {connection.Broker}; model files on {options.ArtifactsUrl}");
    }
    else
    {
        embedded = await EmbeddedBroker.StartAsync(
            new BrokerOptions { Port = Flags.InRange("--port", parsed.GetValue(port), 0, 65535), Listen = address, User = parsed.GetValue(user)!, Password = parsed.GetValue(password)!, StateDirectory = parsed.GetValue(state)! },
            TimeProvider.System);
        bus = embedded.ConnectInProcess(loop);
        telling = ProcessEdge.TellFaults($"broker state {parsed.GetValue(state)}", () => embedded.StateFault, "written again", TimeProvider.System, stop);
        Console.WriteLine($"controller of {string.Join(", ", names)} with its own broker on {embedded.Address}; model files on {options.ArtifactsUrl}");
    }
    Task Steer(string site, IBus at)
    {
        var controller = new SiteController(site, at, TimeProvider.System, options, planner, table, planned, profiles, new Random(1), () => embedded?.Counters.Dropped ?? 0);
        controller.Warned += warning => Console.Error.WriteLine($"site {site}: {warning}");
        return controller.Run(stop);
    }
    var ended = new TaskCompletionSource();
    using var ending = stop.Register(() => ended.TrySetResult());
    // A failure here is a bug and ends the process.
    async void Begin(string site, IBus at)
    {
        try
        {
            await Steer(site, at);
        }
        catch (Exception e)
        {
            ended.TrySetException(e);
        }
    }
    using var router = isEverySite ? new SiteRouter(bus, Begin) : null;
    router?.Start();
    if (router is null) await Task.WhenAll(names.Select(site => Steer(site, bus)));
    else await ended.Task;
    await telling;
    if (bus is IAsyncDisposable line) await line.DisposeAsync();
    if (embedded is not null) await embedded.DisposeAsync();
    return 0;
}));
return ProcessEdge.Invoke(root, args);
