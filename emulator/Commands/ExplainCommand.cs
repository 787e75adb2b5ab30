using System.CommandLine;
using System.Globalization;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using Fleet.Emulator.Scenarios;
using Fleet.Models;
using Fleet.Models.Deciding;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet explain DEVICE`: all ways a device has, what they are estimated to cost, and what priced them out; of a live fleet or at a moment of a scenario.</summary>
public static class ExplainCommand
{
    /// <summary>How long a live fleet's retained messages and reports are listened to.</summary>
    private const string DefaultListening = "8s";

    public static Command Create()
    {
        var device = new Argument<string>("DEVICE") { Description = "Its id." };
        var scenario = new Option<string?>("--scenario") { Description = "Scenario file; without it a live fleet is asked." };
        var at = new Option<string>("--at") { Description = "When in the scenario's time.", DefaultValueFactory = _ => "60s" };
        var seed = new Option<long>("--seed") { Description = "Of the scenario.", DefaultValueFactory = _ => 1 };
        var policy = new Option<string?>("--policy") { Description = "Instead of the scenario's." };
        var site = new Option<string>("--site") { Description = "Of a live fleet.", DefaultValueFactory = _ => "lab" };
        var model = new Option<string>("--model") { Description = "That a live fleet runs.", DefaultValueFactory = _ => "fmnist" };
        var jouleWeight = new Option<double>("--joule-weight") { Description = "That a live fleet's controller was given.", DefaultValueFactory = _ => new Weights().JouleWeight };
        var errorWeight = new Option<double>("--error-weight") { Description = "That a live fleet's controller was given.", DefaultValueFactory = _ => new Weights().ErrorWeight };
        var exitRisk = new Option<double?>("--exit-risk") { Description = "That a live fleet's controller was given." };
        var listening = new Option<string>("--for") { Description = "Listen to a live fleet this long.", DefaultValueFactory = _ => DefaultListening };
        var broker = new BrokerFlags();
        var command = new Command("explain", "Say why a device runs what it runs.") { device, scenario, at, seed, policy, site, model, jouleWeight, errorWeight, exitRisk, listening };
        broker.AddTo(command);
        command.SetAction(parsed =>
        {
            var id = parsed.GetRequiredValue(device);
            if (parsed.GetValue(scenario) is { } file)
                return ProcessEdge.Guard(() => Rehearse(file, id, Flags.Duration("--at", parsed.GetValue(at))!.Value, parsed.GetValue(seed), parsed.GetValue(policy)));
            var weights = new Weights { JouleWeight = Flags.InRange("--joule-weight", parsed.GetValue(jouleWeight), 0, 1e6), ErrorWeight = Flags.InRange("--error-weight", parsed.GetValue(errorWeight), 0, 1e6) };
            var options = broker.Read(parsed, $"fleet-explain-{Environment.ProcessId}", will: null) with { CleanStart = true, SessionExpiry = Seconds.Zero };
            return ProcessEdge.Run((loop, stop) => Ask(options, parsed.GetValue(site)!, id, parsed.GetValue(model)!, parsed.GetValue(exitRisk) is { } risk ? RiskControl.RiskBounds.Checked("--exit-risk", risk) : null, weights, Flags.Duration("--for", parsed.GetValue(listening))!.Value, loop, stop));
        });
        return command;
    }

    private static int Rehearse(string file, string device, Seconds at, long seed, string? policy)
    {
        var stock = new Stock();
        var scenario = ScenarioFile.Read(file, stock);
        if (policy is not null) scenario = scenario with { Control = scenario.Control with { Policy = policy } };
        FaultsException.ThrowIfAny(file, scenario.Faults(stock));
        if (at > scenario.Duration) throw new FaultsException("--at", $"is {at}; allowed: up to the scenario's {scenario.Duration}");
        var run = ScenarioRun.Execute(scenario with { Duration = at }, seed, stock);
        var found = run.Worlds.Select(world => world.LastController).FirstOrDefault(controller => controller.Fleet.Devices.Any(known => known.Id == device))
            ?? throw new FaultsException("DEVICE", $"is \"{device}\"; allowed: {Some(run.Worlds.SelectMany(world => world.LastController.Fleet.Devices).Select(known => known.Id))}");
        var costs = new CostModel(scenario.Control.Weights);
        Console.Out.WriteLine($"scenario {scenario.Name}, seed {seed}, after {at}, policy {scenario.Control.Policy}");
        Print(found.Fleet, device, Planned.Of(stock, scenario.Model, scenario.Control.ExitRisk).Table, costs, found.Plan.Choices.GetValueOrDefault(device), found.Plan.Proof);
        return 0;
    }

    private static async Task<int> Ask(MqttBusOptions options, string site, string device, string model, double? exitRisk, Weights weights, Seconds listening, EventLoop loop, CancellationToken stop)
    {
        var stock = new Stock();
        if (!stock.Models.TryGetValue(model, out var files)) throw new FaultsException("--model", $"is \"{model}\"; allowed: {string.Join(", ", stock.Models.Keys)}");
        var table = new OptionTable(stock.Planned(files), exitRisk);
        await using var bus = await MqttBus.ConnectAsync(options, loop, TimeProvider.System, new Random(Environment.ProcessId), failFast: true, stop);
        var view = new FleetView(site, stock.Profiles, TimeProvider.System);
        PlanReport? plan = null;
        void Hear(Topic topic, Message message)
        {
            view.Fold(topic, message);
            if (message is PlanReport report) plan = report;
        }
        var subscriptions = SiteController.Heard.Select(kind => bus.Subscribe(Topic.Filter(kind, site), Hear)).ToList();
        await TimeProvider.System.Sleep(listening, stop);
        foreach (var subscription in subscriptions) subscription.Dispose();
        var fleet = view.Snapshot();
        var found = fleet.Devices.FirstOrDefault(known => known.Id == device)
            ?? throw new FaultsException("DEVICE", $"is \"{device}\"; allowed: {(fleet.Devices.Count == 0 ? $"none, nobody has spoken on site {site}" : Some(fleet.Devices.Select(known => known.Id)))}");
        var costs = new CostModel(weights);
        var standing = found.Desired is { } desired && table.Find(desired) is { } option ? new Choice(option, desired.OffloadTo.Length == 0 ? null : desired.OffloadTo, default, desired.Reason) : null;
        // Prices are not published one by one: the same planner finds them again from what it saw.
        var proof = plan is { EdgePrice: not null } ? new Dual(table, costs).Plan(fleet, PlannerState.Empty, new Random(1)).Plan.Proof : null;
        Console.Out.WriteLine($"site {site}, policy {plan?.Policy ?? "unknown"}");
        Print(fleet, device, table, costs, standing, proof);
        return 0;
    }

    private static void Print(FleetSnapshot fleet, string id, OptionTable table, CostModel costs, Choice? standing, Proof? proof)
    {
        var device = fleet.Devices.First(known => known.Id == id);
        var ways = Explanation.Of(fleet, device, table, costs, standing, proof?.Prices ?? new Dictionary<string, double>());
        Console.Out.WriteLine($"{id}: {device.Profile?.Id ?? "unknown board"}, {device.Budget?.RequestRate.ToString() ?? "unknown rate"}, round trip {Time(device.Budget?.RoundTrip)}, energy budget {device.Budget?.EnergyBudget?.ToString() ?? "none"}");
        Console.Out.WriteLine($"desired: {standing?.Option.ReasonFor(standing.Reason) ?? "nothing yet"}");
        if (proof is not null) Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"plan: cost {proof.Objective * 1e3:F3} ms a request, at most {proof.Gap * 100:G3} % above the best; a second of {string.Join(", ", proof.Prices.Select(pair => $"{pair.Key} costs {pair.Value:G4} s"))}"));
        Figures.Columns(
        [
            ["way", "accuracy", "latency ms", "energy mJ", "edge", "cost ms", "price ms", ""],
            .. ways.Select(way => way.Estimate is { } estimate
                ? new[] { (way.IsStanding ? "* " : "  ") + way.Way, Number(estimate.Accuracy * 100, "F2") + " %", Number(estimate.Latency.Value * 1e3, "F2"), Number(estimate.Energy.Value * 1e3, "F3"), Number(estimate.Offload * 100, "F1") + " %", Number(way.Cost * 1e3, "F2"), Number(way.Price * 1e3, "F2"), way.Verdict }
                : ["  " + way.Way, "-", "-", "-", "-", "-", "-", way.Verdict]),
        ]);
    }

    private static string Time(Seconds? time) => time is { } known ? Number(known.Value * 1e3, "F2") + " ms" : "not measured yet";

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static string Some(IEnumerable<string> ids)
    {
        const int Shown = 20;
        var all = ids.ToList();
        return string.Join(", ", all.Take(Shown)) + (all.Count > Shown ? $" and {all.Count - Shown} more" : "");
    }
}
