using Fleet.Emulator.Simulation;
using Fleet.Models.Federating;
using NUnit.Framework;

namespace Fleet.Tests.Models.Federating;

public sealed class LinearHeadTests
{
    [Test]
    public void Train_SeparableClouds_LearnsThem()
    {
        var head = new LinearHead(2, 3);
        head.Train(Clouds(120, [0, 1, 2], 1), passes: 200, rate: 0.5);
        Assert.That(head.Accuracy(Clouds(300, [0, 1, 2], 2)), Is.GreaterThan(0.95));
        Assert.That(head.UpdateBytes, Is.EqualTo(9 + 12));
    }

    /// <summary>With one pass of the whole batch each, an average weighed by samples is a step on all samples together.</summary>
    [Test]
    public void FedAvg_OnePassEach_IsDescentOnThePooledSamples()
    {
        var (a, b) = (Clouds(30, [0, 1], 3), Clouds(90, [1, 2], 4));
        var (common, pooled) = (new LinearHead(2, 3), new LinearHead(2, 3));
        for (var round = 0; round < 5; round++) FedAvg.Round(common, [a, b], [true, true], passes: 1, rate: 0.3);
        pooled.Train(new FeatureSet([.. a.Features, .. b.Features], [.. a.Labels, .. b.Labels], 2), passes: 5, rate: 0.3);
        Assert.That(common.Parameters.ToArray(), Is.EqualTo(pooled.Parameters.ToArray()).Within(1e-5f));
    }

    [Test]
    public void FedAvg_UpdatesLost_LeavesThemOut()
    {
        var (a, b) = (Clouds(30, [0], 5), Clouds(30, [1, 2], 6));
        var (both, one, none) = (new LinearHead(2, 3), new LinearHead(2, 3), new LinearHead(2, 3));
        FedAvg.Round(both, [a, b], [true, false], passes: 3, rate: 0.3);
        FedAvg.Round(one, [a], [true], passes: 3, rate: 0.3);
        FedAvg.Round(none, [a, b], [false, false], passes: 3, rate: 0.3);
        Assert.That(both.Parameters.ToArray(), Is.EqualTo(one.Parameters.ToArray()));
        Assert.That(none.Parameters.ToArray(), Is.All.Zero);
    }

    private static FeatureSet Clouds(int rows, int[] labels, int seed)
    {
        var random = new SeededRandom(seed, "clouds");
        (float X, float Y)[] centres = [(0, 3), (3, -2), (-3, -2)];
        var chosen = Enumerable.Range(0, rows).Select(_ => labels[random.Next(labels.Length)]).ToArray();
        return new FeatureSet([.. chosen.SelectMany(label => new[] { centres[label].X + (float)random.NextNormal(), centres[label].Y + (float)random.NextNormal() })], chosen, 2);
    }
}
