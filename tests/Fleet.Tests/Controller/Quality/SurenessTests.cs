using Fleet.Controller.Quality;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Controller.Quality;

public sealed class SurenessTests
{
    private const double AuditsToFalseAlarm = 10_000;

    /// <summary>Each seed has another sample for normal: its own error must not raise an alarm.</summary>
    [Test]
    public void Add_InputsStayAsTheyWere_RarelyAlarms()
    {
        var alarms = 0;
        for (var seed = 1; seed <= 50; seed++)
        {
            var random = new SeededRandom(seed, "same");
            var sureness = Of(random, 300);
            for (var audit = 0; audit < 1000; audit++)
                if (sureness.Add(Confidence(random, isHard: false))) alarms++;
        }
        Assert.That(alarms, Is.LessThanOrEqualTo(5), "50,000 audits, one alarm in 10,000 at most");
    }

    [Test]
    public void Add_InputsBecomeHarder_AlarmsSoonAndKnowsSinceWhen()
    {
        var (delays, misses) = (new List<int>(), new List<double>());
        for (var seed = 1; seed <= 20; seed++)
        {
            var random = new SeededRandom(seed, "harder");
            var sureness = Of(random, 1000);
            for (var audit = 0; audit < 1000; audit++) Assert.That(sureness.Add(Confidence(random, isHard: false)), Is.False);
            var late = 1;
            while (!sureness.Add(Confidence(random, isHard: true))) late++;
            delays.Add(late);
            misses.Add(Math.Abs(sureness.Since - late));
        }
        Assert.That(delays.Average(), Is.LessThan(100));
        Assert.That(misses.Average(), Is.LessThan(30));
    }

    [Test]
    public void Of_FewInputs_KnowsNothingNormal()
    {
        var random = new SeededRandom(1, "few");
        Assert.That(Sureness.Of(Inputs(random, Sureness.InputsMin - 1), 1, AuditsToFalseAlarm), Is.Null);
        Assert.That(Sureness.Of(Inputs(random, Sureness.InputsMin), 1, AuditsToFalseAlarm), Is.Not.Null);
    }

    private static Sureness Of(SeededRandom random, int inputs) => Sureness.Of(Inputs(random, inputs), 1, AuditsToFalseAlarm)!;

    private static List<WatchedInput> Inputs(SeededRandom random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => new WatchedInput("cam-1", [[(float)Logit(random, isHard: false), 0]], 0, 0.9, null, 1))];

    private static double Confidence(SeededRandom random, bool isHard) => 1 / (1 + Math.Exp(-(float)Logit(random, isHard)));

    private static double Logit(SeededRandom random, bool isHard) => (isHard ? 2 : 4) * random.NextDouble();
}
