using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using Fleet.Emulator.Simulation;
using Fleet.Tests.Contracts;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

public sealed class SiteControllerTests
{
    [TestCase(Neurosurgeon.PolicyName)]
    [TestCase(Greedy.PolicyName)]
    [TestCase(StaticSplit.PolicyName)]
    public void Run_FleetComesUp_EveryoneIsToldOnce(string policy)
    {
        var world = new SiteBench(policy);
        world.ComeUp();
        world.Control(untilSeconds: 30);
        Assert.That(world.Desired.Select(said => said.Topic.Id).Order(), Is.EqualTo((string[])["cam-1", "cam-2", "cam-3"]));
        Assert.That(world.EdgeDesired, Has.Count.EqualTo(1));
        Assert.That(world.Desired.Select(said => ((Assignment)said.Message).Epoch), Is.All.EqualTo(2), "beyond what the devices already run");
        Assert.That(world.Desired.Select(said => ((Assignment)said.Message).Version), Is.Unique);
        foreach (var (_, message) in world.Desired) Assert.That(message.Faults(), Is.Empty);
        Assert.That(world.Said.Select(said => said.Message).OfType<PlanReport>().Last().Devices, Is.EqualTo(3));
        Assert.That(world.Said.Select(said => said.Message).OfType<Summary>().Last().Online, Is.EqualTo(3));
    }

    [TestCase(Neurosurgeon.PolicyName)]
    [TestCase(Greedy.PolicyName)]
    [TestCase(OffloadAll.PolicyName)]
    public void Run_AgainAfterARestart_TellsNobodyAnythingNew(string policy)
    {
        var world = new SiteBench(policy);
        world.ComeUp();
        world.Control(untilSeconds: 30);
        var before = world.Desired.Concat(world.EdgeDesired).ToList();
        world.Control(untilSeconds: 60);
        Assert.That(world.Desired.Concat(world.EdgeDesired), Is.EquivalentTo(before));
        Assert.That(world.Said.Select(said => said.Message).OfType<PlanReport>().Select(plan => plan.Epoch).Distinct(), Is.EqualTo((long[])[2, 3]), "a new epoch all the same");
        world.Say(TopicKind.Budget, "cam-1", SiteBench.Budget(rate: 1, roundTrip: 3));
        world.Say(TopicKind.Info, "cam-4", FleetBuilder.Info("pi-5"));
        world.Say(TopicKind.State, "cam-4", State.Ready);
        world.Control(untilSeconds: 90);
        var told = (Assignment)world.Desired.Last(said => said.Topic.Id == "cam-4").Message;
        Assert.That(told.Epoch, Is.EqualTo(4));
        Assert.That(told.Version, Is.GreaterThan(before.Max(said => said.Message is Assignment assignment ? assignment.Version : ((TailAssignment)said.Message).Version)));
    }

    [Test]
    public void Run_PolicyFindsNothingForADevice_ThePlanSaysSo()
    {
        var world = new SiteBench(StaticSplit.PolicyName);
        world.ComeUp(hasEdge: false);
        world.Control(untilSeconds: 10);
        Assert.That(world.Desired, Is.Empty);
        Assert.That(world.Plans.Last().Reason, Does.Contain("3 of 3 devices online have no place in the plan: static-split finds nothing that they can run, and no edge server is there"));
    }

    [Test]
    public void Run_WhatADeviceWasToldGotLost_ItIsToldTheSameAgainUntilItRunsIt()
    {
        var world = new SiteBench(Greedy.PolicyName);
        world.ComeUp();
        InferWindow Window(int number, long version) => new() { Sequence = number, SentAt = new Seconds(number * 5), Window = new Seconds(5), Count = 0, Version = version };
        var windows = Enumerable.Range(1, 40).Select(number => (number * 5.0, (Action)(() => world.Say(TopicKind.Infer, "cam-1", Window(number, number <= 20 ? 0 : world.RunsOf("cam-1").Version)))));
        var answer = (100.5, (Action)(() => world.Say(TopicKind.Reported, "cam-1", world.RunsOf("cam-1"))));
        world.ControlWhile(untilSeconds: 201, [.. windows.Take(20), answer, .. windows.Skip(20)]);
        var told = world.Desired.Where(said => said.Topic.Id == "cam-1").Select(said => (Assignment)said.Message).ToList();
        Assert.That(told, Has.Count.EqualTo(3), "when it came up, 15 s and 45 s after its first window; then it runs it");
        Assert.That(told, Is.All.EqualTo(told[0]));
        Assert.That(world.Desired.Where(said => said.Topic.Id != "cam-1").Select(said => said.Topic.Id), Is.Unique, "nobody else is told anything again");
    }

