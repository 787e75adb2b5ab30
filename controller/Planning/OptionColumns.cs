using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>Options of one head and one route, which stand together in the columns.</summary>
/// <param name="Start">Of the first; <paramref name="End"/> is behind the last.</param>
/// <param name="Crossing">Place in <see cref="OptionColumns.Crossings"/>; <see cref="OptionColumns.Local"/> when nothing crosses.</param>
public readonly record struct OptionBlock(int Start, int End, int Head, int Crossing)
{
    public int Count => End - Start;
}

/// <summary>
/// Options as flat columns, so that what all of them cost a device are a few vector operations: stage shares x costs of the stages + share
/// offloaded x cost of one crossing + errors. Local blocks come first.
/// </summary>
public sealed class OptionColumns
{
    /// <summary>The crossing of what stays on the device.</summary>
    public const int Local = -1;

    private readonly float[][] stageShares;
    private readonly Dictionary<Option, int> places = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<(int Head, Route? Route, PerExit Thresholds), int> placesAlike;

    /// <exception cref="ArgumentException">None, or too many for a number of 16 bits.</exception>
    public OptionColumns(IReadOnlyList<Option> options)
    {
        if (options.Count is 0 or > ushort.MaxValue) throw new ArgumentException($"{options.Count} options; allowed: 1 to {ushort.MaxValue}", nameof(options));
        Model = options[0].Model;
        var routes = options.Select(option => option.Route).OfType<Route>().Distinct().OrderBy(route => route.Cut).ThenBy(route => route.Bottleneck).ThenBy(route => route.Codec).ToList();
        var tails = routes.Select(route => route.Tail).Distinct().ToList();
        Crossings = [.. routes.Select(route => new Crossing(route, tails.IndexOf(route.Tail), options.First(option => option.Route == route).Payload))];
        Tails = tails;
        var blocks = options.GroupBy(option => (Crossing: option.Route is { } route ? routes.IndexOf(route) : Local, option.Head)).OrderBy(block => block.Key).ToList();
        Options = [.. blocks.SelectMany(block => block)];
        var at = 0;
        Blocks = [.. blocks.Select(block => new OptionBlock(at, at += block.Count(), block.Key.Head, block.Key.Crossing))];
        Stages = Model.Files.Card.StageCount;
        stageShares = [.. Enumerable.Range(0, Stages).Select(stage => Column(option => option.SendsAll || stage >= option.Head ? 0 : option.StageShares[stage]))];
        for (var i = 0; i < Options.Count; i++) places.Add(Options[i], i);
        placesAlike = Options.Select((option, i) => (option, i)).ToDictionary(pair => (pair.option.Head, pair.option.Route, pair.option.Thresholds), pair => pair.i);
        (Offload, Lost) = (Column(option => option.OffloadShare), Column(option => option.Model.FullAccuracy - option.Accuracy));
    }

    public PlannedModel Model { get; }

    /// <summary>In the order of the columns.</summary>
    public IReadOnlyList<Option> Options { get; }

    public IReadOnlyList<OptionBlock> Blocks { get; }

    public IReadOnlyList<Crossing> Crossings { get; }

    /// <summary>What edge servers need to hold for some crossing.</summary>
    public IReadOnlyList<TailStart> Tails { get; }

    public int Stages { get; }

    public float[] Offload { get; }

    /// <summary>Accuracy below the whole network's.</summary>
    public float[] Lost { get; }

    /// <summary>Where an option, or one like it, stands in the columns; -1: nowhere.</summary>
    public int PlaceOf(Option option) =>
        places.TryGetValue(option, out var place) || placesAlike.TryGetValue((option.Head, option.Route, option.Thresholds), out place) ? place : -1;

    /// <summary>Share of inputs that run stage 1.. under each option of a block.</summary>
    public ReadOnlySpan<float> Shares(int stage, OptionBlock block) => stageShares[stage - 1].AsSpan(block.Start, block.Count);

    private float[] Column(Func<Option, double> of) => [.. Options.Select(option => (float)of(option))];
}

/// <summary>A way across: the route, the tail that finishes it (place in <see cref="OptionColumns.Tails"/>), and its mean payload without the frame's header.</summary>
public readonly record struct Crossing(Route Route, int Tail, Bytes Payload);
