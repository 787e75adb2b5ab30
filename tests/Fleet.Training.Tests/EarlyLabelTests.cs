using NUnit.Framework;
using static TorchSharp.torch;

namespace Fleet.Training.Tests;

/// <summary>The formulas of the regularised bottleneck beside what a sheet of paper says.</summary>
public sealed class EarlyLabelTests
{
    private TorchSharp.DisposeScope scope = null!;

    [SetUp]
    public void Open() => scope = NewDisposeScope();

    [TearDown]
    public void Close() => scope.Dispose();

    /// <summary>KL(N(m, s^2) || N(M, S^2)) = ln(S / s) + (s^2 + (m - M)^2) / (2 S^2) - 1/2.</summary>
    [TestCase(0, 1, 0, 1, 0)]
    [TestCase(1, 1, 0, 1, 0.5)]
    [TestCase(0.5, 0.2, -1, 3, 2.7080502011 + (0.04 + 2.25) / 18 - 0.5)]
    public void Divergence_InOneDimension_IsTheClosedForm(double m, double s, double classMean, double classDeviation, double expected)
    {
        var gaussians = new ClassGaussians(2, 1);
        Hold(gaussians, 0, [(float)classMean], [[(float)(classDeviation * classDeviation)]]);
        var mean = tensor(new[] { (float)m }, [1, 1]);
        var logVariance = tensor(new[] { (float)(2 * Math.Log(s)) }, [1, 1]);
        Assert.That(gaussians.Divergence(mean, logVariance, tensor(new long[] { 0 })).item<float>(), Is.EqualTo(expected).Within(1e-5));
    }

    /// <summary>Sigma = [[1.25, 2], [2, 4]], det Sigma = 1, Sigma^-1 = [[4, -2], [-2, 1.25]], apart = (1, 2), variances (0.25, 4).</summary>
    [Test]
    public void Divergence_OfCorrelatedClass_IsTheClosedForm()
    {
        var gaussians = new ClassGaussians(2, 2);
        Hold(gaussians, 1, [10, -3], [[1.25f, 2], [2, 4]]);
        var logVariance = tensor(new[] { MathF.Log(0.25f), MathF.Log(4) }, [1, 2]);
        var divergence = gaussians.Divergence(tensor(new float[] { 11, -1 }, [1, 2]), logVariance, tensor(new long[] { 1 }));
        const double distance = 4 * 1 - 2 * 2 * 2 + 1.25 * 4;
        const double trace = 4 * 0.25 + 1.25 * 4;
        Assert.That(divergence.item<float>(), Is.EqualTo(0.5 * (0 - 0 - 2 + distance + trace)).Within(1e-4));
    }

    [Test]
    public void Divergence_OfEachRow_AsksItsOwnClass()
    {
        var gaussians = new ClassGaussians(2, 1);
        Hold(gaussians, 0, [0], [[1]]);
        Hold(gaussians, 1, [3], [[1]]);
        var divergence = gaussians.Divergence(zeros(3, 1), zeros(3, 1), tensor(new long[] { 1, 0, 1 }));
        Assert.That(Network.Elements(divergence), Is.EqualTo([4.5f, 0, 4.5f]).Within(1e-5f));
    }

    /// <summary>A thousand batches of (x, 2 x + 1) with x of variance 4 and latents' own variances 1 and 0.5: what came first is forgotten.</summary>
    [Test]
    public void Gaussians_ThatFollow_FindTheMomentsOfEachClass()
    {
        random.manual_seed(1);
        var gaussians = new ClassGaussians(2, 2);
        var classes = zeros(32, ScalarType.Int64);
        classes[..16] = 1;
        var logVariance = tensor(new[] { 0, MathF.Log(0.5f) }).expand(32, 2);
        for (var batch = 0; batch < 1000; batch++)
        {
            using var step = NewDisposeScope();
            var x = randn(32, 1) * 2 + classes.unsqueeze(1) * 5;
            gaussians.Follow(cat([x, x * 2 + 1], 1), logVariance, classes);
        }
        var covariance = Network.Elements(gaussians.Covariances[1]);
        Assert.Multiple(() =>
        {
            Assert.That(Network.Elements(gaussians.Means), Is.EqualTo([0f, 1, 5, 11]).Within(0.4));
            Assert.That(covariance[0], Is.EqualTo(5).Within(0.7), "4 of the means, 1 of their own");
            Assert.That(covariance[1], Is.EqualTo(8).Within(1.2));
            Assert.That(covariance[3], Is.EqualTo(16.5).Within(2.5));
        });
    }