    /// <summary>It runs it, and word of that got lost: nobody would ever know.</summary>
    [TestCase(TopicKind.Reported)]
    [TestCase(TopicKind.State)]
    public void Run_ADevicesAnswerGotLost_ItIsToldAgainUntilItAnswers(TopicKind lost)
    {
        var world = new SiteBench(Greedy.PolicyName);
        world.ComeUp();
        if (lost is TopicKind.State) world.Say(TopicKind.State, "cam-1", State.Init);
        void Run(int number)
        {
            if (number == 1 && lost is TopicKind.State || number == 20) world.Say(TopicKind.Reported, "cam-1", world.RunsOf("cam-1"));
            if (number == 20) world.Say(TopicKind.State, "cam-1", State.Ready);
            world.Say(TopicKind.Infer, "cam-1", new InferWindow { Sequence = number, SentAt = new Seconds(number * 5), Window = new Seconds(5), Count = 0, Version = world.RunsOf("cam-1").Version });
        }
        world.ControlWhile(untilSeconds: 201, [.. Enumerable.Range(1, 40).Select(number => (number * 5.0, (Action)(() => Run(number))))]);
        Assert.That(world.Desired.Count(said => said.Topic.Id == "cam-1"), Is.EqualTo(3), "when it came up, 15 s and 45 s after its first window");
    }

    [Test]
    public void Run_NothingChanges_PlansOnce()
    {
        var world = new SiteBench(Greedy.PolicyName);
        world.ComeUp();
        world.Control(untilSeconds: 10);
        Assert.That(world.Said.Count(said => said.Message is PlanReport), Is.EqualTo(1));
    }

    [Test]
    public void Run_WindowsComeTwiceAndLate_EachCountsOnce()
    {
        var world = new SiteBench(Greedy.PolicyName);
        world.ComeUp();
        world.ControlWhile(12, (5, Report));
        Assert.That(world.Said.Select(said => said.Message).OfType<Summary>().Last().AnsweredTotal, Is.EqualTo(4 * Samples.InferWindow.Count));

        void Report()
        {
            foreach (var (device, sequence) in ((string, long)[])[("cam-1", 1), ("cam-1", 3), ("cam-1", 1), ("cam-1", 2), ("cam-1", 3), ("cam-3", 1)])
                world.Say(TopicKind.Infer, device, Samples.InferWindow with { Sequence = sequence, SentAt = new Seconds(sequence) });
        }
    }

    [Test]
    public void Run_GatewayLost_DeclaresItsDevicesLost()
    {
        var world = new SiteBench(Greedy.PolicyName);
        world.ComeUp(gateway: "gw");
        world.Say(TopicKind.GatewayState, "gw", State.Ready);
        world.ControlWhile(10, (5, () => world.Say(TopicKind.GatewayState, "gw", State.Lost)));
        Assert.That(world.Said.Where(said => said.Topic.Kind is TopicKind.State && said.Message.Equals(State.Lost)).Select(said => said.Topic.Id).Order(), Is.EqualTo((string[])["cam-1", "cam-2", "cam-3"]));
    }

    private static readonly Objective Quiet = new() { Name = "quiet", SentMax = Bytes.Zero };

