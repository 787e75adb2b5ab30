using Fleet.Contracts;
using Fleet.Emulator.Experiments.Lorawan;
using Fleet.Models;
using Fleet.Models.Federating;

namespace Fleet.Emulator.Experiments.Exits;

/// <summary>
/// A linear exit on the averaged features of stage 1, fitted by gradient descent in our own code to a site whose images have drifted: what a device could
/// learn by itself, without any training framework. Stage 1 stays as it is.
/// </summary>
/// <param name="Drift">"none" for images as those trained on.</param>
/// <param name="AsTrained">Accuracy of the shipped exit 1 on the same test images.</param>
/// <param name="Labelled">Of the linear exit fitted on labelled samples, and <paramref name="FromTail"/>: on answers of the whole network.</param>
/// <param name="Unmoved">Of a linear exit fitted on undrifted samples.</param>
/// <param name="TailRight">Share of the samples about which the whole network is right.</param>
/// <param name="Bytes">Of the exit as an update.</param>
public sealed record RefittedHead(string Model, string Drift, double AsTrained, double Unmoved, double Labelled, double FromTail, double TailRight, int Bytes)
{
    /// <summary>A site's samples, images of the test set behind those that drifted traces are of.</summary>
    public const int Samples = 500;
    private const int Passes = 300;
    private const double Rate = 0.3;
    public const string None = "none";

    public static IEnumerable<RefittedHead> Of(Stock stock, ModelFiles model, Action<double> progress)
    {
        var (card, images) = (model.Card, stock.Images(model.Card.Replays));
        DriftTrace[] drifts = [.. card.DriftTraces.Where(trace => trace.Set is TraceSet.Test && trace.Drift.EndsWith("-2", StringComparison.Ordinal))];
        if (drifts.Length == 0) yield break;
        var judged = drifts.Min(drift => drift.Samples);
        var clean = ExitLogits.Of(stock.TestTrace(model)).At([.. Enumerable.Range(0, judged)]);
        var (unmoved, scaled) = Fit(Features(images));
        yield return new RefittedHead(card.Name, None, Accuracy(clean), unmoved.Accuracy(scaled), unmoved.Accuracy(scaled), double.NaN, double.NaN, unmoved.UpdateBytes);
        foreach (var (drift, i) in drifts.Select((drift, i) => (drift, i)))
        {
            var moved = Drift(images, drift.Drift);
            var features = Features(moved);
            var answers = Answers(moved);
            var (labelled, test) = Fit(features);
            var (taught, _) = Fit(features with { Labels = [.. answers, .. features.Labels[Samples..]] });
            var before = ExitLogits.Of(model.ReadTrace(drift)).At([.. Enumerable.Range(0, judged)]);
            progress((i + 1.0) / drifts.Length);
            yield return new RefittedHead(card.Name, drift.Drift, Accuracy(before), unmoved.Accuracy(test), labelled.Accuracy(test), taught.Accuracy(test), answers.Zip(features.Labels).Count(pair => pair.First == pair.Second) / (double)Samples, labelled.UpdateBytes);
        }

        // The site's samples first, then the images that are judged.
        LabelledImages Drift(LabelledImages whole, string drift)
        {
            var first = Models.Drift.Parse(drift);
            return first.Of(whole, 0, judged + Samples);
        }

        FeatureSet Features(LabelledImages set)
        {
            var all = FrozenFeatures.Averaged(model, stock, set, 0, judged + Samples);
            return all.Take([.. Enumerable.Range(judged, Samples), .. Enumerable.Range(0, judged)]);
        }

        (LinearHead Head, FeatureSet Test) Fit(FeatureSet features)
        {
            var standard = features with { Features = [.. features.Features] };
            FrozenFeatures.Standardise(standard, Samples);
            var head = new LinearHead(standard.Width, card.Classes.Count);
            head.Train(standard.Take([.. Enumerable.Range(0, Samples)]), Passes, Rate);
            return (head, standard.Take([.. Enumerable.Range(Samples, judged)]));
        }

        int[] Answers(LabelledImages set)
        {
            using var tail = Tail.Onnx(card, model.Hash, new TailStart(0), stock.Tail(model, new TailStart(0)), batchMax: 1);
            var answers = new int[Samples];
            for (var sample = 0; sample < Samples; sample++)
            {
                var frame = new TensorFrame
                {
                    Codec = FeatureCodec.Raw,
                    Cut = 0,
                    Bottleneck = 0,
                    ModelHash = model.Hash,
                    RequestId = (ulong)sample,
                    Deadline = Seconds.Zero,
                    Sample = -1,
                    Scale = 1,
                    ZeroPoint = 0,
                    Shape = card.Cuts[0].Shape,
                    Payload = set.Image(judged + sample),
                    ReplyTo = new Topic(TopicKind.State, "experiment", "device"),
                };
                if (!tail.Load(0, frame)) throw new InvalidOperationException($"{card.Name} cannot read its own input");
                // Engines over ONNX files complete before they return.
                tail.Run(1).AsTask().GetAwaiter().GetResult();
                answers[sample] = Confidence.ArgMax(tail.Logits(0));
            }
            return answers;
        }

        static double Accuracy(ExitLogits set) => Calibration.Accuracy(set.Exits[0], set.Labels, set.Classes);
    }
}
