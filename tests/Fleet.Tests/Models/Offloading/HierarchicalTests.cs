using CsCheck;
using Fleet.Contracts;
using Fleet.Models.Offloading;
using NUnit.Framework;

namespace Fleet.Tests.Models.Offloading;

public sealed class HierarchicalTests
{
    private static readonly Gen<Case> Cases =
        from exits in Gen.Int[1, 5]
        from samples in Gen.Select(Gen.Float[0, 1].Array[exits], Gen.Bool).Array[60]
        from stages in Gen.Double[0, 0.1].Array[exits]
        from send in Gen.Double[0, 0.5]
        from answered in Gen.Double[0, 1]
        from cut in Gen.Int[0, exits]
        select new Case(Outlook.Of([.. Enumerable.Range(0, exits).Select(exit => samples.Select(sample => sample.Item1[exit]).ToArray())], [.. samples.Select(sample => sample.Item2)]), new WayPrices(stages, send, answered), exits, cut);

    /// <summary>Any number of tiers: what it decides costs exactly what backward induction over its table says, and no other policy costs less.</summary>
    [Test]
    public void After_AnyNumberOfLevels_CostsTheLeastOfTheModel() => Cases.Sample(one =>
    {
        var rule = new Hierarchical(one.Outlook, 1, first: 1, one.Exits, one.Cut);
        rule.Solve(one.Prices);
        var taken = one.Cost((exit, bin) => rule.After(exit, ConfidenceScale.Centre(bin)));
        Assert.That(taken, Is.EqualTo(one.Least()).Within(1e-9));
        var random = new Random(1);
        for (var other = 0; other < 20; other++)
        {
            var policy = Enumerable.Range(0, (one.Exits + 1) * ConfidenceScale.Bins).Select(_ => (Next)random.Next(3)).ToArray();
            Assert.That(one.Cost((exit, bin) => policy[exit * ConfidenceScale.Bins + bin]), Is.GreaterThanOrEqualTo(taken - 1e-9));
        }
    }, iter: 200);

    [Test]
    public void ToString_AnyOutlook_ReadsBackAsItWas() => Cases.Sample(one =>
    {
        var text = one.Outlook.ToString();
        Assert.That(Outlook.Parse(text).ToString(), Is.EqualTo(text));
        Assert.That(text, Has.Length.LessThan(ProtocolLint.OutlookLengthMax));
    }, iter: 50);

    [TestCase("")]
    [TestCase("900")]
    [TestCase("900|1,2;3")]
    [TestCase("1001|000000000001;0,0,0,0,0,0,0,0,0,0,0,0")]
    [TestCase("900|00000000001;0,0,0,0,0,0,0,0,0,0,0,0")]
    [TestCase("900|000000000000;0,0,0,0,0,0,0,0,0,0,0,0")]
    [TestCase("900|00000000000%;0,0,0,0,0,0,0,0,0,0,0,0")]
    public void Parse_Nonsense_IsRefused(string text) => Assert.Throws<FaultsException>(() => Outlook.Parse(text));

    [Test]
    public void After_WayThatCostsNothingAndIsAlwaysRight_GoesOn()
    {
        var rule = Simple(new WayPrices([0.01], 0, 1));
        Assert.That(rule.After(1, 0.9), Is.EqualTo(Next.GoOn));
        Assert.That(rule.SendsFirst, Is.True);
    }

    [TestCase(2.0, 1.0)]
    [TestCase(0.0, 0.0)]
    public void After_WayTooDearOrNeverAnswered_Stops(double send, double answered)
    {
        var rule = Simple(new WayPrices([0.01], send + 0.001, answered));
        Assert.That(rule.After(1, 0.5), Is.EqualTo(Next.Answer));
        Assert.That(rule.SendsFirst, Is.False);
    }

    [Test]
    public void Solve_WayGetsDearer_StopsSooner()
    {
        double Bar(double send)
        {
            var rule = Simple(new WayPrices([0.01], send, 1));
            return Enumerable.Range(0, 1001).Select(i => i / 1000.0).First(p => rule.After(1, p) is Next.Answer);
        }
        Assert.That(Bar(0.05), Is.EqualTo(0.95).Within(0.02));
        Assert.That(Bar(0.3), Is.EqualTo(0.7).Within(0.02));
    }