    [Test]
    public void Run_ObjectiveIsCleared_GoesBackToWhatItWasStartedWith()
    {
        var world = new SiteBench(OffloadAll.PolicyName, new ControllerOptions { Objective = "wide" });
        world.ComeUp();
        world.Say(TopicKind.Objective, "", Quiet);
        world.ControlWhile(30, (10, () => world.Say(TopicKind.Objective, "", Cleared.Payload)));
        Assert.That(world.Plans.Select(plan => (plan.Policy, plan.Reason.Split("objective ")[1])), Is.EqualTo([("dual", "quiet"), ("offload-all", "wide")]));
        Assert.That(world.RunsOf("cam-3").OffloadTo, Is.EqualTo("edge-1"));
        world.Control(untilSeconds: 60);
        Assert.That(world.Plans[^1].Policy, Is.EqualTo("offload-all"), "nothing is retained that the next controller would hear");
    }

    [Test]
    public void Run_ObjectiveCannotBeRead_ThePlanSaysWhyAndWhatWasPursuedStays()
    {
        var world = new SiteBench(OffloadAll.PolicyName);
        world.ComeUp();
        world.Say(TopicKind.Objective, "", Quiet);
        world.ControlWhile(30, (10, () => world.Say(TopicKind.Objective, "", new Malformed("energy_max_j is -1; allowed: above 0", 40))), (20, () => world.Say(TopicKind.Objective, "", Quiet)));
        Assert.That(world.Plans.Select(plan => (plan.Policy, plan.Reason.Split("; ", 2)[1])), Is.EqualTo([("dual", "objective quiet"), ("dual", "objective quiet; _objective refused: energy_max_j is -1; allowed: above 0"), ("dual", "objective quiet")]));
    }

    [Test]
    public void Run_ObjectiveWithoutWeights_WeighsAsWithoutIt()
    {
        var world = new SiteBench(Greedy.PolicyName, new ControllerOptions { Weights = new Weights { ErrorWeight = 100, JouleWeight = 0 } });
        world.ComeUp();
        world.ControlWhile(30, (10, () => world.Say(TopicKind.Objective, "", new Objective { Name = "few-errors" })), (20, () => world.Say(TopicKind.Objective, "", new Objective { Name = "fast", ErrorWeight = 0 })));
        Assert.That(world.Plans, Has.Count.EqualTo(3));
        Assert.That(world.Plans[1].Accuracy, Is.GreaterThan(world.Plans[2].Accuracy!.Value), "nobody asked for fewer errors any more");
    }

    /// <summary>Who is gone leaves what it said behind. An operator clears it; nobody may say it again.</summary>
    [Test]
    public void Run_WhatAGoneDeviceLeftIsCleared_ItIsForgotten()
    {
        var world = new SiteBench(Greedy.PolicyName);
        world.ComeUp();
        world.ControlWhile(40, (10, () => world.Say(TopicKind.State, "cam-1", State.Lost)), (12, () => world.Say(TopicKind.Info, "cam-1", Cleared.Payload)), (20, () => world.Line!.Lose(TimeSpan.FromSeconds(1))), (22, () => world.Line!.Restore()));
        Assert.That(world.Summaries.Select(summary => summary.Devices).Distinct(), Is.EqualTo((int[])[3, 2]));
        Assert.That(world.Desired.Count(said => said.Topic.Id == "cam-1"), Is.EqualTo(1), "told when it came, and not repeated when the line was back");
        Assert.That(world.Desired.Count(said => said.Topic.Id == "cam-2"), Is.EqualTo(2));
    }

    [Test]
    public void Run_WhatAGoneEdgeServerLeftIsCleared_ItIsForgotten()
    {
        var world = new SiteBench(Greedy.PolicyName);
        world.ComeUp();
        world.ControlWhile(40, (10, () => world.Say(TopicKind.EdgeState, "edge-1", State.Lost)), (12, () => world.Say(TopicKind.EdgeInfo, "edge-1", Cleared.Payload)), (20, () => world.Line!.Lose(TimeSpan.FromSeconds(1))), (22, () => world.Line!.Restore()));
        Assert.That(world.EdgeDesired, Has.Count.EqualTo(1));
    }

