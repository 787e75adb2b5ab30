using Fleet.Contracts;
using Fleet.Controller.Energy;
using Fleet.Controller.Planning;
using Fleet.Controller.Quality;
using Fleet.Controller.Tails;

namespace Fleet.Controller;

/// <summary>
/// Steers one site: folds reports into a view, plans when the view has changed, publishes what differs, sums up. After a restart it
/// first listens to what is retained and goes on from there. Runs on one event loop.
/// </summary>
public sealed class SiteController
{
    /// <summary>Another controller that has planned nothing for as long is gone, or has nothing to say against.</summary>
    private static readonly Seconds RivalMemory = new(60);

    /// <summary>A device that does not say that it runs what it was told is told again after so many reports, and after so long at most. K.</summary>
    private const double ReminderReports = 3;
    private static readonly Seconds ReminderMax = new(900);

    /// <summary>Times the settling time in which all that is retained has come, however large the site or slow the line.</summary>
    private const int PatienceMax = 10;

    private readonly string site;
    private readonly Topic own;
    private readonly IBus bus;
    private readonly TimeProvider clock;
    private readonly ControllerOptions options;
    private readonly OptionTable table;
    private readonly PlannedModel model;
    private readonly Random random;
    private readonly Func<long> brokerDropped;
    private readonly FleetView view;
    private readonly Rollout rollout;
    private readonly ChangeAllowance allowance;
    private readonly TailPlacement placement;

    // Whether it says that it is there: where somebody's decisions depend on it.
    private readonly bool speaks;
    private readonly SiteSummary sums = new();
    private readonly QualityWatch? watch;
    private readonly EnergyQueues? energy;
    private readonly Reminders reminders;
    private PlannerState state = PlannerState.Empty;

    // What it was started with, and what it pursues now.
    private readonly (IPlanner Planner, CostModel Costs, string Objective) started;
    private IPlanner planner;
    private string objective;

    // Since when nobody has said again, after a reconnect, that what an operator wanted is still wanted.
    private long? doubtedAt;

    // What is wrong with what an operator wanted last; "" when nothing is.
    private string refused = "";
    // The last plan of another controller of this site, and when it was heard.
    private (PlanReport Plan, long At)? rival;

    // Whether somebody runs what it cannot have said, and when it last said all anew because of that.
    private bool isBehind;
    private long? wentBeyondAt;
    private bool isSettled, isWaiting;
    private long heardAt;

    /// <param name="brokerDropped">Messages the broker has lost so far, where that is known.</param>
    public SiteController(string site, IBus bus, TimeProvider clock, ControllerOptions options, IPlanner planner, OptionTable table, PlannedModel model, IReadOnlyDictionary<string, HardwareProfile> profiles, Random random, Func<long>? brokerDropped = null)
    {
        own = new Topic(TopicKind.ControllerState, site);
        (this.site, this.bus, this.clock, this.options, this.table, this.model, this.random) = (site, bus, clock, options, table, model, random);
        started = (planner, new CostModel(options.Weights), options.Objective);
        (this.planner, objective) = (planner, options.Objective);
        this.brokerDropped = brokerDropped ?? (() => 0);
        view = new FleetView(site, profiles, clock);
        energy = options.Energy is { } spending ? new EnergyQueues(spending) : null;
        watch = options.Quality is { } quality ? new QualityWatch(quality, model) : null;
        placement = new TailPlacement(options.Placement, table, started.Costs, clock);
        rollout = new Rollout(site, bus, options, options.Alone is { } kind ? new DecisionTerms(kind, options.Weights, 0) : null, watch, energy, placement);
        speaks = options.Alone is not null || planner is Deciding;
        allowance = new ChangeAllowance(options.ChangesPerMinute, clock);
        reminders = new Reminders(clock, Seconds.Min(options.ReportPeriod * ReminderReports, ReminderMax));
    }

    /// <summary>The kinds of topics it listens to.</summary>
    public static IReadOnlyList<TopicKind> Heard { get; } =
    [
        TopicKind.State, TopicKind.Info, TopicKind.Budget, TopicKind.Infer, TopicKind.Reported, TopicKind.Desired, TopicKind.Plan, TopicKind.Objective,
        TopicKind.EdgeState, TopicKind.EdgeInfo, TopicKind.EdgeLoad, TopicKind.EdgeDesired, TopicKind.EdgeReported, TopicKind.GatewayState, TopicKind.Audit,
    ];

