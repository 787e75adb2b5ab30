using CsCheck;
using Fleet.Contracts;
using Fleet.Emulator.Fitting;
using Fleet.Models.Profiling;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Fitting;

public sealed class StackTransferTests
{
    private static readonly IReadOnlyDictionary<string, Network> Networks = MeasuredTables.Shipped().Networks;
    private static readonly string[] Benchmarks = ["vww", "ic", "kws", "ad"];

    private static readonly Target M4 = new() { Board = "donor", Core = "Cortex-M4", Clock = new(120e6), Family = "stack", Version = 2 };
    private static readonly Target M7 = M4 with { Board = "target", Core = "Cortex-M7", Clock = new(280e6) };

    [Test]
    public void Predict_BoardThatIsAFactorAway_IsExact()
    {
        Gen.Select(Gen.Double[0.05, 20], Gen.Int[0, 3], Gen.Int[0, 3]).Sample((factor, asked, calibrating) =>
        {
            var donor = Measured(M4, time => time);
            var target = Measured(M7, time => time * factor);
            if (StackTransfer.Predict(M7, Networks[Benchmarks[asked]], [target.Times[calibrating]], [new Donor(donor)]) is not { } found) return false;
            // The bare shape among the donors has a weight of 0.0001 over that of the donor, exp(-2) or less.
            return Math.Abs(found.Time / target.Times[asked].Time - 1) < 0.01 && (asked != calibrating || Math.Abs(found.Time / target.Times[asked].Time - 1) < 1e-9);
        }, iter: 100, seed: "0000KmXBCoy0");
    }

    [Test]
    public void Predict_SameCoreWithoutTimes_CarriesCyclesOver()
    {
        var donor = Measured(M4, time => time);
        var found = StackTransfer.Predict(M4 with { Clock = new(60e6) }, Networks["vww"], [], [new Donor(donor)])!;
        Assert.That(found.Time.Value, Is.EqualTo(2 * donor.Row("vww")!.Latency.Value).Within(1e-9));
    }

    // A clock of twice the speed, but three times as long with the one stack that both boards ran: so much with the other, too.
    [Test]
    public void Predict_BoardKnownWithAnotherStack_IsAsFarAwayWithThisOne()
    {
        var other = M4 with { Family = "other" };
        Donor[] donors = [new(Measured(M4, time => time)), new(Measured(other, time => 2 * time)), new(Measured(other with { Board = "target", Core = "Cortex-M7", Clock = new(240e6) }, time => 6 * time))];
        var found = StackTransfer.Predict(M7, Networks["vww"], [], donors)!;
        Assert.That((found.Donor, found.IsByClock), Is.EqualTo(("donor", false)));
        // The other stack's donors say six times, with a weight of exp(-6) each.
        Assert.That(found.Time.Value, Is.EqualTo(0.3).Within(1).Percent);
    }

    [Test]
    public void Predict_NoTimesAndNoClock_HasNoAnswer() =>
        Assert.That(StackTransfer.Predict(M4 with { Clock = null }, Networks["vww"], [], [new Donor(Measured(M4, time => time))]), Is.Null);

    [Test]
    public void Predict_NoDonors_KeepsTheRatiosOfKernelKinds()
    {
        var shape = RateFit.MicrocontrollerShape;
        var found = StackTransfer.Predict(M4, Networks["ic"], [new KnownTime(Networks["kws"], new Seconds(0.1))], [])!;
        Assert.That(found.Donor, Is.Empty);
        Assert.That(found.Time.Value, Is.EqualTo(0.1 * (shape.Time(Networks["ic"].Work) / shape.Time(Networks["kws"].Work))).Within(1e-9));
    }

    [Test]
    public void Predict_NetworkNobodyRan_FollowsTheRatesThatMadeTheRows()
    {
        var rates = RateFit.MicrocontrollerShape * 1e-8;
        var rows = Benchmarks.Select(name => new KnownTime(Networks[name], rates.Time(Networks[name].Work))).ToList();
        var asked = Networks["MobileNetV2 0.35 128 flowers5"];
        Assert.That(StackTransfer.Predict(M4, asked, rows, [])!.Time.Value, Is.EqualTo(rates.Time(asked.Work).Value).Within(0.01).Percent);
    }

    [Test]
    public void Near_MoreRowsThanCharges_RecoversRatesFarFromThePrior()
    {
        // Nine charges, sixty-five networks: with a weight of next to nothing the prior is only where the search begins.
        var truth = new Rates([3e-9, 1e-9, 2e-9, 4e-9, 5e-9, 2e-8, 1e-6, 6e-9, 3e-8]);
        var found = RateFit.Near(RateFit.ApplicationProcessorShape * 1e-9, [.. Networks.Values.Select(network => new KnownTime(network, truth.Time(network.Work)))], shrinkage: 1e-12);
        foreach (var charge in Rates.Charges) Assert.That(found[charge], Is.EqualTo(truth[charge]).Within(1).Percent, charge.ToString());
    }

    [Test]
    public void Distance_Anything_IsZeroToItselfAndGrowsWithEachDifference()
    {
        Assert.That(StackTransfer.Distance(M4, M4), Is.Zero);
        var distances = new[] { M4 with { Core = "Cortex-M7" }, M4 with { Version = 3 }, M4 with { Family = "other" }, M4 with { Family = "other", Core = "Cortex-M7" } }.Select(donor => StackTransfer.Distance(M4, donor)).ToList();
        Assert.That(distances, Is.Ordered);
        Assert.That(distances[0], Is.Positive);
    }

    private static MeasuredSystem Measured(Target target, Func<double, double> scale)
    {
        var milliseconds = new Dictionary<string, double> { ["vww"] = 100, ["ic"] = 180, ["kws"] = 45, ["ad"] = 5 };
        return new MeasuredSystem
        {
            Id = target.Board,
            Target = target,
            Stack = "stack",
            Submitter = "nobody",
            Round = "none",
            Also = [],
            Rows = [.. milliseconds.Select(pair => new MeasuredRow(Networks[pair.Key], new Seconds(scale(pair.Value) / 1e3), null, "made up"))],
        };
    }
}