    [Test]
    public void Run_ForgottenDeviceComesBack_IsToldAnew()
    {
        var world = new SiteBench(Greedy.PolicyName);
        world.ComeUp();
        world.ControlWhile(40, (10, () => world.Say(TopicKind.State, "cam-3", State.Lost)), (12, () => world.Say(TopicKind.Info, "cam-3", Cleared.Payload)), (12, ComeBack));
        Assert.That(world.Desired.Count(said => said.Topic.Id == "cam-3"), Is.EqualTo(2));

        void ComeBack()
        {
            world.Say(TopicKind.State, "cam-3", State.Ready);
            world.Say(TopicKind.Info, "cam-3", FleetBuilder.Info("pi-5"));
            world.Say(TopicKind.Budget, "cam-3", SiteBench.Budget(2));
        }
    }

    [Test]
    public void Run_WhatSomebodyOnlineSaidIsCleared_ItStays()
    {
        var world = new SiteBench(Greedy.PolicyName);
        world.ComeUp();
        world.ControlWhile(30, (10, () => world.Say(TopicKind.Info, "cam-1", Cleared.Payload)));
        Assert.That(world.Summaries.Select(summary => (summary.Devices, summary.Online)), Is.All.EqualTo((3, 3)));
    }

    /// <summary>Nobody repeats to it what is there no more.</summary>
    [TestCase(true, "offload-all")]
    [TestCase(false, "dual")]
    public void Run_TheLineWasDown_WhatWasClearedMeanwhileIsNotPursued(bool isCleared, string policy)
    {
        var world = new SiteBench(OffloadAll.PolicyName);
        world.ComeUp();
        world.Say(TopicKind.Objective, "", Quiet);
        var soon = "";
        world.ControlWhile(40, (10, Interrupt), (12, Resume), (17, () => soon = world.Plans[^1].Policy));
        Assert.That(soon, Is.EqualTo("dual"), "what is retained may still be on its way");
        Assert.That(world.Plans[^1].Policy, Is.EqualTo(policy));

        void Interrupt()
        {
            world.Line!.Lose(TimeSpan.FromSeconds(1));
            if (isCleared) world.Say(TopicKind.Objective, "", Cleared.Payload);
        }

        void Resume()
        {
            world.Line!.Restore();
            world.Say(TopicKind.Budget, "cam-1", SiteBench.Budget(rate: 1, roundTrip: 3));
        }
    }

    private static readonly PlanReport OthersPlan = new() { Version = 9, Epoch = 7, SentAt = Seconds.Zero, Policy = "greedy", Controller = "host-2" };

    [TestCase(7, "host-2", true)]
    [TestCase(7, null, true)]
    [TestCase(2, "host-2", true)]
    [TestCase(2, "host-1", false)]
    [TestCase(1, "host-2", false)]
    public void Run_SomebodyElsePlansTheSite_ItWarnsOnceAndThePlanSaysSo(int epoch, string? controller, bool isAnother)
    {
        var world = new SiteBench(Greedy.PolicyName, new ControllerOptions { Name = "host-1" });
        world.ComeUp();
        void Plan() => world.Say(TopicKind.Plan, "", OthersPlan with { Epoch = epoch, Controller = controller });
        world.ControlWhile(30, (10, Plan), (11, Plan), (20, Plan));
        Assert.That(world.Warnings, Has.Count.EqualTo(isAnother ? 1 : 0));
        if (!isAnother) return;
        Assert.That(world.Warnings[0], Does.StartWith($"another controller{(controller is null ? "" : ", host-2,")} plans this site, too (policy greedy, epoch {epoch}; epoch 2 here)").And.Contain("stop one"));
        Assert.That(world.Own[^1].Reason, Does.EndWith("; " + world.Warnings[0]));
        Assert.That(world.Own[0].Reason, Does.Not.Contain("another controller"));
    }