    /// <summary>Share of right answers that the calibration trace promises for everything answered so far; null before the first summary.</summary>
    public double? ExpectedAccuracy => sums.ExpectedCountTotal > 0 ? sums.ExpectedCorrectTotal / sums.ExpectedCountTotal : null;

    /// <summary>Told what an operator should know and do, once each time that it comes about.</summary>
    public event Action<string>? Warned;

    /// <summary>The last plan in force.</summary>
    public Plan Plan { get; private set; } = Plan.Empty;

    /// <summary>What its planner would see now.</summary>
    public FleetSnapshot Fleet => placement.Offered(Planned(view.Snapshot()));

    /// <summary>What plans promised for everything answered so far.</summary>
    public Promise Promised { get; private set; }

    public async Task Run(CancellationToken stop)
    {
        var subscriptions = Heard.Select(kind => bus.Subscribe(Topic.Filter(kind, site), OnMessage)).ToList();
        await Settle(stop);
        var fleet = view.Snapshot();
        rollout.Adopt(fleet, view.EpochSeen, view.VersionSeen);
        state = Remembered(fleet);
        watch?.Adopt(Recalibration.Of(fleet.Devices.Select(device => device.Desired).OfType<Assignment>(), model));
        isSettled = true;
        bus.ConnectionChanged += OnConnection;
        if (speaks) bus.Publish(own, State.Ready);
        // Whichever ends first without being told to has failed, and so has the controller.
        Task[] work = options.Placement.Kind is PlacementKind.All ? [Decide(stop), Summarise(stop)] : [Decide(stop), Summarise(stop), Place(stop)];
        await await Task.WhenAny(work);
        await Task.WhenAll(work);
        if (speaks) bus.Publish(own, State.Disconnected);
        bus.ConnectionChanged -= OnConnection;
        foreach (var subscription in subscriptions) subscription.Dispose();
    }

    /// <summary>Listens until nothing retained has come for a while; a large or slow snapshot takes longer, but not for ever.</summary>
    private async Task Settle(CancellationToken stop)
    {
        var began = heardAt = clock.GetTimestamp();
        do
        {
            await clock.Sleep(options.Settle, stop);
        }
        while (!stop.IsCancellationRequested && clock.Since(heardAt) < options.Settle && clock.Since(began) < options.Settle * PatienceMax);
    }

    private void OnConnection(bool connected)
    {
        if (!connected)
        {
            // What is retained comes when the line is back, and is doubted from then on.
            doubtedAt = null;
            return;
        }
        rollout.Republish();
        if (planner != started.Planner) doubtedAt = clock.GetTimestamp();
        if (speaks) bus.Publish(own, State.Ready);
    }

    private void OnMessage(Topic topic, Message message)
    {
        // Once settled, what is desired is what this controller says: its own messages may come back to it.
        if (isSettled && topic.Kind is (TopicKind.Desired or TopicKind.EdgeDesired or TopicKind.Plan))
        {
            if (message is PlanReport plan && IsAnothers(plan)) Meet(plan);
            return;
        }
        heardAt = clock.GetTimestamp();
        if (topic.Kind is TopicKind.Reported && message is Assignment reported) message = rollout.Shared(topic.Id, reported);
        view.Fold(topic, message);
        if (isSettled) GoBeyond(message);
        if (message is InferWindow window && view.IsNew(topic.Id, window)) Count(topic.Id, window);
        if (message is Audit audit) Watch(topic.Id, audit);
        if (topic.Kind is TopicKind.Objective) Heed(message);
        else if (message is Cleared && !view.Knows(topic.Kind, topic.Id)) Forget(topic);
        if (message is Budget budget) energy?.Hear(topic.Id, budget);
        if (isSettled && topic.Kind is TopicKind.GatewayState && message is State { Presence: Presence.Lost }) DeclareLost(topic.Id);
    }

