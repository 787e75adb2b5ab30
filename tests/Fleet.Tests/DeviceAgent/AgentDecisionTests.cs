using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Models.Offloading;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

/// <summary>Devices that decide for themselves. Sample 0 is confident at exit 1; the edge server always says otherwise.</summary>
public sealed class AgentDecisionTests
{
    private static readonly string Even = Outlook.Of([[.. Enumerable.Range(1, 100).Select(i => i / 100f)]], [.. Enumerable.Repeat(true, 100)]).ToString();

    [Test]
    public void Hierarchical_WayGetsSlowAndFastAgain_StopsSendingAndBeginsAnew()
    {
        // Sample 2 is sure of nothing: sending is worth up to half a second of waiting, not more.
        var world = new AgentWorld(Every(0.25, 60, sample: 2), Assign(DecisionKind.Hierarchical, errorPrice: 0.5)) { Answering = _ => (OffloadStatus.Ok, 0.05) };
        world.Run(20);
        Assert.That(By(world, 10, 20).All(by => by is AnsweredBy.Edge), Is.True, "fast");
        world.Answering = _ => (OffloadStatus.Ok, 0.45);
        world.Run(40);
        Assert.That(By(world, 30, 40).Count(by => by is AnsweredBy.Exit), Is.GreaterThan(35), "slow");
        Assert.That(world.Asked.Count(asked => asked.At > 30), Is.InRange(1, 4), "only to see whether it still is");
        world.Answering = _ => (OffloadStatus.Ok, 0.05);
        world.Run(60);
        Assert.That(By(world, 57, 60).All(by => by is AnsweredBy.Edge), Is.True, "fast again");
    }

    [Test]
    public void HiLcb_ExitThatIsSureAndWrong_LearnsToSend()
    {
        var world = new AgentWorld(Every(0.2, 60, sample: 0), Assign(DecisionKind.HiLcb));
        world.Run(60);
        Assert.That(By(world, 50, 60).Count(by => by is AnsweredBy.Edge), Is.GreaterThan(45));
    }

    [Test]
    public void HiLcb_UpperBound_IsKept()
    {
        var world = new AgentWorld(Every(0.2, 30, sample: 0), Assign(DecisionKind.HiLcb) with { ThresholdsMost = new PerExit([0.9]) });
        world.Run(30);
        Assert.That(world.Answers.All(answer => answer.By is AnsweredBy.Exit), Is.True);
    }

    [Test]
    public void HiLcb_LowerBound_IsKept()
    {
        var world = new AgentWorld(Every(0.2, 30, sample: 0), Assign(DecisionKind.HiLcb, errorPrice: 1e-3) with { ThresholdsLeast = new PerExit([1]) });
        world.Run(30);
        Assert.That(world.Answers.All(answer => answer.By is AnsweredBy.Edge), Is.True);
    }

    [TestCase(DecisionKind.HiLcb)]
    [TestCase(DecisionKind.HiLcbLite)]
    [TestCase(DecisionKind.H2t2)]
    [TestCase(DecisionKind.Hierarchical)]
    public void Decide_EdgeServerSilent_EveryInputIsAnsweredOnce(DecisionKind kind)
    {
        var world = new AgentWorld(Every(0.2, 30, sample: 1), Assign(kind)) { Answering = _ => null };
        world.Run(35);
        Assert.That(world.Answers, Has.Count.EqualTo(149));
        Assert.That(world.Agent.InFlight, Is.Zero);
    }

    [Test]
    public void For_AnotherHeadAndBack_KnowsWhatItKnewAndForgetsWithTheModel()
    {
        var learners = new Learners();
        var assignment = Assign(DecisionKind.HiLcb);
        void Teach() => Enumerable.Range(0, 400).ToList().ForEach(_ => Decide(learners, assignment).Learn(new Verdict(1, 0, 0.9, 0.9), Decision.GoOn, 0));
        Teach();
        Assert.That(Decide(learners, assignment).After(new Verdict(1, 0, 0.9, 0.9), 0).Next, Is.EqualTo(Next.Answer));
        learners.For(TinyModel.Assign(2, "edge-1") with { Decision = DecisionKind.HiLcb, ErrorPrice = new Seconds(1) }, TinyModel.Card, isAlone: false);
        Assert.That(Decide(learners, assignment).After(new Verdict(1, 0, 0.9, 0.9), 0).Next, Is.EqualTo(Next.Answer));
        Assert.That(Decide(learners, assignment with { CardSha256 = "another" }).After(new Verdict(1, 0, 0.9, 0.9), 0).Next, Is.EqualTo(Next.GoOn));
    }

    [Test]
    public void Desired_OutlookOfFewerExits_IsRefusedAndWhatRanRunsOn()
    {
        var world = new AgentWorld([], TinyModel.Assign(1, "edge-1")).Run(2);
        world.Desire(TinyModel.Assign(2, "edge-1") with { Version = 2, Decision = DecisionKind.Hierarchical, ErrorPrice = new Seconds(1), Outlook = Even });
        world.Run(4);
        Assert.That(world.Reported.Last().Error, Does.Contain("outlook knows 1 exits; head is 2"));
        Assert.That(world.Agent.Assignment!.Head, Is.EqualTo(1));
    }

    private static Decider Decide(Learners learners, Assignment assignment)
    {
        var decider = learners.For(assignment, TinyModel.Card, isAlone: false)!;
        decider.Follow(new WayPrices(new double[PerExit.Max], 0.3, 1));
        return decider;
    }

    private static Assignment Assign(DecisionKind kind, double errorPrice = 1) => TinyModel.Assign(1, "edge-1", cut: 1) with
    {
        Decision = kind,
        ErrorPrice = new Seconds(errorPrice),
        Outlook = kind is DecisionKind.Hierarchical ? Even : null,
    };

    private static IEnumerable<(double At, int Sample)> Every(double period, double until, int sample)
    {
        for (var at = period; at < until - 1e-9; at += period) yield return (at, sample);
    }

    private static List<AnsweredBy> By(AgentWorld world, double from, double to) => [.. world.Told.Where(told => told.At > from && told.At <= to).Select(told => told.Answer.By)];
}