    [Test]
    public void Run_TheOtherControllerIsGone_ThePlanSaysSoNoMore()
    {
        var world = new SiteBench(Greedy.PolicyName, new ControllerOptions { Name = "host-1" });
        world.ComeUp();
        world.ControlWhile(120, (10, () => world.Say(TopicKind.Plan, "", OthersPlan)), (80, () => world.Say(TopicKind.Budget, "cam-1", SiteBench.Budget(rate: 1, roundTrip: 3))));
        Assert.That(world.Own[^1].Reason, Does.Not.Contain("another controller"));
    }

    /// <summary>Its broker and it have forgotten what devices remember: they would refuse its first versions as older than what they run.</summary>
    [Test]
    public void Run_DeviceRunsALaterVersionOfItsEpoch_SaysAllAnewBeyondIt()
    {
        var world = new SiteBench(Greedy.PolicyName);
        world.ComeUp();
        world.ControlWhile(30, (10, () => world.Say(TopicKind.Reported, "cam-1", world.RunsOf("cam-1") with { Version = 1000 })));
        foreach (var device in (string[])["cam-1", "cam-2", "cam-3"])
            Assert.That(world.RunsOf(device), Has.Property("Epoch").EqualTo(3).And.Property("Version").GreaterThan(1000));
    }

    /// <summary>Each outbids what its devices were told by the other; they are told again for each bid, and remember it on their disks.</summary>
    [Test]
    public void Run_AnotherControllerOutbidsItAtOnce_GoesBeyondOnceAReportPeriod()
    {
        var world = new SiteBench(Greedy.PolicyName);
        world.ComeUp();
        var bids = Enumerable.Range(0, 200).Select(i => (At: 10 + i * 0.1, Happens: (Action)(() => world.Say(TopicKind.Reported, "cam-1", world.RunsOf("cam-1") with { Epoch = 100 + 2 * i })))).ToArray();
        world.ControlWhile(40, [.. bids, (35.5, () => world.Say(TopicKind.Budget, "cam-1", SiteBench.Budget(2)))]);
        var epochs = world.Desired.Where(said => said.Topic.Id == "cam-2").Select(said => ((Assignment)said.Message).Epoch).ToList();
        Assert.That(epochs, Is.Ordered);
        Assert.That(epochs, Has.Count.InRange(5, 6), "the first, and one for each of twenty seconds' report periods");
        Assert.That(epochs[^1], Is.GreaterThan(100 + 2 * 199), "the last bid is answered, too");
    }

    private static ChangeAllowance Unbounded(BusWorld world) => new(perMinute: null, world.Clock);

    [Test]
    public void Rollout_MoreChangesThanAllowed_ThoseWhoGainMostGoFirstAndTheOthersWait()
    {
        var world = new BusWorld();
        var rollout = new Rollout("lab", world.Bus.Connect("controller"), new ControllerOptions());
        var fleet = FleetBuilder.Fleet([.. Enumerable.Range(0, 5).Select(i => FleetBuilder.Device($"cam-{i}", "pi-5"))], FleetBuilder.Edge("e"));
        var allowance = new ChangeAllowance(perMinute: 2, world.Clock);
        Plan Local(int head) => new(fleet.Devices.Select((device, i) => (device.Id, Gain: i)).ToDictionary(pair => pair.Id, pair => new Choice(FleetBuilder.Table.Get(head, 0.8, null), null, default, "so") { Gain = pair.Gain }));
        Assert.That(rollout.Publish(Local(1), fleet, FleetBuilder.Table, allowance).Waiting, Is.Empty, "first assignments are free");
        var (changed, waiting) = rollout.Publish(Local(2), fleet, FleetBuilder.Table, allowance);
        Assert.That((changed, waiting.Order()), Is.EqualTo((2, (string[])["cam-0", "cam-1", "cam-2"])));
        Assert.That(rollout.DesiredOf("cam-4")!.Head, Is.EqualTo(2));
        Assert.That(rollout.DesiredOf("cam-0")!.Head, Is.EqualTo(1));
        Assert.That(rollout.Publish(Local(2), fleet, FleetBuilder.Table, allowance).Changed, Is.Zero);
        world.Clock.Run(TimeSpan.FromSeconds(31));
        Assert.That(rollout.Publish(Local(2), fleet, FleetBuilder.Table, allowance).Changed, Is.EqualTo(1), "half a minute later there is room for one more");
    }

