using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Training.Tests;

/// <summary>One small training run and its export, looked at from all sides.</summary>
public sealed class TrainingTests
{
    private readonly TaskData task = SmallData.Load();
    private readonly TrainingRecord record = new("fmnist", "a test", SmallData.Recipe.Steps.Seed, SmallData.Recipe.Steps.Epochs, 1280);
    private readonly string directory = Directory.CreateTempSubdirectory("fleet-training-").FullName;
    private Network net = null!;
    private IReadOnlyList<EpochReport> reports = null!;
    private ExportReport export = null!;

    [OneTimeSetUp]
    public async Task TrainAndExport()
    {
        (net, reports) = SmallData.Train(task);
        export = await new ModelExport(net, task, directory).Run(record);
    }

    [OneTimeTearDown]
    public void Forget()
    {
        net?.Dispose();
        Directory.Delete(directory, recursive: true);
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
        var file = Path.Combine(directory, "some.progress");
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
            Assert.That(card.Routes, Has.Count.EqualTo(7));
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
    public void Checkpoint_WrittenAndRead_KeepsWeights()
    {
        var path = Path.Combine(directory, "some.checkpoint");
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
        var path = Path.Combine(directory, "no.checkpoint");
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