    [Test]
    public void Answered_StepInTheWay_IsFollowedWithinTenAnswers()
    {
        var way = new WayCosts(new Seconds(0.01));
        for (var i = 0; i < 20; i++) way.Answered(new Seconds(0.05), new Seconds(0.01), new Seconds(0.02));
        Assert.That((way.Time.Value, way.Way.Value, way.Queue.Value), Is.EqualTo((0.05, 0.02, 0.01)).Using<(double, double, double)>((a, b) => Math.Abs(a.Item1 - b.Item1) + Math.Abs(a.Item2 - b.Item2) < 1e-9 ? 0 : 1));
        for (var i = 0; i < 10; i++) way.Answered(new Seconds(0.5), new Seconds(0.01), new Seconds(0.02));
        Assert.That(way.Time.Value, Is.EqualTo(0.5).Within(0.06));
        for (var i = 0; i < 10; i++) way.Failed(new Seconds(0.5));
        Assert.That(way.AnsweredShare, Is.LessThan(0.2));
    }

    [Test]
    public void Add_KnownCosts_RegretIsLossBeyondTheBestFixedThreshold()
    {
        var ledger = new RegretLedger([0, 0.5, 2]);
        ledger.Add(0.3, wentOn: true, price: 0.2, kept: 1);
        ledger.Add(0.9, wentOn: true, price: 0.2, kept: 0);
        ledger.Add(0.4, wentOn: false, price: 0.2, kept: 0, audited: true);
        Assert.That(ledger.FixedLosses, Is.EqualTo((double[])[1, 0.4, 0.6]).Within(1e-12));
        Assert.That((ledger.Loss, ledger.BestFixed.Threshold, ledger.WentOn), Is.EqualTo((0.2 + 0.2 + 0.2, 0.5, 2L)).Using<(double, double, long)>((a, b) => Math.Abs(a.Item1 - b.Item1) < 1e-12 && (a.Item2, a.Item3) == (b.Item2, b.Item3) ? 0 : 1));
        Assert.That(ledger.Regret, Is.EqualTo(0.2).Within(1e-12));
    }

    /// <summary>One exit, as right as it says, before a tail that is always right.</summary>
    private static Hierarchical Simple(WayPrices prices)
    {
        var confidences = Enumerable.Range(0, 2000).Select(i => (float)((i + 0.5) / 2000)).ToArray();
        var rule = new Hierarchical(Outlook.Of([confidences], [.. confidences.Select(_ => true)]), 1, first: 1, deepest: 1, cut: 0);
        rule.Solve(prices);
        return rule;
    }

    private sealed record Case(Outlook Outlook, WayPrices Prices, int Exits, int Cut)
    {
        /// <summary>Expected cost behind exit 1 in the table's own words, inputs spread over its bins as they come.</summary>
        public double Cost(Func<int, int, Next> policy) => Expected((exit, bin, stop, send, next) => policy(exit, bin) switch
        {
            Next.Answer => stop,
            Next.GoOn when exit < Exits => next,
            _ => double.IsFinite(send) ? send : stop,
        });

        public double Least() => Expected((_, _, stop, send, next) => Math.Min(stop, Math.Min(send, next)));

        private double Expected(Func<int, int, double, double, double, double> choose)
        {
            var behind = new double[ConfidenceScale.Bins];
            for (var exit = Exits; exit >= 1; exit--)
            {
                var here = new double[ConfidenceScale.Bins];
                for (var b = 0; b < here.Length; b++)
                {
                    var p = ConfidenceScale.Centre(b);
                    var send = exit < Cut ? double.PositiveInfinity : Prices.Send + 1 - Prices.Answered * Outlook.Right(exit)[b] - (1 - Prices.Answered) * p;
                    var next = exit == Exits ? double.PositiveInfinity : Prices.Stages[exit] + Dot(Outlook.Next(exit, b), behind);
                    here[b] = choose(exit, b, 1 - p, send, next);
                }
                behind = here;
            }
            return Dot(Outlook.Next(0, 0), behind);
        }

        private static double Dot(ReadOnlySpan<double> shares, double[] values)
        {
            double sum = 0;
            for (var i = 0; i < values.Length; i++) sum += shares[i] * values[i];
            return sum;
        }
    }
}
