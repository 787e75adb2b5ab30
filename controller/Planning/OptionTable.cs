using System.Numerics.Tensors;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Controller.Planning;

/// <summary>
/// Every option of a model: heads, thresholds and routes with their shares and accuracies, counted once on the calibration trace.
/// One threshold serves all exits of a head. No offload is worse than staying: a route that loses something is offered only to heads
/// whose deepest exit is right less often than the network behind the route.
/// </summary>
public sealed class OptionTable
{
    /// <summary>Never confident: every input is sent.</summary>
    public const double Never = 2;

    /// <summary>What policies without a threshold of their own use.</summary>
    public const double DefaultThreshold = 0.8;

    private static readonly double[] Grid = [0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99];
    private readonly float[][] confidences;
    private readonly bool[][] correct;
    private readonly Dictionary<Route, bool[]> routeCorrect = [];

    public OptionTable(PlannedModel model)
    {
        Model = model;
        var (card, trace) = (model.Files.Card, model.Calibration);
        confidences = new float[card.StageCount][];
        correct = new bool[card.StageCount][];
        for (var exit = 1; exit <= card.StageCount; exit++) (confidences[exit - 1], correct[exit - 1]) = Judge(exit, card.Exit(exit).Temperature);
        foreach (var route in card.Routes.Select(card.RouteOf).Where(trace.Knows)) routeCorrect.Add(route, JudgeRoute(route));
        All = [.. Build()];
        Bottlenecks = [.. All.Select(option => option.Route?.Bottleneck ?? 0).Where(number => number > 0).Distinct().Order().Select(number => card.Bottleneck(number).Name)];
    }

    public PlannedModel Model { get; }

    public IReadOnlyList<Option> All { get; }

    /// <summary>Names of the bottlenecks that some option sends, in the card's order.</summary>
    public IReadOnlyList<string> Bottlenecks { get; }

    /// <summary>The option an assignment runs; null when the table has none like it.</summary>
    public Option? Find(Assignment assignment) => All.FirstOrDefault(option => option.IsRunBy(assignment));

    /// <summary>The option with this head, threshold and route (null: local).</summary>
    public Option Get(int head, double threshold, Route? route) =>
        All.FirstOrDefault(option => option.Head == head && option.Route == route && (option.Thresholds.Of(1) == threshold || head == 1 && route is null))
        ?? Count(head, threshold, route);

    private IEnumerable<Option> Build()
    {
        var stages = Model.Files.Card.StageCount;
        for (var head = 1; head <= stages; head++)
        {
            var routes = Routes(head).ToList();
            foreach (var threshold in Grid)
            {
                if (head > 1 || threshold == DefaultThreshold) yield return Count(head, threshold, route: null);
                foreach (var route in routes) yield return Count(head, threshold, route);
            }
            foreach (var route in routes.Where(route => route.Cut == 0 && head == 1)) yield return Count(head, Never, route);
        }
    }

    /// <summary>Behind the last stage nothing is left to send.</summary>
    private IEnumerable<Route> Routes(int head) => head == Model.Files.Card.StageCount ? [] : routeCorrect.Keys
        .Where(route => route.Cut == 0 || route.Cut == head || route.Bottleneck > 0 && route.Cut < head)
        .Where(route => route.IsLossless || Right(routeCorrect[route]) > Right(correct[head - 1]))
        .OrderBy(route => route.Cut).ThenBy(route => route.Bottleneck).ThenBy(route => route.Codec);

    private static int Right(bool[] answers) => answers.Count(isRight => isRight);

    private Option Count(int head, double threshold, Route? route)
    {
        var samples = Model.Calibration.Samples;
        var (ran, exited, right) = (new int[head], new int[head], new int[head]);
        var (offloaded, offloadRight, fallbackRight) = (0, 0, 0);
        for (var sample = 0; sample < samples; sample++)
        {
            var exit = 1;
            for (; exit <= head; exit++)
            {
                ran[exit - 1]++;
                if (confidences[exit - 1][sample] < threshold && !(route is null && exit == head)) continue;
                exited[exit - 1]++;
                if (correct[exit - 1][sample]) right[exit - 1]++;
                break;
            }
            if (exit <= head) continue;
            offloaded++;
            if (routeCorrect[route!.Value][sample]) offloadRight++;
            if (correct[head - 1][sample]) fallbackRight++;
        }
        return new Option
        {
            Model = Model,
            Head = head,
            Route = route,
            Thresholds = new PerExit(Enumerable.Range(1, head).Select(exit => route is null && exit == head ? 0 : threshold)),
            StageShares = [.. ran.Select(count => (double)count / samples)],
            ExitShares = [.. exited.Select(count => (double)count / samples)],
            ExitAccuracies = [.. right.Zip(exited, Share)],
            OffloadShare = (double)offloaded / samples,
            OffloadAccuracy = Share(offloadRight, offloaded),
            FallbackAccuracy = Share(fallbackRight, offloaded),
            Payload = route is { } crossing ? MeanPayload(crossing) : Bytes.Zero,
        };
    }

    private static double Share(int part, int whole) => whole == 0 ? 0 : (double)part / whole;

    private Bytes MeanPayload(Route route)
    {
        var trace = Model.Calibration;
        if (FeatureSize(route) is { } size) return new Bytes(size);
        return new Bytes(Enumerable.Range(0, trace.Samples).Average(sample => trace.PayloadBytes(route, sample) ?? Model.Files.Card.Cuts[0].Elements));
    }

    private long? FeatureSize(Route route) => TensorFrame.PayloadBytes(route.Codec, Model.Files.Card.Crossing(route.Tail).Elements);

    private (float[] Confidence, bool[] Correct) Judge(int exit, double temperature)
    {
        var trace = Model.Calibration;
        var (confidence, right, logits) = (new float[trace.Samples], new bool[trace.Samples], new float[trace.Classes]);
        for (var sample = 0; sample < trace.Samples; sample++)
        {
            TensorPrimitives.ConvertToSingle(trace.ExitLogits(exit, sample), logits);
            confidence[sample] = (float)Confidence.MaxProbability(logits, temperature, out var label);
            right[sample] = label == trace.Label(sample);
        }
        return (confidence, right);
    }

    private bool[] JudgeRoute(Route route)
    {
        var trace = Model.Calibration;
        var (right, logits) = (new bool[trace.Samples], new float[trace.Classes]);
        for (var sample = 0; sample < trace.Samples; sample++)
        {
            TensorPrimitives.ConvertToSingle(trace.RouteLogits(route, sample), logits);
            right[sample] = Confidence.ArgMax(logits) == trace.Label(sample);
        }
        return right;
    }
}
