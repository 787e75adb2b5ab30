using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Emulator;
using Fleet.Emulator.Simulation;
using Fleet.Models;

namespace Fleet.Benchmarks;

/// <summary>The path of one input through an agent that stays local, without sensing and reporting around it.</summary>
internal sealed class AgentPath : IDisposable
{
    private readonly Head head;
    private readonly RequestPath path;
    private readonly Sample sample;

    /// <param name="stock">The model <paramref name="model"/> and the images.</param>
    /// <param name="depth">Stages that run: no exit before it is ever confident.</param>
    public AgentPath(Stock stock, string model, int depth)
    {
        var files = stock.Models[model];
        var exits = Enumerable.Range(1, depth).ToList();
        var assignment = new Assignment
        {
            Version = 1,
            Epoch = 1,
            Model = model,
            CardSha256 = files.CardSha256,
            Head = depth,
            Thresholds = new PerExit(exits.Select(exit => exit == depth ? 0.0 : 2)),
            Temperatures = new PerExit(exits.Select(exit => files.Card.Exit(exit).Temperature)),
        };
        var options = new AgentOptions { Site = "bench", Id = "bench", Info = Info, Profile = stock.Profiles["pi-5"] };
        sample = stock.Images(files.Card.Replays).Sample(0);
        head = Head.Onnx(files.Card, files.Hash, [.. exits.Select(stage => stock.Stage(files, stage))]);
        path = new RequestPath(options, TimeProvider.System, new SeededRandom(1, "bench"), new Offloads(new NoBus(), TimeProvider.System, options.PendingMax, new LinkEstimate(options.Profile.Radio.Goodput.Value)), new Window(), new StageTimes());
        path.Swap(new Running(head, assignment, Edge: null)).GetAwaiter().GetResult();
    }

    private static Info Info { get; } = new() { Board = "bench", Stack = "onnxruntime", Profile = "pi-5", AgentVersion = "0", Os = "linux", Emulated = true };

    public void Infer()
    {
        var inference = path.Infer(sample);
        if (!inference.IsCompletedSuccessfully) throw new InvalidOperationException("a local inference did not complete at once");
    }

    public void Dispose() => head.Dispose();

    /// <summary>Nobody listens: an agent that stays local says nothing on its request path.</summary>
    private sealed class NoBus : IBus
    {
        public event Action<bool>? ConnectionChanged
        {
            add { }
            remove { }
        }

        public bool IsConnected => false;

        public void Publish(Topic topic, Message message) => throw new NotSupportedException($"{topic.Path} on a local path");

        public IDisposable Subscribe(string filter, Action<Topic, Message> handler) => throw new NotSupportedException(filter);
    }
}
