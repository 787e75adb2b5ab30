using Fleet.Contracts;
using Fleet.Models;
using Fleet.Onnx;
using NUnit.Framework;

namespace Fleet.Training.Tests;

/// <summary>One small training run and its export, looked at from all sides.</summary>
public sealed class TrainingTests
{
    private readonly TaskData task = SmallData.Load();
    private readonly TrainingRecord record = new("fmnist", "a test", SmallData.Recipe.Steps.Seed, SmallData.Recipe.Steps.Epochs, 1280);
    private readonly string scratch = Directory.CreateTempSubdirectory("fleet-training-").FullName;
    private string directory = "";
    private Network net = null!;
    private IReadOnlyList<EpochReport> reports = null!;
    private BottleneckNet bottleneck = null!;
    private ExportReport export = null!;

    [OneTimeSetUp]
    public async Task TrainAndExport()
    {
        directory = Path.Combine(scratch, "model");
        (net, reports) = SmallData.Train(task);
        bottleneck = SmallData.TrainBottleneck(net, task, BottleneckMethod.TwoStages, Path.Combine(scratch, "checkpoints"));
        export = await new ModelExport(net, task, [new TrainedBottleneck("small", "bottlefit", FrozenEncoder: false, bottleneck)], directory, TimeProvider.System) { DriftImages = (20, 30) }.Run(record);
    }

