using CsCheck;
using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

public sealed class BackoffTests
{
    [Test]
    public void Pause_OfAnyFailuresAndLuck_IsWithinTheCeilingOfItsFailures() => Gen.Select(Gen.Int[0, 100_000], Gen.Double[0, 1]).Sample((failures, drawn) =>
    {
        var pause = Backoff.ToBroker.Pause(failures, drawn);
        Assert.That(pause.Value, Is.InRange(0, 5));
        if (failures < 3) Assert.That(pause.Value, Is.EqualTo(0.5 * (1 << failures) * drawn).Within(1e-9));
        else if (failures > 3) Assert.That(pause.Value, Is.EqualTo(5 * drawn).Within(1e-9));
    });

    /// <summary>Tries that fail at once, as where nobody listens: by a broker that is away for any time all are back soon after it is, and never all together.</summary>
    [TestCase(1)]
    [TestCase(5)]
    [TestCase(30)]
    [TestCase(600)]
    [TestCase(86_400)]
    public void ToBroker_FleetWhoseBrokerWasAway_IsBackWithinTwoReportPeriodsAndSpread(int away)
    {
        const int Devices = 1000;
        var back = new List<double>();
        for (var device = 0; device < Devices; device++)
        {
            var random = new Random(device);
            var (now, failures) = (0.0, 0);
            // The first pause begins when the connection is lost.
            do now += Backoff.ToBroker.Pause(failures++, random.NextDouble()).Value;
            while (now < away);
            back.Add(now - away);
        }
        Assert.That(back.Max(), Is.LessThanOrEqualTo(2 * 5));
        Assert.That(back.GroupBy(late => (int)(late * 10)).Max(tenth => tenth.Count()), Is.LessThan(Devices / 5), "connections in the busiest tenth of a second");
    }

    [TestCase(0, 1)]
    [TestCase(-1, 1)]
    [TestCase(2, 1)]
    public void Faults_NoPauseOrFallingOnes_AreNamed(double initial, double max) =>
        Assert.That(new Backoff(new Seconds(initial), new Seconds(max)).Faults(), Has.One.Contains("back-off").And.Contains("allowed"));
}
