using System.Globalization;
using System.Numerics.Tensors;
using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Replaying;
using Microsoft.ML.OnnxRuntime;

namespace Fleet.Emulator.Commands;

/// <summary>One figure of a card and what was found instead of believing it.</summary>
internal sealed record Finding(string What, string Said, string Found, bool Agrees)
{
    /// <summary>Equal to four digits behind the point, or as far as <paramref name="toleranceMax"/> allows.</summary>
    public static Finding Of(string what, double said, double found, double toleranceMax = 0.5e-4) =>
        new(what, Digits(said), Digits(found), Math.Abs(said - found) <= toleranceMax);

    /// <summary>A measured difference against the largest that is allowed.</summary>
    public static Finding AtMost(string what, string allowed, double found, bool agrees) => new(what, allowed, found.ToString("G3", CultureInfo.InvariantCulture), agrees);

    private static string Digits(double ratio) => ratio.ToString("F4", CultureInfo.InvariantCulture);
}

/// <summary>
/// Runs a model's ONNX files over the test images as devices and edge servers do, and compares with its card and its traces: the head
/// stage by stage on one image at a time, what crosses the network in its codec, the tail on batches.
/// </summary>
internal sealed class ModelVerification : IDisposable
{
    /// <summary>The largest difference between two ways through the same network that is still called equal.</summary>
    public const double DifferenceMax = 1e-4;

    /// <summary>How many images two ways through a network must answer alike where a piece of one of them is int8.</summary>
    public const double AlikeMin = 0.98;

    /// <summary>Rounded to codes, what another processor computes slightly differently may become another answer.</summary>
    private const double CodedTolerance = 1e-3;

    private readonly ModelFiles model;
    private readonly LabelledImages images;
    private readonly byte[] labels;
    private readonly ModelReplay replay;
    private readonly Trace test;
    private readonly Trace calibration;

    /// <summary>Reads every file the card names; throws <see cref="FaultsException"/> with the faults of all of them.</summary>
    public ModelVerification(ModelFiles model, LabelledImages images)
    {
        (this.model, this.images) = (model, images);
        var faults = new List<string>();
        var (stages, encoders, tails) = (new List<OnnxPiece>(), new List<EncoderPiece>(), new Dictionary<TailStart, OnnxPiece>());
        T? Read<T>(Func<T> read) where T : class
        {
            try
            {
                return read();
            }
            catch (FaultsException e)
            {
                faults.AddRange(e.Faults.Select(fault => $"{Path.GetFileName(e.Subject)}: {fault}"));
                return null;
            }
        }
        for (var stage = 1; stage <= model.Card.StageCount; stage++)
            if (Read(() => model.LoadStage(stage)) is { } piece) stages.Add(piece);
        for (var cut = 0; cut < model.Card.StageCount; cut++)
            if (Read(() => model.LoadTail(cut)) is { } piece) tails.Add(cut, piece);
        for (var number = 1; number <= model.Card.Bottlenecks.Count; number++)
        {
            var start = new TailStart(model.Card.Bottleneck(number).Cut, number);
            if (Read(() => model.LoadEncoder(number)) is { } encoder) encoders.Add(encoder);
            if (Read(() => model.LoadTail(start)) is { } piece) tails.Add(start, piece);
        }
        replay = new ModelReplay(stages, encoders, tails);
        foreach (var drifted in model.Card.DriftTraces) Read(() => model.ReadTrace(drifted));
        (test, calibration) = (Read(model.ReadTestTrace)!, Read(model.ReadCalibrationTrace)!);
        if (faults.Count == 0 && test.Samples != images.Count) faults.Add($"{model.Card.TestTrace.File}: has {test.Samples} samples for {images.Count} test images");
        if (faults.Count > 0)
        {
            Dispose();
            throw new FaultsException(model.Directory, faults);
        }
        labels = [.. Enumerable.Range(0, images.Count).Select(i => (byte)images.Label(i))];
    }