    [OneTimeTearDown]
    public void Forget()
    {
        bottleneck?.Dispose();
        net?.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    [Test]
    public void Training_TwoEpochs_LossFalls() => Assert.That(reports[1].Loss, Is.LessThan(reports[0].Loss));

    [Test]
    public void Training_SameSeed_SameWeights()
    {
        var (again, _) = SmallData.Train(task);
        using (again)
            Assert.That(again.WeightsHash(), Is.EqualTo(net.WeightsHash()));
    }

    [Test]
    public void Training_OtherSeed_OtherWeights()
    {
        using var one = new Network(ZooNetworks.Fmnist(), seed: 1);
        using var two = new Network(ZooNetworks.Fmnist(), seed: 2);
        Assert.That(one.WeightsHash(), Is.Not.EqualTo(two.WeightsHash()));
    }

    [Test]
    public void Training_Interrupted_GoesOnToTheSameWeights()
    {
        var file = Path.Combine(scratch, "some.progress");
        using var stopped = new Network(ZooNetworks.Fmnist(), SmallData.Recipe.Steps.Seed);
        Assert.That(() => SmallData.Train(stopped, task, new ProgressFile(file, "a task"), stopAfter: 1), Throws.TypeOf<OperationCanceledException>());
        using var resumed = new Network(ZooNetworks.Fmnist(), seed: 99);
        var all = SmallData.Train(resumed, task, new ProgressFile(file, "a task"));
        Assert.Multiple(() =>
        {
            Assert.That(all.Select(report => report.Epoch), Is.EqualTo([1, 2]));
            Assert.That(resumed.WeightsHash(), Is.EqualTo(net.WeightsHash()));
        });
    }

    [Test]
    public void Training_FewerImagesThanABatch_IsRefused()
    {
        var few = new AugmentedImages(task.Sets.Train.Slice(0, 10), seed: 1);
        Assert.That(
            () => JointTraining.Run(net, few, task.Sets.Calibration, SmallData.Recipe, progress: null, TimeProvider.System, _ => { }),
            Throws.ArgumentException.With.Message.Contains("10 training images"));
    }

    [Test]
    public void Export_AllPieces_EqualTorch() => Assert.That(export.LargestDifference, Is.GreaterThan(0).And.LessThanOrEqualTo(1e-4));

    [Test]
    public void Export_Card_OpensAndDescribesTheNetwork()
    {
        var card = ModelFiles.Open(directory).Card;
        Assert.Multiple(() =>
        {
            Assert.That(card.StageCount, Is.EqualTo(3));
            Assert.That(card.Routes, Has.Count.EqualTo(8));
            Assert.That(card.Cuts.Select(cut => cut.Elements), Is.EqualTo([28 * 28, 48 * 14 * 14, 80 * 7 * 7]));
            Assert.That(card.Cuts.Skip(1).Select(cut => cut.ZeroPoint), Is.All.EqualTo(-128));
            Assert.That(card.Exits.Zip(card.Provenance.TrainedAccuracy).Select(pair => Math.Abs(pair.First.Accuracy - pair.Second)), Is.All.LessThan(0.005));
        });
    }

    [Test]
    public void Export_Routes_CostWhatTheirCodecsSay()
    {
        double Payload(int cut, FeatureCodec codec) => export.Card.Routes.Single(route => export.Card.RouteOf(route) == new Route(cut, codec)).Payload.Value;
        Assert.Multiple(() =>
        {
            Assert.That(Payload(0, FeatureCodec.Raw), Is.EqualTo(784));
            Assert.That(Payload(0, FeatureCodec.Png), Is.InRange(300, 784));
            Assert.That(Payload(0, FeatureCodec.Webp), Is.InRange(100, 500));
            Assert.That(Payload(1, FeatureCodec.Int8), Is.EqualTo(9408));
            Assert.That(Payload(2, FeatureCodec.Float16), Is.EqualTo(7840));
        });
    }

    [Test]
    public void Export_Traces_HoldTheirImagesAndAgreeWithTheCard()
    {
        var files = ModelFiles.Open(directory);
        var trace = files.ReadTestTrace();
        var right = Enumerable.Range(0, trace.Samples).Count(sample => Largest(trace.ExitLogits(3, sample)) == trace.Label(sample));
        Assert.Multiple(() =>
        {
            Assert.That(trace.FirstSample, Is.EqualTo(1530));
            Assert.That(trace.Labels.ToArray(), Is.EqualTo(task.Sets.Test.Labels));
            Assert.That(right / 350.0, Is.EqualTo(files.Card.Exit(3).Accuracy).Within(0.01));
            Assert.That(files.ReadCalibrationTrace().Samples, Is.EqualTo(250));
        });
    }

    [Test]
    public void Export_Pieces_ShipTheFasterPrecisionAndSayWhich()
    {
        var files = ModelFiles.Open(directory);
        foreach (var piece in files.Card.Pieces)
        {
            var quantised = OnnxFile.Read(Path.Combine(directory, piece.File)).Graph.Node.Any(node => node.OpType == "QuantizeLinear");
            Assert.That(piece.Precision, Is.EqualTo(quantised ? Precision.Int8 : Precision.Float32), piece.File);
        }
        // Stages, tails and the bottleneck's tail, each as fp32 and as int8; encoders stay fp32.
        Assert.That(export.Precisions, Has.Count.EqualTo(2 * (3 + 3 + 1)));
    }

    [Test]
    public void Export_DriftTraces_AreOfEveryKindLevelAndSet()
    {
        var files = ModelFiles.Open(directory);
        Assert.Multiple(() =>
        {
            Assert.That(files.Card.DriftTraces.Select(trace => (trace.Drift, trace.Set)), Is.EquivalentTo(Drift.Levels.SelectMany(drift => new[] { (drift.ToString(), TraceSet.Calibration), (drift.ToString(), TraceSet.Test) })));
            Assert.That(files.Card.DriftTraces.Select(trace => files.ReadTrace(trace).Samples), Is.EquivalentTo(Drift.Levels.SelectMany(_ => new[] { 20, 30 })));
        });
    }

    [Test]
    public void Export_Bottleneck_ReachesWhatTorchReachesAtTheBytesThePriorPredicts()
    {
        var (logits, bytes) = BottleneckTraining.Evaluate(bottleneck, net, task.Sets.Test);
        var route = export.Card.Routes.Single(route => route.Bottleneck == "small");
        Assert.Multiple(() =>
        {
            Assert.That(route.Codec, Is.EqualTo(FeatureCodec.Coded));
            // The device's stage may be int8, so that integers near a half may round the other way.
            Assert.That(route.Accuracy, Is.EqualTo(Calibration.Accuracy(logits, task.Sets.Test.Labels, 10)).Within(0.03));
            Assert.That(route.Payload.Value, Is.EqualTo(bytes).Within(2 + 0.05 * bytes));
        });
    }

    [Test]
    public void Bottleneck_FrozenEncoder_StaysAsTheFirstStageLeftIt()
    {
        var checkpoints = Path.Combine(scratch, "checkpoints");
        using var first = SmallData.TrainBottleneck(net, task, BottleneckMethod.FrozenEncoder, checkpoints, firstStageOnly: true);
        using var frozen = SmallData.TrainBottleneck(net, task, BottleneckMethod.FrozenEncoder, checkpoints);
        float[] Encoder(BottleneckNet trained) => [.. trained.Design.Encoder.Layers.OfType<ConvLayer>().SelectMany(layer => trained.Layers.Folded(layer).Weights)];
        float[] Tail(BottleneckNet trained) => [.. trained.Design.Tail.Layers.OfType<ConvLayer>().SelectMany(layer => trained.Layers.Folded(layer).Weights)];
        Assert.Multiple(() =>
        {
            Assert.That(Encoder(frozen), Is.EqualTo(Encoder(first)));
            Assert.That(Tail(frozen), Is.Not.EqualTo(Tail(first)));
            Assert.That(Encoder(bottleneck), Is.Not.EqualTo(Encoder(first)));
        });
    }

    [TestCase(BottleneckPart.Server)]
    [TestCase(BottleneckPart.Both)]
    [TestCase(BottleneckPart.BothAndStageNorms)]
    public void Bottleneck_FittedToASite_AnswersItBetterAndChangesNoMoreThanItMay(BottleneckPart part)
    {
        using var head = new Network(net.Architecture, seed: 1);
        head.CopyFrom(net);
        using var fitted = SmallData.TrainBottleneck(net, task, BottleneckMethod.TwoStages, Path.Combine(scratch, "checkpoints"));
        var site = Site.Parse("contrast-1");
        var test = site.See(task.Sets.Test, int.MaxValue);
        double Accuracy(BottleneckNet asked) => Calibration.Accuracy(BottleneckTraining.Evaluate(asked, head, test).Logits, test.Labels, net.Architecture.ClassCount);
        float[] Encoder(BottleneckNet asked) => [.. asked.Design.Encoder.Layers.OfType<ConvLayer>().SelectMany(layer => asked.Layers.Folded(layer).Weights)];
        var before = Accuracy(fitted);

        new BottleneckAdaptation(part, ratePrice: 1e-3, seed: 1) { Epochs = 10 }.Run(fitted, head, site.See(task.Sets.Calibration, 250), TimeProvider.System);

        Assert.Multiple(() =>
        {
            Assert.That(Accuracy(fitted), Is.GreaterThan(before + 0.1));
            Assert.That(Encoder(fitted), part is BottleneckPart.Server ? Is.EqualTo(Encoder(bottleneck)) : Is.Not.EqualTo(Encoder(bottleneck)));
            Assert.That(head.WeightsHash(), part is BottleneckPart.BothAndStageNorms ? Is.Not.EqualTo(net.WeightsHash()) : Is.EqualTo(net.WeightsHash()));
            Assert.That(fitted.Prior.Table(-5, 5), Is.EqualTo(bottleneck.Prior.Table(-5, 5)));
        });
    }

    [Test]
    public void Prior_Table_IsADistributionAndCostsWhatTrainingWasCharged()
    {
        var table = bottleneck.Prior.Table(-40, 40);
        Assert.That(table.Select(channel => channel.Sum()), Is.All.EqualTo(1).Within(1e-4));
        using var latent = TorchSharp.torch.tensor([3f, -2f, 0f, 1f, 0f, 0f, 0f, 0f, 0f], [1, 1, 3, 3]).expand(1, table.Length, 3, 3);
        var bits = latent.to_type(TorchSharp.torch.ScalarType.Float32).data<float>().Select((q, i) => -Math.Log2(table[i / 9][(int)q + 40])).Sum();
        Assert.That(bottleneck.Prior.MeanBits(latent).item<float>(), Is.EqualTo(bits).Within(0.01 * bits));
    }

    [TestCase(AdaptedPart.Exit)]
    [TestCase(AdaptedPart.Norms)]
    [TestCase(AdaptedPart.ExitAndNorms)]
    [TestCase(AdaptedPart.Stage)]
    public void Adaptation_OfAPart_ChangesThatPartOnly(AdaptedPart part)
    {
        using var adapted = new Network(ZooNetworks.Fmnist(), seed: 1);
        adapted.CopyFrom(net);
        new Adaptation(part, LabelSource.Truth, seed: 1) { Epochs = 1 }.Run(adapted, Site.Of(new Drift(DriftKind.Noise, 1)).See(task.Sets.Calibration, 64), TimeProvider.System);
        var changed = net.Architecture.Layers.OfType<ConvLayer>().Where(layer => !net.Folded(layer).Weights.SequenceEqual(adapted.Folded(layer).Weights)).Select(layer => layer.Output).ToList();
        string[] sections = part switch { AdaptedPart.Exit => ["exit1"], AdaptedPart.Norms => ["stage1"], _ => ["stage1", "exit1"] };
        Assert.That(changed.Select(name => name.Split('_')[0]).Distinct(), Is.EquivalentTo(sections));
    }

    [Test]
    public void Checkpoint_WrittenAndRead_KeepsWeights()
    {
        var path = Path.Combine(scratch, "some.checkpoint");
        Checkpoint.Write(path, net, "a task");
        using var other = new Network(ZooNetworks.Fmnist(), seed: 99);
        Assert.Multiple(() =>
        {
            Assert.That(Checkpoint.TryRead(path, other, "another task"), Is.False);
            Assert.That(Checkpoint.TryRead(path, other, "a task"), Is.True);
            Assert.That(other.WeightsHash(), Is.EqualTo(net.WeightsHash()));
        });
    }

    [Test]
    public void Checkpoint_OfSomethingElse_IsRefusedByName()
    {
        var path = Path.Combine(scratch, "no.checkpoint");
        File.WriteAllBytes(path, [6, .. "a task"u8, 1, 2, 3]);
        using var other = new Network(ZooNetworks.Fmnist(), seed: 99);
        Assert.That(() => Checkpoint.TryRead(path, other, "a task"), Throws.TypeOf<FaultsException>().With.Message.Contains(path));
    }

    private static int Largest(ReadOnlySpan<Half> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
            if (logits[i] > logits[best]) best = i;
        return best;
    }
}
