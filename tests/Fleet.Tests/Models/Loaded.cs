using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Tests.Models;

/// <summary>Every piece of a model, loaded: a whole head with all encoders, and tails on demand.</summary>
internal sealed class Loaded : IDisposable
{
    private static readonly Topic Back = new(TopicKind.Reply, "lab", "cam-1");
    private readonly ModelFiles model;
    private readonly List<IDisposable> owned = [];
    private readonly Dictionary<TailStart, Tail> tails = [];

    public Loaded(ModelFiles model)
    {
        this.model = model;
        var stages = Enumerable.Range(1, model.Card.StageCount).Select(stage => Own(model.LoadStage(stage))).ToList();
        var encoders = Enumerable.Range(1, model.Card.Bottlenecks.Count).Select(number => Own(model.LoadEncoder(number))).ToList();
        Head = Own(Head.Onnx(model.Card, model.Hash, stages, encoders: encoders));
    }

    public Head Head { get; }

    public Tail Tail(TailStart start) => tails.TryGetValue(start, out var tail) ? tail
        : tails[start] = Own(Fleet.Models.Tail.Onnx(model.Card, model.Hash, start, Own(model.LoadTail(start)), batchMax: 4, model.ReadTables(start.Bottleneck)));

    public void RunHead(Sample sample)
    {
        Head.Load(sample);
        for (var stage = 1; stage <= Head.Depth; stage++) Head.Run(stage).AsTask().Wait();
    }

    /// <summary>Over the route, through the wire's encoding.</summary>
    public TensorFrame Send(Route route, out float[] logits)
    {
        var frame = (TensorFrame)TensorFrame.Decode(Wire.Encode(Head.Pack(route, 1, new Seconds(1), Back).AsTask().Result.Frame), Back);
        var tail = Tail(route.Tail);
        if (tail.Refuses(frame) is { } fault || !tail.Load(0, frame)) throw new InvalidOperationException($"{route} is refused");
        tail.Run(1).AsTask().Wait();
        logits = tail.Logits(0).ToArray();
        return frame;
    }

    public void Dispose()
    {
        owned.Reverse();
        foreach (var each in owned) each.Dispose();
    }

    private T Own<T>(T disposable) where T : IDisposable
    {
        owned.Add(disposable);
        return disposable;
    }
}