    /// <summary>Runs every image through all stages and over every route. Throws <see cref="FaultsException"/> when the files cannot be run as the card says.</summary>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    public async Task<IReadOnlyList<Finding>> Run(Action<double> progress, CancellationToken stop)
    {
        try
        {
            var outcomes = await Infer(progress, stop);
            var card = model.Card;
            return
            [
                .. CountedWork.Compare(model.Directory, card.Pieces),
                new Finding("parameters of all stages", $"{card.Parameters}", $"{card.Stages.Sum(stage => stage.Parameters)}", card.Parameters == card.Stages.Sum(stage => stage.Parameters)),
                .. Exits(outcomes),
                .. Routes(outcomes),
                .. Equality(outcomes),
                .. TestTrace(outcomes),
                // The calibration images do not ship with Fleet: their trace must agree with the card in itself.
                .. TracedFigures.OfCalibration(card, calibration),
            ];
        }
        catch (OnnxRuntimeException e)
        {
            throw new FaultsException(model.Directory, "the files cannot be run with the shapes the card gives: " + e.Message.Split('\n')[0]);
        }
    }

    public void Dispose() => replay.Dispose();

    /// <summary>Besides the card's routes those that lose nothing: over them a tail must say what the stages say.</summary>
    private Task<Outcomes> Infer(Action<double> progress, CancellationToken stop) => replay.Run(
        model.Card, new ImageRun(images), model.Card.Routes.Select(model.Card.RouteOf).Union(Enumerable.Range(0, model.Card.StageCount).Select(Lossless)), progress, stop);

    private IEnumerable<Finding> Exits(Outcomes outcomes)
    {
        foreach (var exit in model.Card.Exits)
        {
            var logits = outcomes.Exits[exit.Exit - 1];
            var tolerance = Tolerance(model.Card.Stages.Take(exit.Exit));
            yield return Finding.Of($"exit {exit.Exit} accuracy", exit.Accuracy, Calibration.Accuracy(logits, labels, model.Card.Classes.Count), tolerance);
            yield return Finding.Of($"exit {exit.Exit} ECE, T = 1", exit.EceBefore, Calibration.Ece(logits, labels, model.Card.Classes.Count, temperature: 1), tolerance);
            yield return Finding.Of($"exit {exit.Exit} ECE, T = {exit.Temperature.ToString("F4", CultureInfo.InvariantCulture)}", exit.EceAfter, Calibration.Ece(logits, labels, model.Card.Classes.Count, exit.Temperature), tolerance);
        }
    }

    private IEnumerable<Finding> Routes(Outcomes outcomes)
    {
        foreach (var route in model.Card.Routes)
        {
            var crossing = outcomes.Of(model.Card.RouteOf(route));
            yield return Finding.Of($"{crossing.Route} accuracy", route.Accuracy, Calibration.Accuracy(crossing.Logits, labels, model.Card.Classes.Count), Tolerance(Pieces(crossing.Route)));
            var found = crossing.PayloadBytes.Average(size => (double)size);
            yield return new Finding($"{crossing.Route} payload", Size(route.Payload.Value), Size(found), Math.Abs(found - route.Payload.Value) < 0.05);
        }
    }

    private IEnumerable<Finding> Equality(Outcomes outcomes)
    {
        var whole = outcomes.Of(Lossless(0)).Logits;
        yield return Equal("all stages = whole network", outcomes.Exits[^1], whole, [.. model.Card.Stages, model.Card.Tails[0]]);
        for (var cut = 1; cut < model.Card.StageCount; cut++)
            yield return Equal($"head {cut} + tail {cut} = whole network", outcomes.Of(Lossless(cut)).Logits, whole, [.. Pieces(Lossless(cut)), model.Card.Tails[0]]);
    }

    private Finding Equal(string what, float[] a, float[] b, IEnumerable<ModelPiece> pieces)
    {
        if (IsCoded(pieces)) return Alike(what, image => Confidence.ArgMax(Row(a, image)), image => Confidence.ArgMax(Row(b, image)), AlikeMin);
        var difference = 0.0;
        for (var i = 0; i < a.Length; i++) difference = Math.Max(difference, Distance(a[i], b[i]));
        return Finding.AtMost(what, "<= 1E-04", difference, difference <= DifferenceMax);
    }