    [Test]
    public void Rollout_DeviceThatRanNothing_ItsSecondAssignmentIsFreeToo()
    {
        var world = new BusWorld();
        var rollout = new Rollout("lab", world.Bus.Connect("controller"), new ControllerOptions());
        var fleet = FleetBuilder.Fleet([FleetBuilder.Device("cam-1", "pi-5") with { Reported = null }, FleetBuilder.Device("cam-2", "pi-5") with { Reported = null }]);
        var allowance = new ChangeAllowance(perMinute: 1, world.Clock);
        IReadOnlySet<string> Waiting(int head) => rollout.Publish(
            new Plan(fleet.Devices.ToDictionary(device => device.Id, _ => new Choice(FleetBuilder.Table.Get(head, 0.8, null), null, default, "so"))), fleet, FleetBuilder.Table, allowance).Waiting;
        Assert.That((Waiting(1).Count, Waiting(3).Count, Waiting(2).Count), Is.EqualTo((0, 0, 1)));
    }

    [Test]
    public void Rollout_SamePlanTwice_PublishesOnlyOnce()
    {
        var world = new BusWorld();
        var rollout = new Rollout("lab", world.Bus.Connect("controller"), new ControllerOptions());
        var fleet = FleetBuilder.Fleet([FleetBuilder.Device("a", "pi-5"), FleetBuilder.Device("b", "pi-zero-2w")], FleetBuilder.Edge("e"));
        var plan = FleetBuilder.Planner(Greedy.PolicyName).Plan(fleet, PlannerState.Empty, new Random(1)).Plan;
        rollout.Adopt(fleet, epochSeen: 6, versionSeen: 40);
        Assert.That(rollout.Publish(plan, fleet, FleetBuilder.Table, Unbounded(world)).Changed, Is.EqualTo(3));
        Assert.That((rollout.Epoch, rollout.Version), Is.EqualTo((7L, 43L)));
        Assert.That(rollout.Publish(plan, fleet, FleetBuilder.Table, Unbounded(world)).Changed, Is.Zero);
        var changed = new Plan(plan.Choices.ToDictionary(pair => pair.Key, pair => pair.Key == "a" ? pair.Value with { Option = FleetBuilder.Table.Get(2, 0.7, null), Edge = null } : pair.Value with { Reason = "said otherwise" }));
        Assert.That(rollout.Publish(changed, fleet, FleetBuilder.Table, Unbounded(world)).Changed, Is.EqualTo(1));
        Assert.That(rollout.DesiredOf("a")!.Version, Is.EqualTo(44));
        Assert.That(rollout.DesiredOf("b")!.Version, Is.LessThan(44));
    }

    [Test]
    public void Rollout_Adopts_WhatStandsUntilAPlanWantsSomethingElse()
    {
        var world = new BusWorld();
        var fleet = FleetBuilder.Fleet([FleetBuilder.Device("a", "pi-5")], FleetBuilder.Edge("e"));
        var plan = FleetBuilder.Planner(Greedy.PolicyName).Plan(fleet, PlannerState.Empty, new Random(1)).Plan;
        var first = new Rollout("lab", world.Bus.Connect("controller"), new ControllerOptions());
        first.Adopt(fleet, 0, 0);
        first.Publish(plan, fleet, FleetBuilder.Table, Unbounded(world));
        var seen = fleet with
        {
            Devices = [fleet.Devices[0] with { Desired = first.DesiredOf("a") }],
            Edges = [fleet.Edges[0] with { Desired = first.EdgeDesiredOf("e") }],
        };
        var second = new Rollout("lab", world.Bus.Connect("controller"), new ControllerOptions());
        second.Adopt(seen, first.Epoch, first.Version);
        Assert.That(second.Publish(plan, seen, FleetBuilder.Table, Unbounded(world)).Changed, Is.Zero);
        Assert.That(second.Epoch, Is.EqualTo(first.Epoch + 1));
        Assert.That(second.DesiredOf("a"), Is.EqualTo(first.DesiredOf("a")));
    }

