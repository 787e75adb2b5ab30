using System.Collections.Concurrent;
using System.Numerics.Tensors;
using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Deciding;

namespace Fleet.Controller.Planning;

/// <summary>
/// Every option of a model: heads, thresholds and routes with their shares and accuracies, counted once on the calibration trace.
/// One threshold serves all exits of a head. No offload is worse than staying: a route that loses something is offered only to heads
/// whose deepest exit is right less often than the network behind the route. <see cref="Front"/> has a threshold of its own for each exit.
/// </summary>
public sealed class OptionTable
{
    /// <summary>Never confident: every input is sent.</summary>
    public const double Never = 2;

    /// <summary>What policies without a threshold of their own use.</summary>
    public const double DefaultThreshold = 0.8;

    /// <summary>Options off the grid that are remembered; the fronts have fewer.</summary>
    private const int CountedMax = 4096;

    private static readonly double[] Grid = [0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99];
    private readonly float[][] confidences;
    private readonly int[][] answers;
    private readonly bool[][] correct;
    private readonly double? riskMax;
    private readonly Dictionary<Route, int[]> routeAnswers = [];
    private readonly Dictionary<Route, bool[]> routeCorrect = [];
    private readonly ConcurrentDictionary<(int Head, PerExit Thresholds, Route? Route), Option> counted = [];
    private readonly Lazy<IReadOnlyList<Option>> front;
    private readonly Lazy<OptionColumns> columns;
    private readonly ConcurrentDictionary<(int Head, Route Route), Prospect> prospects = [];
    private readonly ConcurrentDictionary<int, float[]> ranked = [];

    /// <param name="riskMax">Share of answers that may differ from the tail's, for which each way to one also has thresholds by conformal risk control; null: none has.</param>
    public OptionTable(PlannedModel model, double? riskMax = null)
    {
        (Model, this.riskMax) = (model, riskMax);
        var (card, trace) = (model.Files.Card, model.Calibration);
        confidences = new float[card.StageCount][];
        answers = new int[card.StageCount][];
        for (var exit = 1; exit <= card.StageCount; exit++) (confidences[exit - 1], answers[exit - 1]) = Judge(exit, card.Exit(exit).Temperature);
        correct = Array.ConvertAll(answers, IsRight);
        foreach (var route in card.Routes.Select(card.RouteOf).Where(trace.Knows)) routeAnswers.Add(route, AnswersBehind(route));
        foreach (var (route, answered) in routeAnswers) routeCorrect.Add(route, IsRight(answered));
        All = [.. WithControlled(Build().ToList())];
        front = new(() => [.. BuildFront()]);
        columns = new(() => new OptionColumns(Front));
        Bottlenecks = [.. All.Select(option => option.Route?.Bottleneck ?? 0).Where(number => number > 0).Distinct().Order().Select(number => card.Bottleneck(number).Name)];
    }

    public PlannedModel Model { get; }

    public IReadOnlyList<Option> All { get; }

    /// <summary>
    /// What is worth choosing from, whatever the device: for each head and route the sets of thresholds on the Pareto fronts of accuracy
    /// and work, and those of <see cref="All"/>, without any that another of the same head and route beats in accuracy, in every stage's
    /// share and in what crosses. Made when first asked for.
    /// </summary>
    public IReadOnlyList<Option> Front => front.Value;

    /// <summary><see cref="Front"/> in columns.</summary>
    public OptionColumns Columns => columns.Value;

    /// <summary>Names of the bottlenecks that some option sends, in the card's order.</summary>
    public IReadOnlyList<string> Bottlenecks { get; }