    /// <summary>One of a later epoch, or of another controller that began at the same time. Its own may come back to it, and so may one of the controller before it, which are of no later epoch.</summary>
    private bool IsAnothers(PlanReport plan) => plan.Epoch > rollout.Epoch || plan.Epoch == rollout.Epoch && plan.Controller != options.Name;

    /// <summary>Two controllers outbid each other without end, and devices change with each of their plans.</summary>
    private void Meet(PlanReport plan)
    {
        var isNew = Rival is null;
        rival = (plan, clock.GetTimestamp());
        if (!isNew) return;
        isWaiting = true;
        Warned?.Invoke(Rivalry(plan));
    }

    private PlanReport? Rival => rival is { } known && clock.Since(known.At) < RivalMemory ? known.Plan : null;

    private string Rivalry(PlanReport other) =>
        $"another controller{(other.Controller is { } name ? $", {name}," : "")} plans this site, too (policy {other.Policy}, epoch {other.Epoch}; epoch {rollout.Epoch} here): devices change with each of them; stop one, or give each a site of its own";

    /// <summary>Devices would refuse an older epoch. Once a report period at most: two controllers would outbid each other as fast as devices answer, and these write down what they run.</summary>
    private void GoBeyond(Message message)
    {
        isBehind |= view.EpochSeen > rollout.Epoch || rollout.IsBehind(message);
        if (!isBehind || wentBeyondAt is { } last && clock.Since(last) < options.ReportPeriod) return;
        rollout.GoBeyond(view.EpochSeen, view.VersionSeen);
        (isBehind, wentBeyondAt) = (false, clock.GetTimestamp());
    }

    /// <summary>An operator wants something, or nothing any more. Only `dual` heeds limits. What cannot be read changes nothing, and the next plan says why.</summary>
    private void Heed(Message message)
    {
        var fault = message is Malformed malformed ? malformed.Reason : "";
        isWaiting |= fault != refused;
        refused = fault;
        if (message is Malformed) return;
        doubtedAt = null;
        if (message is Objective wanted && new CostModel(options.Weights.For(wanted)) is var costs) Pursue(new Dual(table, costs), costs, wanted.Name);
        else GoBack();
    }

    private void GoBack()
    {
        doubtedAt = null;
        if (planner != started.Planner) Pursue(started.Planner, started.Costs, started.Objective);
    }

    /// <summary>An operator has cleared what was left of somebody who is gone.</summary>
    private void Forget(Topic topic)
    {
        if (topic.Kind is TopicKind.EdgeInfo)
        {
            rollout.ForgetEdge(topic.Id);
            return;
        }
        rollout.Forget(topic.Id);
        reminders.Forget(topic.Id);
    }

    /// <summary>Plans are made for another objective from the next look at the fleet on.</summary>
    private void Pursue(IPlanner by, CostModel costs, string name)
    {
        (planner, objective) = (by, name);
        placement.Weigh(costs);
        isWaiting = true;
    }

    /// <summary>What an operator cleared while the line was down is not said again when it is back.</summary>
    private void Doubt()
    {
        if (doubtedAt is { } since && clock.Since(since) >= options.Settle * PatienceMax) GoBack();
    }

    private void Count(string device, InferWindow window)
    {
        sums.Add(window, rollout.OptionGiven(device, window.Version, table));
        if (isSettled) rollout.Remind(device, window.Version, view.ReportedBy(device), reminders);
        if (window.Count > 0 && Plan.Choices.TryGetValue(device, out var choice) && choice.Estimate != default) Promised = Promised.With(window.Count, choice.Estimate);
    }

    /// <summary>An audit under an assignment that nobody knows any more, or of another model, says nothing.</summary>
    private void Watch(string device, Audit audit)
    {
        if (watch is null || rollout.Given(device, audit.Version) is not { } ran || ran.CardSha256 != model.Files.CardSha256 || WatchedInput.Of(device, audit, model.Files.Card) is not { } input) return;
        watch.Add(input, ran, rollout.DesiredOf);
    }

    /// <summary>A gateway's will speaks for the devices behind it, whose own state would otherwise say ready for ever.</summary>
    private void DeclareLost(string gateway)
    {
        foreach (var device in view.Snapshot().Devices.Where(device => device.Info?.Gateway == gateway))
            bus.Publish(new Topic(TopicKind.State, site, device.Id), State.Lost);
    }