    /// <summary>Two classes of variance 1 and 4 at 0 and 3: the log-densities by hand.</summary>
    [Test]
    public void Gaussians_AsAClassifier_GiveTheLogDensities()
    {
        var gaussians = new ClassGaussians(2, 1);
        Hold(gaussians, 0, [0], [[1]]);
        Hold(gaussians, 1, [3], [[4]]);
        Assert.That(Network.Elements(gaussians.forward(tensor(new float[] { 1 }, [1, 1]))), Is.EqualTo([-0.5f, -(4f / 4 + MathF.Log(4)) / 2]).Within(1e-5));
    }

    [Test]
    public void Distortion_OfTheMean_IsOne()
    {
        var teacher = tensor(new float[] { 1, 10, 3, 10, 5, 40 }, [3, 2]);
        Assert.Multiple(() =>
        {
            Assert.That(EarlyLabelling.Distortion(teacher.mean([0], keepdim: true).expand(3, 2), teacher).item<float>(), Is.EqualTo(1).Within(1e-6));
            Assert.That(EarlyLabelling.Distortion(teacher, teacher).item<float>(), Is.Zero);
        });
    }

    /// <summary>Eight equal components a class at one point: the posterior is that of one Gaussian a class.</summary>
    [Test]
    public void Mixture_OfTwoPointsPerClass_GivesTheGaussianPosterior()
    {
        var vectors = tensor(new float[] { 0, 0, 0, 0, 6, 6, 6, 6 }, [2, 4]);
        var mixture = new GaussianMixture(vectors, [0, 1], classes: 2, seed: 5);
        var projected = Network.Elements(mixture.Basis).Chunk(2).ToArray();
        double[] centre = [.. Enumerable.Range(0, 2).Select(k => 6.0 * projected.Sum(row => row[k]))];
        // Both classes have variance 1e-3 (nothing but the floor): ln odds of u = 0.4 centre is ((0.6)^2 - (0.4)^2) |centre|^2 / (2e-3).
        var logits = Network.Elements(mixture.forward(tensor(new float[] { 2.4f, 2.4f, 2.4f, 2.4f }, [1, 4])));
        var expected = (0.36 - 0.16) * centre.Sum(value => value * value) / 2e-3;
        Assert.Multiple(() =>
        {
            Assert.That(expected, Is.GreaterThan(0), "the projection of this seed does not send the point to zero");
            Assert.That(logits[0] - logits[1], Is.EqualTo(expected).Within(expected * 1e-4));
        });
    }

    [Test]
    public void Mixture_Projection_HasThePublishedEntries()
    {
        var mixture = new GaussianMixture(randn(4, 100), [0, 1, 0, 1], classes: 2, seed: 1);
        var entries = Network.Elements(mixture.Basis);
        var magnitude = MathF.Sqrt(3f / 50);
        Assert.Multiple(() =>
        {
            Assert.That(entries, Has.Length.EqualTo(100 * 50));
            Assert.That(entries.Select(MathF.Abs).Distinct(), Is.EquivalentTo([0, magnitude]));
            Assert.That(entries.Count(entry => entry != 0) / 5000.0, Is.EqualTo(1 / 3.0).Within(0.03));
            Assert.That(entries.Count(entry => entry > 0) / 5000.0, Is.EqualTo(1 / 6.0).Within(0.03));
        });
    }

