using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.DeviceAgent.Sensing;
using Fleet.Emulator.Simulation;
using Fleet.Models;
using Fleet.Tests.Emulator;

namespace Fleet.Tests.DeviceAgent;

/// <summary>One agent with a tiny traced head on a simulated bus, an edge server that answers as told, and everything that is said.</summary>
internal sealed class AgentWorld
{
    public static readonly HardwareProfile Profile = ProfileFile.Read(Path.Combine(ProjectFiles.Find("hardware-profiles"), "pi-zero-2w.json"));
    private readonly CancellationTokenSource stop = new();
    private readonly BusWorld world = new();
    private readonly SimBus.Connection control;
    private readonly Camera camera;
    private Task running = Task.CompletedTask;

    /// <param name="inputs">When which sample comes.</param>
    public AgentWorld(IEnumerable<(double At, int Sample)> inputs, Assignment? byDefault = null, double stageSeconds = 0.01, int pendingMax = 32, Random? random = null, double labelledAudits = 0)
    {
        Line = world.Bus.Connect("cam-1", (new Topic(TopicKind.State, "lab", "cam-1"), State.Lost));
        control = world.Bus.Connect("controller");
        Stage = new Seconds(stageSeconds);
        var options = new AgentOptions
        {
            Site = "lab",
            Id = "cam-1",
            Profile = Profile,
            Default = byDefault,
            PendingMax = pendingMax,
            LabelledAudits = labelledAudits,
            MeasureRuns = 1,
            Info = new Info { Board = "b", Stack = "s", Profile = Profile.Id, AgentVersion = "1", Os = "test", Emulated = true },
        };
        Agent = new Agent(options, Line, Clock, random ?? new SeededRandom(1, "agent"), new SensorSuite([]), (wanted, _) => Install(wanted));
        Agent.Answered += Answers.Add;
        Agent.Complained += Complaints.Add;
        Agent.Answered += answer => Told.Add((Now, answer));
        camera = new Camera(Source(inputs), null, Clock);
        world.Bus.Connect("viewer").Subscribe("fleet/v1/lab/#", (topic, message) => Said.Add((Now, topic, message)));
        world.Bus.Connect("watch").Subscribe(new Topic(TopicKind.Audit, "lab", "cam-1").Path, (_, message) => Audits.Add((Audit)message));
        Edge("edge-1");
    }

    public SimClock Clock => world.Clock;

    public MessageBooks Books => world.Books;

    public SimBus.Connection Line { get; }

    public Agent Agent { get; }

    public Seconds Stage { get; set; }

    public List<Answer> Answers { get; } = [];

    public List<string> Complaints { get; } = [];

    /// <summary>The same with the times when they were given.</summary>
    public List<(double At, Answer Answer)> Told { get; } = [];

    public List<(double At, Topic Topic, Message Message)> Said { get; } = [];

    /// <summary>Frames that reached an edge server.</summary>
    public List<(double At, string Edge, TensorFrame Frame)> Asked { get; } = [];

    public List<Audit> Audits { get; } = [];

    /// <summary>Installs asked for, with the times.</summary>
    public List<(double At, Assignment Wanted)> Installs { get; } = [];

    /// <summary>Stages that ran, in order.</summary>
    public List<int> Ran { get; } = [];

    /// <summary>Says why an install fails; null when it works.</summary>
    public Func<Assignment, string?> Refuses { get; set; } = _ => null;

    public Seconds InstallTime { get; set; }

    /// <summary>What an edge server does with a frame: its status and when it answers; null never answers.</summary>
    public Func<TensorFrame, (OffloadStatus Status, double After)?> Answering { get; set; } = _ => (OffloadStatus.Ok, 0.05);

    public double Now => Clock.Since(0).Value;

    public IEnumerable<InferWindow> Windows => Said.Select(said => said.Message).OfType<InferWindow>();

    public IEnumerable<Budget> Budgets => Said.Select(said => said.Message).OfType<Budget>();

    public IEnumerable<Assignment> Reported => Said.Where(said => said.Topic.Kind is TopicKind.Reported).Select(said => (Assignment)said.Message);

    public void Start() => Clock.Start(() => running = Agent.Run(camera, stop.Token).AsTask());

    public AgentWorld Run(double untilSeconds)
    {
        if (Now == 0) Start();
        Clock.Run(TimeSpan.FromSeconds(untilSeconds));
        return this;
    }

    /// <summary>Asks the agent to stop and waits for its end.</summary>
    public void End(double untilSeconds)
    {
        Clock.Soon(stop.Cancel);
        Run(untilSeconds);
        if (!running.IsCompletedSuccessfully) throw new InvalidOperationException("the agent has not ended");
    }

    public void Desire(Message message) => Clock.Soon(() => control.Publish(new Topic(TopicKind.Desired, "lab", "cam-1"), message));

    public void Say(Topic topic, Message message) => Clock.Soon(() => control.Publish(topic, message));

    public void Edge(string id)
    {
        var edge = world.Bus.Connect(id);
        edge.Subscribe(new Topic(TopicKind.Offload, "lab", id).Path, (_, message) => OnOffload(edge, id, (TensorFrame)message));
    }

    private async void OnOffload(SimBus.Connection edge, string id, TensorFrame frame)
    {
        Asked.Add((Now, id, frame));
        if (Answering(frame) is not { } answer) return;
        await Clock.Delay(new Seconds(answer.After));
        edge.Publish(frame.ReplyTo, new Reply { RequestId = frame.RequestId, Status = answer.Status, Label = TinyModel.EdgeLabel, Confidence = 0.99, Batch = 1 });
    }

    private async ValueTask<Head> Install(Assignment wanted)
    {
        Installs.Add((Now, wanted));
        await Clock.Delay(InstallTime);
        if (Refuses(wanted) is { } fault) throw new FaultsException("head", fault);
        return TinyModel.Head(wanted.Head, Clock, Stage, Ran.Add);
    }

    private async IAsyncEnumerable<Sample> Source(IEnumerable<(double At, int Sample)> inputs)
    {
        foreach (var (at, sample) in inputs)
        {
            if (at > Now) await Clock.Delay(new Seconds(at - Now));
            yield return TinyModel.Sample(sample);
        }
        await new TaskCompletionSource().Task.WaitAsync(stop.Token);
    }
}
