using System.Runtime.CompilerServices;
using Fleet.Contracts;
using Fleet.DeviceAgent.Sensing;
using Fleet.Models;
using Fleet.Models.Offloading;
using Fleet.Models.Profiling;

namespace Fleet.DeviceAgent;

/// <summary>
/// One device: senses, runs its head, exits or offloads, reports. It does what the newest valid desired assignment says, keeps what
/// it ran when it cannot, and needs neither controller nor edge server to answer. Runs on one event loop.
/// </summary>
public sealed class Agent
{
    private readonly AgentOptions options;
    private readonly IBus bus;
    private readonly TimeProvider clock;
    private readonly Random random;
    private readonly SensorSuite sensors;
    private readonly Func<Assignment, CancellationToken, ValueTask<Head>> install;
    private readonly StageTimes times = new();
    private readonly Offloads offloads;
    private readonly Learners learners = new();
    private readonly RequestPath path;
    private readonly EnergyDuty duty = new();
    private readonly Reports reports;

    // Of what it says again and again; other topics are made when they are needed.
    private readonly Topic budget, infer;
    private readonly Applier<Assignment> applier;
    private Camera? camera;

    // Null while it makes no difference whether a controller is there.
    private ControllerWatch? controllerWatch;

    // Null once a head is there.
    private TaskCompletionSource? firstHead = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Between reports while it runs nothing: ever longer, since nobody may be there, or be hard to reach, or files come slowly.
    private Seconds idle = new(5);
    private static readonly Seconds IdleMax = new(3600);

    // What wakes it for its next report, and how long it sleeps until then.
    private Alarm? reportAlarm;
    private Seconds nap;
    private long windowOpened;
    private long? inputsBegan;
    private long epochSeen;
    private CancellationToken stopping;
    private Presence presence = Presence.Init;
    private string lastError = "";
    private bool hasComplained;

    /// <param name="install">Makes the head that an assignment names; throws <see cref="FaultsException"/> when it cannot.</param>
    public Agent(AgentOptions options, IBus bus, TimeProvider clock, Random random, SensorSuite sensors, Func<Assignment, CancellationToken, ValueTask<Head>> install)
    {
        (this.options, this.bus, this.clock, this.random, this.sensors, this.install) = (options, bus, clock, random, sensors, install);
        (budget, infer) = (Mine(TopicKind.Budget), Mine(TopicKind.Infer));
        offloads = new Offloads(bus, clock, options.PendingMax, new LinkEstimate(options.Profile.Radio.Goodput.Value));
        path = new RequestPath(options, clock, random, offloads, Window, times);
        path.Audited += audited => bus.Publish(Mine(TopicKind.Audit), audited);
        applier = new Applier<Assignment>(clock, Switch, (target, error) => ReportError($"version {target.Version}: {error}"), random);
        epochSeen = options.Default?.Epoch ?? 0;
        reports = new Reports(options, clock, sensors, times, Window, offloads);
    }

    /// <summary>Counts of the running window and totals.</summary>
    public Window Window { get; } = new();

    /// <summary>Raised on the loop for every input taken and every answer given.</summary>
    public event Action<Sample>? Started
    {
        add => path.Started += value;
        remove => path.Started -= value;
    }

    /// <inheritdoc cref="Started"/>
    public event Action<Answer>? Answered
    {
        add => path.Answered += value;
        remove => path.Answered -= value;
    }

    /// <summary>Inputs taken and not yet answered.</summary>
    public int InFlight => path.InFlight;

    /// <summary>Inputs not taken to spare the battery.</summary>
    public int Spared => duty.Spared;

    /// <summary>Raised for every assignment that runs from now on, so that it can be remembered over a restart.</summary>
    public event Action<Assignment>? Applied;

    /// <summary>Raised with each error that it reports: while no broker is there nobody else hears of it.</summary>
    public event Action<string>? Complained;

    /// <summary>Raised on the loop with each budget: what the stages held take, and how many inputs have been answered.</summary>
    public event Action<IReadOnlyList<StageTime>, long>? Measured;

    /// <summary>To be told when files were fetched over its link: so many bytes in this time.</summary>
    public void Fetched(Bytes bytes, Seconds took) => offloads.Link.Fetched(bytes, took);

