using Fleet.Contracts;
using Fleet.Models.Deciding;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Who answers in a mixed fleet, and what training makes of it.</summary>
public sealed class ServingRatesTests
{
    /// <summary>Ten samples: six leave by exit 1 at 0.5, three of the rest by exit 2.</summary>
    private static readonly Cascade Exits = new(ExitScore.Probability,
        [[1, 1, 1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 1, 1, 1, 0], new double[10]],
        [new bool[10], new bool[10], new bool[10]],
        [new Macs(1), new Macs(2), new Macs(3)]);

    [Test]
    public void Of_OneKindOfDevice_IsWhatItDoesWithARest()
    {
        Assert.That(Of(new FleetShare(1, 1, Offloads: true, [0.5])), Is.EqualTo(new[] { 0.6, 0, 0.4 }).Within(1e-12));
        Assert.That(Of(new FleetShare(1, 1, Offloads: false, [0.5])), Is.EqualTo(new[] { 1.0, 0, 0 }).Within(1e-12));
        Assert.That(Of(new FleetShare(1, 2, Offloads: true, [0.5, 0.5])), Is.EqualTo(new[] { 0.6, 0.3, 0.1 }).Within(1e-12));
        Assert.That(Of(new FleetShare(1, 2, Offloads: false, [0.5, 0.5])), Is.EqualTo(new[] { 0.6, 0.4, 0 }).Within(1e-12));
        Assert.That(Of(new FleetShare(1, 3, Offloads: false, [0.5, 2, 0.9])), Is.EqualTo(new[] { 0.6, 0, 0.4 }).Within(1e-12));
    }

    [Test]
    public void Of_TwoKindsOfDevices_IsTheirMeanByRequests() =>
        Assert.That(Of(new FleetShare(30, 1, Offloads: false, [0.5]), new FleetShare(10, 2, Offloads: true, [0.5, 0.5])), Is.EqualTo(new[] { 0.9, 0.075, 0.025 }).Within(1e-12));

    [Test]
    public void Of_TheZooInAnyFleet_SumsToOneAndIsTheCascadesWhenAllRunAllOfIt()
    {
        var cascade = Cascade.Of(Zoo.Test, ExitScore.Entropy, [1, 1, 1], Cascade.MacsOf(Zoo.Card));
        var rates = ServingRates.Of(cascade, [new FleetShare(5, 1, true, [0.3]), new FleetShare(2, 2, false, [0.3, 0.1]), new FleetShare(1, 3, false, [0.3, 0.1, 0])]);
        Assert.That(rates.Sum(), Is.EqualTo(1).Within(1e-12));
        Assert.That(ServingRates.Of(cascade, [new FleetShare(4, 3, false, [0.3, 0.1, 0])]), Is.EqualTo(cascade.Evaluate([0.3, 0.1]).ExitShares).Within(1e-12));
    }

    /// <summary>Exit 1 is right about what it takes and nothing else, the last exit about all but two of the rest.</summary>
    [Test]
    public void Accuracy_OfAMixedFleet_IsThatOfItsAnswers()
    {
        bool[] first = [true, true, true, true, true, true, false, false, false, false];
        bool[] last = [.. Enumerable.Repeat(true, 8), false, false];
        var cascade = new Cascade(ExitScore.Probability, [[1, 1, 1, 1, 1, 1, 0, 0, 0, 0], new double[10]], [first, last], [new Macs(1), new Macs(2)]);
        FleetShare[] fleet = [new(3, 1, Offloads: false, [0.5]), new(1, 1, Offloads: true, [0.5])];
        Assert.That(ServingRates.Accuracy(cascade, fleet), Is.EqualTo(0.75 * 0.6 + 0.25 * 0.8).Within(1e-12));
    }

    [TestCase(0)]
    [TestCase(0.05)]
    public void LossWeights_AnyRates_HaveMeanOneAndTheirOrder(double floor)
    {
        var weights = ServingRates.LossWeights([0.6, 0, 0.4], floor);
        Assert.That(weights.Average(), Is.EqualTo(1).Within(1e-12));
        Assert.That((weights[0], weights[1]), Is.EqualTo((3 * (0.6 + floor) / (1 + 3 * floor), 3 * floor / (1 + 3 * floor))));
        Assert.That(weights[0], Is.GreaterThan(weights[2]));
    }

    [Test]
    public void Of_FleetThatDoesNotFit_IsRefused()
    {
        Assert.That(() => Of(new FleetShare(1, 4, true, [1, 1, 1, 1])), Throws.ArgumentException.With.Message.Contains("a head of 4 stages"));
        Assert.That(() => Of(new FleetShare(1, 2, true, [1])), Throws.ArgumentException.With.Message.Contains("1 thresholds for a head of 2"));
        Assert.That(() => Of(), Throws.ArgumentException.With.Message.Contains("requests"));
        Assert.That(() => Of(new FleetShare(0, 1, true, [1])), Throws.ArgumentException);
        Assert.That(() => Of(new FleetShare(3, 1, true, [1]), new FleetShare(-1, 1, true, [1])), Throws.ArgumentException);
    }

    private static double[] Of(params FleetShare[] fleet) => ServingRates.Of(Exits, fleet);
}