    private IEnumerable<Finding> TestTrace(Outcomes outcomes)
    {
        yield return new Finding("test trace labels", $"{images.Count}", $"{labels.Zip(test.Labels.ToArray()).Count(pair => pair.First == pair.Second)}", test.Labels.SequenceEqual(labels));
        for (var exit = 1; exit <= outcomes.Exits.Count; exit++)
        {
            var which = exit;
            yield return Replays($"test trace exit {exit}", outcomes.Exits[exit - 1], sample => test.ExitLogits(which, sample), model.Card.Stages.Take(exit));
        }
        foreach (var crossing in outcomes.Routes.Where(crossing => test.Routes.Contains(crossing.Route)))
            yield return Replays($"test trace {crossing.Route}", crossing.Logits, sample => test.RouteLogits(crossing.Route, sample), Pieces(crossing.Route));
    }

    /// <summary>Half precision keeps 11 significant bits: a stored logit is off by at most 2^-11 of itself (IEEE 754, 3.6), besides <see cref="DifferenceMax"/>.</summary>
    private Finding Replays(string what, float[] logits, Rows stored, IEnumerable<ModelPiece> pieces)
    {
        var (classes, largest, excess) = (model.Card.Classes.Count, 0.0, 0.0);
        var kept = new float[classes];
        if (IsCoded(pieces))
            return Alike(what, image => Confidence.ArgMax(Row(logits, image)), image =>
            {
                TensorPrimitives.ConvertToSingle(stored(image), kept);
                return Confidence.ArgMax(kept);
            }, 1 - CodedTolerance);
        for (var i = 0; i < images.Count; i++)
        {
            TensorPrimitives.ConvertToSingle(stored(i), kept);
            for (var c = 0; c < classes; c++)
            {
                var logit = logits[i * classes + c];
                largest = Math.Max(largest, Distance(logit, kept[c]));
                excess = Math.Max(excess, Distance(logit, kept[c]) - Math.Abs(logit) / 2048);
            }
        }
        return Finding.AtMost(what, "fp16 + 1E-04", largest, excess <= DifferenceMax);
    }

    /// <summary>How many images get the same answer both ways.</summary>
    private Finding Alike(string what, Func<int, int> a, Func<int, int> b, double min)
    {
        var alike = Enumerable.Range(0, images.Count).Count(image => a(image) == b(image)) / (double)images.Count;
        return new Finding(what + ", int8", string.Create(CultureInfo.InvariantCulture, $">= {min:P1} alike"), string.Create(CultureInfo.InvariantCulture, $"{alike:P2}"), alike >= min);
    }

    private ReadOnlySpan<float> Row(float[] logits, int image) => logits.AsSpan(image * model.Card.Classes.Count, model.Card.Classes.Count);

    /// <summary>The files that run when work crosses by a route.</summary>
    private IEnumerable<ModelPiece> Pieces(Route route) => model.Card.Stages.Take(route.Cut).Append(model.Card.Tail(route.Tail));

    private static bool IsCoded(IEnumerable<ModelPiece> pieces) => pieces.Any(piece => piece.Precision is Precision.Int8);

    private static double Tolerance(IEnumerable<ModelPiece> pieces) => IsCoded(pieces) ? CodedTolerance : 0.5e-4;

    /// <summary>Infinite when either is not a number.</summary>
    private static double Distance(float a, float b) => float.IsNaN(a - b) ? double.PositiveInfinity : Math.Abs((double)a - b);

    private static string Size(double bytes) => bytes.ToString("F1", CultureInfo.InvariantCulture) + " B";

    private static Route Lossless(int cut) => new(cut, cut == 0 ? FeatureCodec.Raw : FeatureCodec.Float32);

    private delegate ReadOnlySpan<Half> Rows(int sample);
}