    [Test]
    public void EarlyAnswers_SurestAndThresholds_CountByHand()
    {
        // Confidence falls; right, wrong, right, wrong.
        var answers = new EarlyAnswers([5, 0, 4, 0, 3, 0, 2, 0], [0, 1, 0, 1]);
        var threshold = answers.Quantile(0.5);
        Assert.Multiple(() =>
        {
            Assert.That(answers.AccuracyOfSurest(1), Is.EqualTo(0.5));
            Assert.That(answers.AccuracyOfSurest(0.25), Is.EqualTo(1));
            Assert.That(answers.Leaving(threshold, [false, false, false, true]), Is.EqualTo((0.5, 0.5)));
            Assert.That(answers.Leaving(double.PositiveInfinity, [true, true, true, false]), Is.EqualTo((0, 0.75)));
        });
    }

    [Test]
    public void Latents_Crossed_AreOffByHalfAStepAtMost()
    {
        using var net = new Network(SmallTeacher.Architecture(), seed: 1);
        using var split = new VariationalSplit(net, channels: 3, seed: 1);
        var latents = new Latents(split, SmallData.Load().Sets.Test.Slice(0, 20));
        var scale = latents.Scale;
        var (sent, crossed) = (Network.Elements(latents.Values), Network.Elements(latents.Crossed(scale)));
        Assert.Multiple(() =>
        {
            Assert.That(sent, Has.Length.EqualTo(20 * 147));
            Assert.That(sent.Zip(crossed).Where(pair => Math.Abs(pair.First) <= 127 * scale).Max(pair => Math.Abs(pair.First - pair.Second)), Is.LessThanOrEqualTo(scale * 0.501));
            Assert.That(crossed.Select(value => Math.Abs(value / scale)), Is.All.LessThan(127.01));
        });
    }

    [Test]
    public void Split_TrainedBriefly_LearnsAndFillsTheTable()
    {
        var task = SmallData.Load();
        using var net = new Network(SmallTeacher.Architecture(), seed: 1);
        var teacher = new TeacherSplit(net);
        var recipe = new EarlyLabellingRecipe(new Recipe { Epochs = 2, BatchSize = 64 }, Channels: 3, Divergence: 0.1, Labels: 0.1);
        using var split = new VariationalSplit(net, recipe.Channels, seed: 1);
        var before = net.WeightsHash();
        var losses = new List<double>();
        EarlyLabelling.Run(split, teacher, task.Learning(1, null), task.Sets.Calibration, recipe, progress: null, TimeProvider.System, report => losses.Add(report.Loss));
        var outcomes = new FittedSplit(teacher, split, task.Sets.Train, seed: 1).On(task.Sets.Test);
        var comparison = new Models.Comparison { Name = "some", Task = "fmnist", Text = "", Command = "", Points = [.. outcomes.Points("kl")] };
        Assert.Multiple(() =>
        {
            Assert.That(losses[1], Is.LessThan(losses[0]));
            Assert.That(net.WeightsHash(), Is.EqualTo(before), "the teacher stays");
            Assert.That(outcomes.Early.Select(early => early.Measured.Accuracy), Is.All.GreaterThan(0.3), "the early classifiers learn from 1,280 images");
            Assert.That(comparison.Faults(), Is.Empty);
            Assert.That(comparison.Points.Select(point => point.Wire!.Value.Value), Is.All.InRange(0, 147));
            Assert.That(comparison.Points[0].Wire!.Value.Value, Is.EqualTo(147));
        });
    }

    /// <summary>Makes a class's moments such that, with what is added to the diagonal, they are those given.</summary>
    private static void Hold(ClassGaussians gaussians, int label, float[] mean, float[][] covariance)
    {
        using var noGradient = no_grad();
        var buffers = gaussians.named_buffers().ToDictionary(buffer => buffer.name, buffer => buffer.buffer);
        var added = 0.01f / 1.01f * mean.Select((_, i) => covariance[i][i]).Average();
        var centre = tensor(mean);
        buffers["counts"][label] = 1;
        buffers["sums"][label] = centre;
        buffers["products"][label] = stack(covariance.Select(row => tensor(row))) - eye(mean.Length) * added + centre.outer(centre);
    }
}