    /// <summary>What it runs; null before the first head.</summary>
    public Assignment? Assignment => path.Running?.Assignment;

    /// <summary>Messages for this device that could not be read.</summary>
    public long Malformed { get; private set; }

    /// <summary>Runs until <paramref name="stop"/>, then says goodbye. Inputs are taken from the moment a head is there.</summary>
    [AsyncMethodBuilder(typeof(LoopMethod))]
    public async ValueTask Run(Camera camera, CancellationToken stop)
    {
        await StayAwake();
        (stopping, this.camera, windowOpened) = (stop, camera, clock.GetTimestamp());
        applier.StopWith(stop);
        if (camera.Rate is { } rate) Window.Expect(rate);
        Announce();
        bus.ConnectionChanged += OnConnection;
        using var desiredSubscription = bus.Subscribe(Mine(TopicKind.Desired).Path, OnMessage);
        using var commandSubscription = bus.Subscribe(Mine(TopicKind.Command, "+").Path, OnMessage);
        using var replySubscription = bus.Subscribe(Mine(TopicKind.Reply).Path, OnMessage);
        if (options.Default is { } assignment) applier.Want(assignment);

        var reporting = Report(stop);
        await TakeInputs(camera, stop);
        await StayAwake();
        await reporting;
        await applier.Idle();
        controllerWatch?.Dispose();
        bus.ConnectionChanged -= OnConnection;
        presence = Presence.Disconnected;
        bus.Publish(Mine(TopicKind.State), State.Disconnected);
    }