    /// <summary>The option an assignment runs, counted on the spot when the table has none like it; null when it is of another model or crosses by no route of this one.</summary>
    public Option? Find(Assignment assignment)
    {
        if (All.FirstOrDefault(option => option.IsRunBy(assignment)) is { } known) return known;
        if (assignment.CardSha256 != Model.Files.CardSha256 || assignment.Head > Model.Files.Card.StageCount || assignment.Thresholds.Count != assignment.Head) return null;
        Route? route = null;
        if (assignment.OffloadTo.Length > 0)
        {
            if (Model.Files.Card.NumberOf(assignment.Bottleneck) is not { } number || !routeCorrect.ContainsKey(new Route(assignment.Cut, assignment.Codec, number))) return null;
            route = new Route(assignment.Cut, assignment.Codec, number);
        }
        if (counted.Count >= CountedMax) counted.Clear();
        return counted.GetOrAdd((assignment.Head, assignment.Thresholds, route), key => Count(key.Head, key.Thresholds, key.Route));
    }

    /// <summary>The option with this head, threshold and route (null: local).</summary>
    public Option Get(int head, double threshold, Route? route) =>
        All.FirstOrDefault(option => option.Head == head && option.Route == route && (option.Thresholds.Of(1) == threshold || head == 1 && route is null))
        ?? Count(head, threshold, route);

    /// <summary>
    /// The options, and beside them those under risk control. Of those whose thresholds some option has already, that option promises what they would; who
    /// lets no exit answer sends everything, which promises nothing new.
    /// </summary>
    private List<Option> WithControlled(List<Option> options)
    {
        if (riskMax is not { } risk) return options;
        for (var head = 1; head <= Model.Files.Card.StageCount; head++)
            foreach (var route in Routes(head).Select(route => (Route?)route).Prepend(null))
            {
                if (ControlledLevel(head, route, risk) is not (<= 1 and var level)) continue;
                var controlled = Count(head, level, route) with { RiskMax = risk };
                var same = options.FindIndex(option => option.Head == head && option.Route == route && option.Thresholds.Equals(controlled.Thresholds));
                if (same < 0) options.Add(controlled);
                else options[same] = controlled;
            }
        return options;
    }

    /// <summary>What a tail says is what stands behind the route; of a device that holds the whole network, its last exit. Null where no tail is.</summary>
    private double? ControlledLevel(int head, Route? route, double risk)
    {
        var isWhole = head == Model.Files.Card.StageCount;
        if (route is null && (!isWhole || head == 1)) return null;
        var tail = route is { } crossing ? routeAnswers[crossing] : answers[^1];
        var asked = Enumerable.Range(0, route is null ? head - 1 : head).ToList();
        return RiskControl.AgreementLevel(
            [.. asked.Select(exit => Array.ConvertAll(confidences[exit], confidence => (double)confidence))],
            [.. asked.Select(exit => answers[exit].Zip(tail, (own, said) => own == said).ToArray())], risk);
    }

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

    private IEnumerable<Option> BuildFront()
    {
        var fronts = new ThresholdFronts(Model.Files.Card, [.. confidences.Select(exit => Array.ConvertAll(exit, confidence => (double)confidence))], correct);
        for (var head = 1; head <= Model.Files.Card.StageCount; head++)
            foreach (var route in Routes(head).Select(route => (Route?)route).Prepend(null))
            {
                var known = All.Where(option => option.Head == head && option.Route == route).ToList();
                var screened = fronts.Of(head, route is { } crossing ? routeCorrect[crossing] : null).Select(thresholds => Count(head, thresholds, route));
                // What promises something stays, whatever beats it in what it costs.
                var promising = known.Where(option => option.RiskMax is not null).ToList();
                foreach (var option in ThresholdFronts.Undominated([.. known.Except(promising), .. screened.Where(option => !promising.Exists(other => other.Thresholds.Equals(option.Thresholds)))])) yield return option;
                foreach (var option in promising) yield return option;
            }
    }

    private Option Count(int head, double threshold, Route? route) => Count(head, Enumerable.Repeat(threshold, head).ToArray(), route);