    private async Task Decide(CancellationToken stop)
    {
        var (planned, applied) = (-1L, 0);
        do
        {
            view.Look();
            Doubt();
            if (view.Revision == planned && !isWaiting && !placement.IsMoving && News == applied) continue;
            if (options.PlanningShare is { } share && !await share.Wait(stop)) return;
            (planned, applied) = (view.Revision, News);
            var began = clock.GetTimestamp();
            Decide();
            options.PlanningShare?.Spent(clock.Since(began));
        }
        while (await clock.Sleep(options.PlanPeriod, stop));
    }

    /// <summary>Changes whenever something was learnt that the view does not know of.</summary>
    private int News => (watch?.Revision ?? 0) + (energy?.Revision ?? 0);

    private void Decide()
    {
        var reported = Planned(view.Snapshot());
        placement.Advance(reported);
        var fleet = placement.Offered(energy?.Bound(reported) ?? reported);
        var before = state.Last;
        (Plan, state) = planner.Plan(fleet, state, random);
        var (changed, waiting) = rollout.Publish(Plan, fleet, table, allowance);
        isWaiting = waiting.Count > 0;
        if (isWaiting) Keep(before, waiting);
        changed += options.Groups.Sum(rollout.Publish);
        bus.Publish(new Topic(TopicKind.Plan, site), Describe(fleet, changed));
    }

    /// <summary>On the slow time scale: which tails servers hold.</summary>
    private async Task Place(CancellationToken stop)
    {
        while (await clock.Sleep(options.Placement.Period, stop)) placement.Decide(Planned(view.Snapshot()));
    }

    /// <summary>Those who have to wait for their change go on as before, and the planner knows it.</summary>
    private void Keep(IReadOnlyDictionary<string, Choice> before, IReadOnlySet<string> waiting)
    {
        var choices = new SortedDictionary<string, Choice>(StringComparer.Ordinal);
        foreach (var (device, choice) in Plan.Choices)
            if (!waiting.Contains(device)) choices.Add(device, choice);
            else if (before.TryGetValue(device, out var standing)) choices.Add(device, standing);
        var inForce = ChoiceTable.Of(choices);
        Plan = Plan with { Choices = inForce };
        state = state with { Last = inForce };
    }

    /// <summary>The fleet without those who work in groups, its clouds known.</summary>
    private FleetSnapshot Planned(FleetSnapshot fleet)
    {
        if (options.Clouds.Count > 0) fleet = fleet with { Edges = [.. fleet.Edges.Select(edge => options.Clouds.Contains(edge.Id) ? edge with { IsCloud = true, Distance = options.CloudDistance } : edge)] };
        if (options.CloudDistance > Seconds.Zero) fleet = fleet with { Devices = [.. fleet.Devices.Select(Nearby)] };
        return options.Groups.Count == 0 ? fleet : fleet with
        {
            Devices = [.. fleet.Devices.Where(device => !options.Groups.Any(group => group.Members.Contains(device.Id)))],
            Edges = [.. fleet.Edges.Where(edge => !options.Groups.Any(group => group.Edge == edge.Id))],
        };
    }

    private IEnumerable<string> Reasons(FleetSnapshot fleet, int changed)
    {
        yield return changed == 0 ? "nothing to change" : $"{changed} assignments changed";
        if (fleet.Devices.Count(device => device.IsOnline && !Plan.Choices.ContainsKey(device.Id)) is > 0 and var without)
            yield return $"{without} of {fleet.Devices.Count(device => device.IsOnline)} devices online have no place in the plan: {planner.Name} finds nothing that they can run{(fleet.LiveEdges.Any() ? "" : ", and no edge server is there")}";
        if (objective.Length > 0) yield return $"objective {objective}";
        if (Plan.Proof is { Missed.Count: > 0 } proof) yield return $"limits not kept: {string.Join(", ", proof.Missed)}";
        if (refused.Length > 0) yield return $"_objective refused: {refused}";
        if (Rival is { } other) yield return Rivalry(other);
    }