    [AsyncMethodBuilder(typeof(LoopMethod))]
    private async ValueTask TakeInputs(Camera camera, CancellationToken stop)
    {
        var begins = firstHead!;
        using (stop.Register(() => begins.TrySetResult())) await begins.Task;
        firstHead = null;
        inputsBegan = clock.GetTimestamp();
        MaySleep();
        try
        {
            await foreach (var sample in camera.Samples(stop))
            {
                // A camera that is behind never waits, and so never sees that it shall stop.
                if (stop.IsCancellationRequested) return;
                if (Fits(sample) && duty.Takes()) await path.Infer(sample);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop while waiting for the next input.
        }
    }

    /// <summary>A camera of another size than the model's input is told once an assignment, and its pictures are not inputs.</summary>
    private bool Fits(Sample sample)
    {
        var needed = path.Running!.InputElements;
        if (sample.Pixels.Length == needed) return true;
        var error = $"the camera gives {sample.Pixels.Length} pixels; {path.Running.Head.Card.Name} needs {needed}";
        if (lastError != error) ReportError(error);
        return false;
    }

    [AsyncMethodBuilder(typeof(LoopMethod))]
    private async ValueTask Report(CancellationToken stop)
    {
        // A random phase keeps a fleet that started together from reporting together.
        using var alarm = reportAlarm = new Alarm(clock, stop);
        await alarm.Sleep(Period * random.NextDouble());
        for (var begun = clock.GetTimestamp(); await alarm.Sleep(nap = Period); begun = clock.GetTimestamp())
        {
            if (clock.Since(begun) < nap * 0.5) continue;
            await StayAwake();
            CloseWindow();
            controllerWatch?.Look(Period);
            if (hasComplained && Assignment is { } current) bus.Publish(Mine(TopicKind.Reported), current with { Error = lastError });
            hasComplained = false;
            if (Assignment is not null) Tell(reports.News(Period, Assignment));
            else Insist();
            MaySleep();
        }
        await Drain();
        CloseWindow();
    }

    private void TellBudget() => Tell(reports.Budget(Period, Assignment));

    /// <summary>It runs nothing: who it is may have got lost on the way.</summary>
    private void Insist()
    {
        idle = Seconds.Min(idle * 2, IdleMax);
        Announce();
    }

    /// <summary>The next report is due sooner than it is slept for: a controller would miss it.</summary>
    private void Hasten()
    {
        if (nap > Period * 2) reportAlarm?.Wake();
    }

    /// <summary>What it has measured of its battery decides which inputs it takes, told or not.</summary>
    private void Tell(Budget? news)
    {
        if (news is not null) bus.Publish(budget, news);
        duty.Look(reports.Battery, Assignment);
        if (path.Running is { } now) Measured?.Invoke(StageTime.Of(now.Head.Card, times.Seconds(now.Depth), times.Encoder, now.Assignment.Bottleneck), Window.AnsweredTotal);
    }

    private void CloseWindow()
    {
        var length = clock.Since(windowOpened);
        var looked = inputsBegan is { } began ? Seconds.Min(length, clock.Since(began)) : Seconds.Zero;
        windowOpened = clock.GetTimestamp();
        bus.Publish(infer, Window.Close(clock.UnixTime(), length, looked, Assignment, path.InFlight, camera?.Skipped ?? 0, duty.Spared));
    }

    /// <summary>Waits for answers that are still due; their deadlines end it, and if one does not, the books will say so.</summary>
    private async Task Drain()
    {
        var began = clock.GetTimestamp();
        var longest = (Assignment?.Deadline ?? Seconds.Zero) + new Seconds(5);
        while (path.InFlight > 0 && clock.Since(began) < longest) await clock.Delay(new Seconds(0.02));
    }

    private ValueTask StayAwake() => options.WakeLocks?.Take() ?? ValueTask.CompletedTask;

    private void MaySleep() => options.WakeLocks?.Release();

    /// <summary>What it is once it works: a device that sleeps between its inputs says so once, not each time.</summary>
    private Presence Working => options.WakeLocks is null ? Presence.Ready : Presence.Sleeping;

    private Seconds Period => Assignment?.ReportPeriod ?? idle;

    private void Announce()
    {
        bus.Publish(Mine(TopicKind.State), new State(presence));
        bus.Publish(Mine(TopicKind.Info), options.Info);
        TellBudget();
        if (Assignment is { } current) bus.Publish(Mine(TopicKind.Reported), current with { Error = lastError });
    }

    private void OnConnection(bool connected)
    {
        if (connected) Announce();
    }

    private Topic Mine(TopicKind kind, string command = "") => new(kind, options.Site, options.Id, command);

    private void OnMessage(Topic topic, Message message)
    {
        if (topic.Kind is TopicKind.Desired) OnDesired(topic, message);
        else if (topic.Kind is TopicKind.Command) OnCommand(topic, message);
        else OnReply(topic, message);
    }

    private void OnReply(Topic topic, Message message)
    {
        if (message is Reply reply) offloads.Receive(reply);
        else Complain(topic, message);
    }

    private void OnDesired(Topic topic, Message message)
    {
        if (message is not Assignment desired)
        {
            Complain(topic, message);
            return;
        }
        var known = applier.Wanted ?? Assignment;
        if (desired.Epoch < epochSeen || desired.Epoch == epochSeen && known is not null && desired.Version < known.Version)
        {
            ReportError($"desired version {desired.Version} of epoch {desired.Epoch} is older than version {known?.Version} of epoch {epochSeen}: refused");
            return;
        }
        epochSeen = desired.Epoch;
        applier.Want(desired);
    }

    [AsyncMethodBuilder(typeof(LoopMethod))]
    private async ValueTask Switch(Assignment target)
    {
        await StayAwake();
        try
        {
            await Run(target);
        }
        finally
        {
            MaySleep();
        }
    }

    [AsyncMethodBuilder(typeof(LoopMethod))]
    private async ValueTask Run(Assignment target)
    {
        var now = path.Running;
        var head = now is not null && Holds(now, target) ? now.Head : await install(target, stopping);
        var faults = target.FaultsWith(head.Card).Concat(Learners.Faults(target, head.Card)).ToList();
        if (head != now?.Head && (stopping.IsCancellationRequested || faults.Count > 0)) head.Dispose();
        if (stopping.IsCancellationRequested) return;
        FaultsException.ThrowIfAny("desired", faults);
        var edge = target.OffloadTo.Length == 0 ? null : now?.Edge?.Id == target.OffloadTo ? now.Edge : new Topic(TopicKind.Offload, options.Site, target.OffloadTo);
        if (head != now?.Head) await Try(head);
        // A window belongs to one assignment, or nobody could say what its answers promised.
        if (now is not null && !now.Assignment.RunsAs(target)) CloseWindow();
        // One that sleeps hears nobody for most of the time: it could not tell.
        if (options.WakeLocks is null && (target.Decision is not null || target.Alone is not null)) controllerWatch ??= WatchController();
        var auditor = edge is null && target.AuditTo is { } other ? new Topic(TopicKind.Offload, options.Site, other) : null;
        await path.Swap(new Running(head, target, edge, auditor) { Judging = Judge(target, head.Card) });
        Applied?.Invoke(target);
        lastError = "";
        bus.Publish(Mine(TopicKind.Reported), target);
        TellBudget();
        Hasten();
        // Who is told the same again was not heard.
        var isToldAgain = now is not null && (now.Assignment.Epoch, now.Assignment.Version) == (target.Epoch, target.Version);
        if (presence == Working && !isToldAgain) return;
        presence = Working;
        bus.Publish(Mine(TopicKind.State), new State(Working));
        firstHead?.TrySetResult();
    }

    private ControllerWatch WatchController()
    {
        var watch = new ControllerWatch(options.Site, bus, clock);
        watch.Changed += Rejudge;
        return watch;
    }

    /// <summary>The controller is gone, or back: another may decide. A failure here is a bug and ends the process, hence async void.</summary>
    private async void Rejudge() => await path.Judge(now => Judge(now.Assignment, now.Head.Card));

    private Judging? Judge(Assignment target, ModelCard card) => learners.For(target, card, isAlone: controllerWatch is { IsAlone: true }) is { } decider
        ? new Judging(decider, target, Learners.Alarms(target, card), options.Profile.OnAir(Way.FrameBytes(target, card)))
        : null;

    /// <summary>Whether the head in use does for an assignment: it has its stages, and the encoder of its bottleneck. An unknown one's fault is told by whoever looks at the card.</summary>
    private static bool Holds(Running now, Assignment target) => now.Assignment.CardSha256 == target.CardSha256 && now.Assignment.View == target.View && now.Head.Depth == target.Head
        && now.Head.Card.NumberOf(target.Bottleneck) is var number && (number is null or 0 || now.Head.Bottlenecks.Contains(number.Value));

    [AsyncMethodBuilder(typeof(LoopMethod))]
    private async ValueTask Try(Head head)
    {
        try
        {
            await path.Measure(head, options.MeasureRuns);
        }
        catch
        {
            head.Dispose();
            throw;
        }
    }

    private void OnCommand(Topic topic, Message message)
    {
        if (message is not Command command) Complain(topic, message);
        else if (command.Status == "init") Execute(topic, command);
    }

    /// <summary>A failure here is a bug and ends the process, hence async void.</summary>
    private async void Execute(Topic topic, Command command)
    {
        if (command.Verb is not "measure")
        {
            bus.Publish(topic, command with { Status = "failed", Error = $"command is \"{command.Verb}\"; allowed: measure" });
            return;
        }
        if (Assignment is null)
        {
            bus.Publish(topic, command with { Status = "failed", Error = "no head is installed yet: there is nothing to measure" });
            return;
        }
        await StayAwake();
        bus.Publish(topic, command with { Status = "executing" });
        await path.Measure(path.Running!.Head, options.MeasureRuns);
        TellBudget();
        bus.Publish(topic, command with { Status = "successful" });
        MaySleep();
    }

    private void Complain(Topic topic, Message message)
    {
        Malformed++;
        // Said once a report period and then taken back: garbage from others is no fault of what runs, and must not make a flood.
        if (hasComplained || (Assignment ?? applier.Wanted) is not { } current) return;
        hasComplained = true;
        var complaint = Short(message is Malformed malformed ? $"{topic.Path}: {malformed.Reason}" : $"{topic.Path}: unexpected {message.GetType().Name}");
        bus.Publish(Mine(TopicKind.Reported), current with { Error = complaint });
        Complained?.Invoke(complaint);
    }

    private void ReportError(string error)
    {
        lastError = Short(error);
        Complained?.Invoke(lastError);
        // Before the first head the one that could not be had is named: nobody would hear of its error otherwise.
        if ((Assignment ?? applier.Wanted) is { } current) bus.Publish(Mine(TopicKind.Reported), current with { Error = lastError });
    }

    private static string Short(string error) => error.Length <= 500 ? error : error[..500];
}