    /// <summary>The option with this head, these thresholds for its exits and this route (null: local), counted on the spot.</summary>
    public Option Count(int head, IReadOnlyList<double> thresholds, Route? route)
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
                if (confidences[exit - 1][sample] < thresholds[exit - 1] && !(route is null && exit == head)) continue;
                exited[exit - 1]++;
                if (correct[exit - 1][sample]) right[exit - 1]++;
                break;
            }
            if (exit <= head) continue;
            offloaded++;
            if (routeCorrect[route!.Value][sample]) offloadRight++;
            if (correct[head - 1][sample]) fallbackRight++;
        }
        var (exitShares, exitAccuracies) = (exited.Select(count => (double)count / samples).ToArray(), right.Zip(exited, Share).ToArray());
        var (offloadShare, offloadAccuracy) = ((double)offloaded / samples, Share(offloadRight, offloaded));
        return new Option
        {
            Model = Model,
            Head = head,
            Route = route,
            Thresholds = new PerExit(Enumerable.Range(1, head).Select(exit => route is null && exit == head ? 0 : thresholds[exit - 1])),
            StageShares = [.. ran.Select(count => (double)count / samples)],
            ExitShares = exitShares,
            ExitAccuracies = exitAccuracies,
            OffloadShare = offloadShare,
            OffloadAccuracy = offloadAccuracy,
            Accuracy = exitShares.Zip(exitAccuracies, (share, accuracy) => share * accuracy).Sum() + offloadShare * offloadAccuracy,
            FallbackAccuracy = Share(fallbackRight, offloaded),
            Payload = route is { } crossing ? MeanPayload(crossing) : Bytes.Zero,
        };
    }

    /// <summary>Whether work may cross by a route, by the calibration trace.</summary>
    public bool Knows(Route route) => routeCorrect.ContainsKey(route);

    /// <summary>The confidence below which an exit has a share of all inputs.</summary>
    public double ThresholdOf(int exit, double share)
    {
        var sorted = ranked.GetOrAdd(exit, exit => [.. confidences[exit - 1].Order()]);
        return share >= 1 ? Never : Math.Round(sorted[(int)(share * sorted.Length)], 4);
    }

    /// <summary>What going on by a route promises behind each exit of a head; counted when first asked for.</summary>
    public Prospect Prospect(int head, Route route) => prospects.GetOrAdd((head, route), key => Planning.Prospect.Of([.. confidences.Take(key.Head)], correct[key.Head - 1], routeCorrect[key.Route], Disagreements(key.Head, key.Route)));

    /// <summary>Whether the deepest exit of a head and the network behind a route answer differently.</summary>
    private bool[] Disagreements(int head, Route route) => [.. answers[head - 1].Zip(routeAnswers[route], (own, behind) => own != behind)];

    private static double Share(int part, int whole) => whole == 0 ? 0 : (double)part / whole;

    private Bytes MeanPayload(Route route)
    {
        var trace = Model.Calibration;
        if (FeatureSize(route) is { } size) return new Bytes(size);
        return new Bytes(Enumerable.Range(0, trace.Samples).Average(sample => trace.PayloadBytes(route, sample) ?? Model.Files.Card.Cuts[0].Elements));
    }

    private long? FeatureSize(Route route) => TensorFrame.PayloadBytes(route.Codec, Model.Files.Card.Crossing(route.Tail).Elements);

    private bool[] IsRight(int[] answered) => [.. answered.Select((answer, sample) => answer == Model.Calibration.Label(sample))];

    private (float[] Confidence, int[] Answers) Judge(int exit, double temperature)
    {
        var trace = Model.Calibration;
        var (confidence, answered, logits) = (new float[trace.Samples], new int[trace.Samples], new float[trace.Classes]);
        for (var sample = 0; sample < trace.Samples; sample++)
        {
            TensorPrimitives.ConvertToSingle(trace.ExitLogits(exit, sample), logits);
            confidence[sample] = (float)Confidence.MaxProbability(logits, temperature, out answered[sample]);
        }
        return (confidence, answered);
    }

    private int[] AnswersBehind(Route route)
    {
        var trace = Model.Calibration;
        var (answered, logits) = (new int[trace.Samples], new float[trace.Classes]);
        for (var sample = 0; sample < trace.Samples; sample++)
        {
            TensorPrimitives.ConvertToSingle(trace.RouteLogits(route, sample), logits);
            answered[sample] = Confidence.ArgMax(logits);
        }
        return answered;
    }
}