    /// <summary>Three devices and an edge server that only say what they are, and one controller after another.</summary>
    private sealed class SiteBench(string policy, ControllerOptions? options = null)
    {
        private readonly BusWorld world = new();
        private SimBus.Connection? fleet;

        public List<(Topic Topic, Message Message)> Said { get; } = [];

        public List<(Topic Topic, Message Message)> Desired => [.. Said.Where(said => said.Topic.Kind is TopicKind.Desired)];

        public List<PlanReport> Plans => [.. Said.Select(said => said.Message).OfType<PlanReport>()];

        /// <summary>Of the controllers here alone.</summary>
        public List<PlanReport> Own => [.. Plans.Where(plan => plan.Controller == options?.Name)];

        public List<string> Warnings { get; } = [];

        public List<Summary> Summaries => [.. Said.Select(said => said.Message).OfType<Summary>()];

        /// <summary>Of the controller that runs.</summary>
        public SimBus.Connection? Line { get; private set; }

        public Assignment RunsOf(string device) => (Assignment)Desired.Last(said => said.Topic.Id == device).Message;

        public List<(Topic Topic, Message Message)> EdgeDesired => [.. Said.Where(said => said.Topic.Kind is TopicKind.EdgeDesired)];

        public static Budget Budget(double rate, double? roundTrip = null) => new()
        {
            Sequence = 1,
            SentAt = Seconds.Zero,
            ReportPeriod = new Seconds(3600),
            RequestRate = new Hertz(rate),
            RoundTrip = roundTrip is { } time ? new Seconds(time) : null,
        };

        public void ComeUp(string gateway = "", bool hasEdge = true)
        {
            world.Bus.Connect("viewer").Subscribe("fleet/v1/#", (topic, message) => Said.Add((topic, message)));
            fleet = world.Bus.Connect("fleet");
            foreach (var (id, board) in ((string, string)[])[("cam-1", "pi-zero-2w"), ("cam-2", "stm32h747i-disco"), ("cam-3", "pi-5")])
            {
                Say(TopicKind.State, id, State.Ready);
                Say(TopicKind.Info, id, FleetBuilder.Info(board) with { Gateway = gateway });
                Say(TopicKind.Budget, id, Budget(2));
            }
            if (!hasEdge) return;
            var edge = FleetBuilder.Edge("edge-1");
            Say(TopicKind.EdgeState, "edge-1", State.Ready);
            Say(TopicKind.EdgeInfo, "edge-1", edge.Info!);
            Say(TopicKind.EdgeReported, "edge-1", edge.Reported! with { ReportPeriod = new Seconds(3600) });
            Say(TopicKind.EdgeLoad, "edge-1", edge.Load! with { Window = new Seconds(3600) });
        }

        public void Say(TopicKind kind, string id, Message message) => fleet!.Publish(new Topic(kind, "lab", id), message);

        public void Control(double untilSeconds) => ControlWhile(untilSeconds);

        /// <summary>Runs a new controller until then, and stops it.</summary>
        public void ControlWhile(double untilSeconds, params (double At, Action Happens)[] events)
        {
            using var stop = new CancellationTokenSource();
            Line = world.Bus.Connect("controller");
            var controller = new SiteController(
                "lab", Line, world.Clock, options ?? new ControllerOptions(), FleetBuilder.Planner(policy), FleetBuilder.Table, FleetBuilder.Model, World.Stock.Profiles, new SeededRandom(1, "planner"));
            controller.Warned += Warnings.Add;
            world.Clock.Start(() => controller.Run(stop.Token));
            foreach (var (at, happens) in events)
            {
                world.Run(at);
                world.Clock.Soon(happens);
            }
            world.Run(untilSeconds - 1);
            world.Clock.Soon(stop.Cancel);
            world.Run(untilSeconds);
        }
    }
}