    /// <summary>What a device measures on its way to a cloud has that one's distance in it, which other servers have not.</summary>
    private DeviceView Nearby(DeviceView device) =>
        device is { Reported.OffloadTo: var server, Budget: { RoundTrip: { } trip } budget } && options.Clouds.Contains(server)
            ? device with { Budget = budget with { RoundTrip = Seconds.Max(Seconds.Zero, trip - options.CloudDistance) } } : device;

    private PlanReport Describe(FleetSnapshot fleet, int changed)
    {
        var sum = PlanSum.Of(Plan, fleet, model.Files.Card.StageCount);
        return new PlanReport
        {
            Version = rollout.Version,
            Epoch = rollout.Epoch,
            SentAt = clock.UnixTime(),
            Policy = planner.Name,
            Controller = options.Name,
            Devices = sum.Devices,
            Changed = changed,
            Objective = Plan.Proof is { } proof ? Quantity.Rounded(proof.Objective) : null,
            Bound = Plan.Proof is { Bound: var bound } && double.IsFinite(bound) ? Quantity.Rounded(bound) : null,
            Gap = Plan.Proof is { Gap: var gap } && double.IsFinite(gap) ? Quantity.Rounded(gap) : null,
            EdgePrice = Plan.Proof is { Prices.Count: > 0 } priced ? Quantity.Rounded(priced.Prices.Values.Max()) : null,
            Accuracy = sum.Mean(sum.Accuracy),
            Offload = sum.Mean(sum.Offload),
            Latency = sum.Mean(sum.Latency) is { } latency ? new Seconds(latency) : null,
            Energy = sum.Mean(sum.Energy) is { } energy ? new Joules(energy) : null,
            EdgeBusy = sum.EdgeBusy is { } busy ? Quantity.Rounded(busy) : null,
            SendAll = sum.SendAll,
            Heads = new PerExit(sum.Heads.Select(count => (double)count)),
            Reason = string.Join("; ", Reasons(fleet, changed)),
        };
    }

    private async Task Summarise(CancellationToken stop)
    {
        var opened = clock.GetTimestamp();
        while (await clock.Sleep(options.ReportPeriod, stop))
        {
            var window = clock.Since(opened);
            opened = clock.GetTimestamp();
            if (speaks) bus.Publish(own, State.Ready);
            var fleet = view.Snapshot();
            var online = fleet.Devices.Where(device => device.IsOnline).ToList();
            var about = new Summary
            {
                SentAt = clock.UnixTime(),
                Devices = fleet.Devices.Count,
                Online = online.Count,
                EdgesOnline = fleet.OnlineEdges.Count(),
                InAgreement = online.Count(rollout.IsRunBy),
                Power = Quantity.Rounded(new Watts(online.Sum(device => device.Budget?.Power?.Value ?? 0))),
                MalformedTotal = view.MalformedTotal,
                BrokerDroppedTotal = brokerDropped(),
                EnergyBacklog = energy is null ? null : Quantity.Rounded(energy.Backlog),
                TailLoadsTotal = Total(fleet, load => load.LoadsTotal) is { } loads ? (long)loads : null,
                TailLoadedTotal = Total(fleet, load => load.LoadedTotal?.Value) is { } loaded ? new Bytes(loaded) : null,
            };
            bus.Publish(new Topic(TopicKind.Summary, site), sums.Close(watch?.Tell(about, rollout.DesiredOf) ?? about, window));
        }
    }

    /// <summary>Over those servers that tell; null when none does.</summary>
    private static double? Total(FleetSnapshot fleet, Func<EdgeLoad, double?> of)
    {
        var told = fleet.Edges.Select(edge => edge.Load is { } load ? of(load) : null).OfType<double>().ToList();
        return told.Count == 0 ? null : told.Sum();
    }

    /// <summary>What the controller before us had chosen, as far as the table knows such options.</summary>
    private PlannerState Remembered(FleetSnapshot fleet)
    {
        var choices = new SortedDictionary<string, Choice>(StringComparer.Ordinal);
        foreach (var device in fleet.Devices)
            if (device.Desired is { } desired && table.Find(desired) is { } option)
                choices[device.Id] = new Choice(option, desired.OffloadTo.Length == 0 ? null : desired.OffloadTo, default, desired.Reason);
        return new PlannerState(choices);
    }
}
