using System.Globalization;
using System.Numerics.Tensors;
using Fleet.Contracts;
using Fleet.Models;
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

    private const int Batch = 100;

    private static readonly Topic Nowhere = new(TopicKind.Reply, "verify", "verify");

    private readonly ModelFiles model;
    private readonly LabelledImages images;
    private readonly byte[] labels;
    private readonly List<OnnxPiece> stages = [];
    private readonly Dictionary<TailStart, (OnnxPiece Piece, EntropyModel? Tables)> tails = [];
    private readonly List<EncoderPiece> encoders = [];
    private readonly Trace test;
    private readonly Trace calibration;

    /// <summary>Reads every file the card names; throws <see cref="FaultsException"/> with the faults of all of them.</summary>
    public ModelVerification(ModelFiles model, LabelledImages images)
    {
        (this.model, this.images) = (model, images);
        var faults = new List<string>();
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
            if (Read(() => model.LoadTail(cut)) is { } piece) tails.Add(cut, (piece, null));
        for (var number = 1; number <= model.Card.Bottlenecks.Count; number++)
        {
            var start = new TailStart(model.Card.Bottleneck(number).Cut, number);
            if (Read(() => model.LoadEncoder(number)) is { } encoder) encoders.Add(encoder);
            if (Read(() => model.LoadTail(start)) is { } piece) tails.Add(start, (piece, encoders.Find(encoder => encoder.Bottleneck == number)?.Tables));
        }
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
            var (exits, crossings) = await Infer(progress, stop);
            var findings = new List<Finding>();
            findings.AddRange(Exits(exits));
            findings.AddRange(Routes(crossings));
            findings.AddRange(Equality(exits[^1], crossings));
            findings.AddRange(TestTrace(exits, crossings));
            findings.AddRange(CalibrationTrace());
            return findings;
        }
        catch (OnnxRuntimeException e)
        {
            throw new FaultsException(model.Directory, "the files cannot be run with the shapes the card gives: " + e.Message.Split('\n')[0]);
        }
    }

    public void Dispose()
    {
        foreach (var piece in stages.Concat(tails.Values.Select(tail => tail.Piece)).Concat<IDisposable>(encoders)) piece.Dispose();
    }

    private async Task<(float[][] Exits, List<Crossing> Crossings)> Infer(Action<double> progress, CancellationToken stop)
    {
        var (card, classes) = (model.Card, model.Card.Classes.Count);
        // Besides the card's routes those that lose nothing: over them a tail must say what the stages say.
        var routes = card.Routes.Select(card.RouteOf).Union(Enumerable.Range(0, card.StageCount).Select(Lossless));
        using var head = Head.Onnx(card, model.Hash, stages, encoders: encoders);
        var crossings = routes.Select(route => new Crossing(route, TailOf(route), images.Count, classes)).ToList();
        var exits = stages.Select(_ => new float[images.Count * classes]).ToArray();
        try
        {
            for (var i = 0; i < images.Count; i++)
            {
                head.Load(images.Sample(i));
                for (var stage = 1; stage <= head.Depth; stage++)
                {
                    await head.Run(stage);
                    head.Logits(stage).CopyTo(exits[stage - 1].AsSpan(i * classes));
                }
                foreach (var crossing in crossings) await crossing.Send((await head.Pack(crossing.Route, requestId: 0, new Seconds(1), Nowhere)).Frame, isLast: i == images.Count - 1);
                if (i % Batch != Batch - 1) continue;
                progress((i + 1.0) / images.Count);
                if (stop.IsCancellationRequested) throw new FaultsException(card.Name, $"stopped after {i + 1} of {images.Count} images");
            }
        }
        finally
        {
            foreach (var crossing in crossings) crossing.Tail.Dispose();
        }
        return (exits, crossings);
    }

    private IEnumerable<Finding> Exits(float[][] exits)
    {
        foreach (var exit in model.Card.Exits)
        {
            var logits = exits[exit.Exit - 1];
            var tolerance = Tolerance(model.Card.Stages.Take(exit.Exit));
            yield return Finding.Of($"exit {exit.Exit} accuracy", exit.Accuracy, Calibration.Accuracy(logits, labels, model.Card.Classes.Count), tolerance);
            yield return Finding.Of($"exit {exit.Exit} ECE, T = 1", exit.EceBefore, Calibration.Ece(logits, labels, model.Card.Classes.Count, temperature: 1), tolerance);
            yield return Finding.Of($"exit {exit.Exit} ECE, T = {exit.Temperature.ToString("F4", CultureInfo.InvariantCulture)}", exit.EceAfter, Calibration.Ece(logits, labels, model.Card.Classes.Count, exit.Temperature), tolerance);
        }
    }

    private IEnumerable<Finding> Routes(List<Crossing> crossings)
    {
        foreach (var route in model.Card.Routes)
        {
            var crossing = crossings.Single(crossing => crossing.Route == model.Card.RouteOf(route));
            yield return Finding.Of($"{crossing.Route} accuracy", route.Accuracy, Calibration.Accuracy(crossing.Logits, labels, model.Card.Classes.Count), Tolerance(Pieces(crossing.Route)));
            var found = crossing.PayloadBytes.Average(size => (double)size);
            yield return new Finding($"{crossing.Route} payload", Size(route.Payload.Value), Size(found), Math.Abs(found - route.Payload.Value) < 0.05);
        }
    }

    private IEnumerable<Finding> Equality(float[] final, List<Crossing> crossings)
    {
        var whole = crossings.Single(crossing => crossing.Route == Lossless(0)).Logits;
        yield return Equal("all stages = whole network", final, whole, [.. model.Card.Stages, model.Card.Tails[0]]);
        for (var cut = 1; cut < model.Card.StageCount; cut++)
            yield return Equal($"head {cut} + tail {cut} = whole network", crossings.Single(crossing => crossing.Route == Lossless(cut)).Logits, whole, [.. Pieces(Lossless(cut)), model.Card.Tails[0]]);
    }

    private Finding Equal(string what, float[] a, float[] b, IEnumerable<ModelPiece> pieces)
    {
        if (IsCoded(pieces)) return Alike(what, image => Confidence.ArgMax(Row(a, image)), image => Confidence.ArgMax(Row(b, image)), AlikeMin);
        var difference = 0.0;
        for (var i = 0; i < a.Length; i++) difference = Math.Max(difference, Distance(a[i], b[i]));
        return Finding.AtMost(what, "<= 1E-04", difference, difference <= DifferenceMax);
    }

    private IEnumerable<Finding> TestTrace(float[][] exits, List<Crossing> crossings)
    {
        yield return new Finding("test trace labels", $"{images.Count}", $"{labels.Zip(test.Labels.ToArray()).Count(pair => pair.First == pair.Second)}", test.Labels.SequenceEqual(labels));
        for (var exit = 1; exit <= exits.Length; exit++)
        {
            var which = exit;
            yield return Replays($"test trace exit {exit}", exits[exit - 1], sample => test.ExitLogits(which, sample), model.Card.Stages.Take(exit));
        }
        foreach (var crossing in crossings.Where(crossing => test.Routes.Contains(crossing.Route)))
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

    /// <summary>The calibration images do not ship with Fleet: their trace must agree with the card in itself, but for the odd tie that half precision makes of two logits.</summary>
    private IEnumerable<Finding> CalibrationTrace()
    {
        var classes = model.Card.Classes.Count;
        var logits = new float[calibration.Samples * classes];
        foreach (var exit in model.Card.Exits)
        {
            for (var i = 0; i < calibration.Samples; i++) TensorPrimitives.ConvertToSingle(calibration.ExitLogits(exit.Exit, i), logits.AsSpan(i * classes, classes));
            yield return Finding.Of($"calibration exit {exit.Exit} accuracy", exit.CalibrationAccuracy, Calibration.Accuracy(logits, calibration.Labels, classes), Math.Max(Tolerance(model.Card.Stages.Take(exit.Exit)), 2.5 / calibration.Samples));
            // Fitted on fp32 logits, found on their fp16 copies.
            var found = Calibration.FitTemperature(logits, calibration.Labels, classes);
            yield return new Finding($"calibration exit {exit.Exit} temperature", Temperature(exit.Temperature), Temperature(found), Math.Abs(found - exit.Temperature) <= 1e-3);
        }
    }

    /// <summary>Infinite when either is not a number.</summary>
    private static double Distance(float a, float b) => float.IsNaN(a - b) ? double.PositiveInfinity : Math.Abs((double)a - b);

    private static string Size(double bytes) => bytes.ToString("F1", CultureInfo.InvariantCulture) + " B";

    private static string Temperature(double value) => value.ToString("F3", CultureInfo.InvariantCulture);

    private static Route Lossless(int cut) => new(cut, cut == 0 ? FeatureCodec.Raw : FeatureCodec.Float32);

    private Tail TailOf(Route route) => Tail.Onnx(model.Card, model.Hash, route.Tail, tails[route.Tail].Piece, Batch, tails[route.Tail].Tables);

    private delegate ReadOnlySpan<Half> Rows(int sample);

    /// <summary>One route, and what came of the images that took it so far.</summary>
    private sealed class Crossing(Route route, Tail tail, int images, int classes)
    {
        private int sent;
        private int waiting;

        public Route Route => route;

        public Tail Tail => tail;

        /// <summary>[image x class], by the tail that starts from the route's cut.</summary>
        public float[] Logits { get; } = new float[images * classes];

        public int[] PayloadBytes { get; } = new int[images];

        /// <summary>Puts the next image's frame into the batch and runs it when it is full.</summary>
        public async ValueTask Send(TensorFrame frame, bool isLast)
        {
            if (!tail.Load(waiting, frame)) throw new FaultsException($"{route}", $"the payload of image {sent} cannot be decoded");
            PayloadBytes[sent++] = frame.Payload.Length;
            if (++waiting < tail.BatchMax && !isLast) return;
            await tail.Run(waiting);
            for (var row = 0; row < waiting; row++) tail.Logits(row).CopyTo(Logits.AsSpan((sent - waiting + row) * classes));
            waiting = 0;
        }
    }
}
