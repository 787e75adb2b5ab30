using CsCheck;
using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Emulator.Simulation;
using Fleet.Models;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

/// <summary>The path of one input, end to end. Sample 0 is confident at exit 1, sample 1 at exit 2, sample 2 never.</summary>
public sealed class AgentTests
{
    [TestCase(0, 1)]
    [TestCase(1, 2)]
    public void Infer_ConfidentExit_AnswersThereAndAsksNobody(int sample, int exit)
    {
        var world = new AgentWorld([(1, sample)], TinyModel.Assign(2, "edge-1")).Run(3);
        var answer = world.Answers.Single();
        Assert.That((answer.By, answer.Exit, answer.Label), Is.EqualTo((AnsweredBy.Exit, exit, exit - 1)));
        Assert.That(answer.Latency.Value, Is.EqualTo(0.01 * exit).Within(1e-6));
        Assert.That(world.Asked, Is.Empty);
        Assert.That(world.Ran.Skip(2), Is.EqualTo(Enumerable.Range(1, exit)), "after measuring both stages, only what was needed");
    }

    [Test]
    public void Infer_NotConfident_AsksTheEdgeServerAndTakesItsAnswer()
    {
        var world = new AgentWorld([(1, 2)], TinyModel.Assign(2, "edge-1")).Run(3);
        var answer = world.Answers.Single();
        Assert.That((answer.By, answer.Exit, answer.Label), Is.EqualTo((AnsweredBy.Edge, 0, TinyModel.EdgeLabel)));
        Assert.That(answer.Latency.Value, Is.EqualTo(0.07).Within(1e-6));
        var frame = world.Asked.Single().Frame;
        Assert.That((frame.Cut, frame.Codec, frame.Sample, frame.ModelHash), Is.EqualTo((2, FeatureCodec.Int8, 2, TinyModel.Hash)));
        Assert.That(frame.Deadline, Is.EqualTo(new Seconds(0.5)));
        Assert.That(frame.ReplyTo.Path, Is.EqualTo("fleet-data/v1/lab/cam-1/reply"));
    }

    [Test]
    public void Infer_NoEdgeServerAssigned_DeepestExitAnswersByPlan()
    {
        var answer = new AgentWorld([(1, 2)], TinyModel.Assign(2)).Run(3).Answers.Single();
        Assert.That((answer.By, answer.Exit, answer.DeadlineMissed), Is.EqualTo((AnsweredBy.Exit, 2, false)));
    }

    [Test]
    public void Infer_DeadlineMissed_FallsBackOnceAndTheLateReplyChangesNothing()
    {
        var world = new AgentWorld([(1, 2)], TinyModel.Assign(2, "edge-1")) { Answering = _ => (OffloadStatus.Ok, 0.9) };
        world.Run(5);
        var answer = world.Answers.Single();
        Assert.That((answer.By, answer.Exit, answer.Label, answer.DeadlineMissed), Is.EqualTo((AnsweredBy.Fallback, 2, 1, true)));
        Assert.That(answer.Latency.Value, Is.EqualTo(0.52).Within(1e-6));
        Assert.That(world.Agent.InFlight, Is.Zero);
        Assert.That(world.Agent.Window.AnsweredTotal, Is.EqualTo(1));
    }

    [TestCase(OffloadStatus.Expired)]
    [TestCase(OffloadStatus.Full)]
    [TestCase(OffloadStatus.NotHeld)]
    [TestCase(OffloadStatus.Refused)]
    public void Infer_EdgeServerRefuses_FallsBackAtOnce(OffloadStatus status)
    {
        var world = new AgentWorld([(1, 2)], TinyModel.Assign(2, "edge-1")) { Answering = _ => (status, 0.05) };
        world.Run(5);
        var answer = world.Answers.Single();
        Assert.That((answer.By, answer.Exit, answer.DeadlineMissed), Is.EqualTo((AnsweredBy.Fallback, 2, false)));
        Assert.That(answer.Latency.Value, Is.EqualTo(0.07).Within(1e-6));
    }

    [Test]
    public void Infer_SendsAll_SendsTheInputFirstAndRunsNoStage()
    {
        var world = new AgentWorld([(1, 0)], TinyModel.Assign(1, "edge-1", cut: 0, threshold: 2)).Run(3);
        Assert.That(world.Answers.Single().By, Is.EqualTo(AnsweredBy.Edge));
        Assert.That(world.Asked.Single().At, Is.EqualTo(1).Within(1e-6));
        Assert.That(world.Asked.Single().Frame.Codec, Is.EqualTo(FeatureCodec.Raw));
        Assert.That(world.Ran, Is.EqualTo((int[])[1]), "only when it was measured");
    }

    [Test]
    public void Infer_SendsAllAndNobodyAnswers_RunsTheHeadAfterTheDeadline()
    {
        var world = new AgentWorld([(1, 2)], TinyModel.Assign(1, "edge-1", cut: 0, threshold: 2)) { Answering = _ => null };
        world.Run(3);
        var answer = world.Answers.Single();
        Assert.That((answer.By, answer.Exit, answer.DeadlineMissed), Is.EqualTo((AnsweredBy.Fallback, 1, true)));
        Assert.That(answer.Latency.Value, Is.EqualTo(0.51).Within(1e-6));
    }

    [Test]
    public void Infer_EdgeServerDead_RestsAfterThreeFailuresAndProbesEveryFiveSeconds()
    {
        var world = new AgentWorld(Every(1, 30), TinyModel.Assign(1, "edge-1")) { Answering = _ => null };
        world.Run(31);
        var asked = world.Asked.Select(asked => asked.At).ToList();
        Assert.That(asked.Take(3), Is.EqualTo((double[])[1.01, 2.01, 3.01]).Within(1e-6));
        // One input a second: a probe goes with the first input once five seconds are over.
        Assert.That(asked.Skip(2).Zip(asked.Skip(3), (a, b) => b - a), Is.All.InRange(5 - 1e-6, 6 + 1e-6));
        Assert.That(asked, Has.Count.GreaterThan(6));
        Assert.That(world.Answers, Has.All.Property(nameof(Answer.By)).EqualTo(AnsweredBy.Fallback));
        Assert.That(world.Answers.Count(answer => answer.DeadlineMissed), Is.EqualTo(asked.Count));
    }

    [Test]
    public void Infer_EdgeServerComesBack_TheProbeFindsIt()
    {
        var world = new AgentWorld(Every(1, 30), TinyModel.Assign(1, "edge-1")) { Answering = _ => null };
        world.Run(10);
        world.Answering = _ => (OffloadStatus.Ok, 0.05);
        world.Run(31);
        Assert.That(world.Answers.Where(answer => answer.By is AnsweredBy.Fallback), Has.Exactly(4).Property(nameof(Answer.DeadlineMissed)).True, "three, and one probe");
        Assert.That(world.Answers.TakeLast(14), Has.All.Property(nameof(Answer.By)).EqualTo(AnsweredBy.Edge));
    }

    [Test]
    public void Infer_AnotherEdgeServerAssigned_LateFailuresOfTheOldOneDoNotRestIt()
    {
        var world = new AgentWorld([(1, 2), (1.1, 2), (1.2, 2), (1.3, 2), (1.35, 2), (2, 2), (2.1, 2)], TinyModel.Assign(1, "edge-1")) { Answering = _ => null };
        world.Edge("edge-2");
        world.Run(1.4);
        world.Answering = _ => (OffloadStatus.Ok, 0.05);
        world.Desire(TinyModel.Assign(1, "edge-2") with { Version = 2 });
        world.Run(5);
        Assert.That(world.Asked.Count(asked => asked.Edge == "edge-2"), Is.EqualTo(2));
        Assert.That(world.Answers.Count(answer => answer.By is AnsweredBy.Edge), Is.EqualTo(2));
    }

    [Test]
    public void Infer_MoreUnansweredThanMayWait_FallsBackAtOnce()
    {
        var world = new AgentWorld(Enumerable.Range(0, 6).Select(i => (1 + i * 0.02, 2)), TinyModel.Assign(1, "edge-1"), pendingMax: 4) { Answering = _ => null };
        world.Run(1.3);
        Assert.That(world.Asked, Has.Count.EqualTo(4));
        Assert.That(world.Answers, Has.Count.EqualTo(2));
        Assert.That(world.Answers, Has.All.Property(nameof(Answer.DeadlineMissed)).False);
    }

    [Test]
    public void Infer_LineIsDown_FallsBackWithoutWaiting()
    {
        var world = new AgentWorld(Every(1, 4), TinyModel.Assign(1, "edge-1"));
        world.Run(0.5);
        world.Clock.Soon(() => world.Line.Lose(TimeSpan.FromSeconds(5)));
        world.Run(5);
        Assert.That(world.Answers, Has.Count.EqualTo(4));
        Assert.That(world.Answers.Select(answer => answer.Latency.Value), Is.All.EqualTo(0.01).Within(1e-6));
        Assert.That(world.Asked, Is.Empty);
    }

    [Test]
    public void Infer_Audit_SendsSomeConfidentInputsAndCountsAgreement()
    {
        var world = new AgentWorld(Every(0.1, 200, sample: 0), TinyModel.Assign(1, "edge-1") with { AuditRatio = 0.25 }).Run(30);
        Assert.That(world.Answers, Has.Count.EqualTo(200));
        Assert.That(world.Answers, Has.All.Property(nameof(Answer.By)).EqualTo(AnsweredBy.Exit));
        Assert.That(world.Asked.Count, Is.EqualTo(50).Within(25));
        Assert.That(world.Windows.Sum(window => window.Audited), Is.EqualTo(world.Asked.Count));
        Assert.That(world.Windows.Sum(window => window.AuditAgreed), Is.Zero, "the tail says class 3, the exit class 0");
    }

    [Test]
    public void Infer_Audit_AnswersFirstAndThenRunsWhatIsBehindTheExit()
    {
        var world = new AgentWorld([(1, 0)], TinyModel.Assign(2, "edge-1") with { AuditRatio = 1, AuditTold = true, Version = 7 }, labelledAudits: 1).Run(3);
        Assert.That(world.Answers.Single().Exit, Is.EqualTo(1));
        Assert.That(world.Answers.Single().Latency.Value, Is.EqualTo(0.01).Within(1e-6), "stage 2 does not delay the answer");
        Assert.That(world.Asked.Single().Frame.Cut, Is.EqualTo(2), "whose features the route sends");
        var audit = world.Audits.Single();
        Assert.That((audit.Version, audit.Exit, audit.TailLabel, audit.Label, audit.Drawn), Is.EqualTo((7L, 1, TinyModel.EdgeLabel, (int?)0, 1.0)));
        Assert.That(audit.Unpack(5)!.Select(logits => Fleet.Models.Confidence.ArgMax(logits)), Is.EqualTo((int[])[0, 1]));
        Assert.That(audit.Faults(), Is.Empty);
        world.End(10);
        var window = world.Windows.Single(window => window.Count == 1);
        Assert.That((window.Audited, window.AuditAgreed, window.AuditLabelled, window.AuditCorrect), Is.EqualTo((1, 0, (int?)1, (int?)1)));
        Assert.That((window.ExitAudited, window.ExitAuditAgreed), Is.EqualTo((new PerExit([1, 0]), new PerExit([0, 0]))));
    }

    [Test]
    public void Infer_OffloadedInputIsDrawn_TellsWhatTheExitsMadeOfIt()
    {
        var world = new AgentWorld([(1, 2)], TinyModel.Assign(2, "edge-1") with { AuditRatio = 1, AuditTold = true }).Run(3);
        Assert.That((world.Answers.Single().By, world.Asked.Count), Is.EqualTo((AnsweredBy.Edge, 1)));
        Assert.That((world.Audits.Single().Exit, world.Audits.Single().Label, world.Audits.Single().Unpack(5)!.Count), Is.EqualTo((0, (int?)null, 2)));
    }

    [Test]
    public void Infer_SendsAllAndIsDrawn_RunsItsHeadAllTheSame()
    {
        var world = new AgentWorld([(1, 0)], TinyModel.Assign(1, "edge-1", cut: 0, threshold: 2) with { AuditRatio = 1, AuditTold = true }).Run(3);
        Assert.That(world.Answers.Single().By, Is.EqualTo(AnsweredBy.Edge));
        Assert.That(world.Audits.Single().Unpack(5), Has.Count.EqualTo(1), "or nobody would ever learn that its exit is good again");
    }

    [Test]
    public void Infer_StaysLocalAndIsAudited_AsksTheEdgeServerItWasGivenForThat()
    {
        var local = TinyModel.Assign(1) with { AuditRatio = 1, AuditTold = true };
        Assert.That(new AgentWorld([(1, 0)], local).Run(3).Asked, Is.Empty, "nobody to ask");
        var world = new AgentWorld([(1, 0)], local with { AuditTo = "edge-1" }).Run(3);
        Assert.That(world.Answers.Single().By, Is.EqualTo(AnsweredBy.Exit));
        Assert.That((world.Asked.Single().Edge, world.Asked.Single().Frame.Cut, world.Audits.Count), Is.EqualTo(("edge-1", 0, 1)));
    }

    [Test]
    public void Run_Stopped_DrainsWhatIsUnderWayAndSaysGoodbye()
    {
        var world = new AgentWorld([(1, 2), (1.1, 2), (1.2, 0), (1.25, 2)], TinyModel.Assign(1, "edge-1")) { Answering = _ => (OffloadStatus.Ok, 0.3) };
        world.Run(1.3);
        Assert.That(world.Agent.InFlight, Is.EqualTo(3));
        world.End(5);
        Assert.That(world.Answers, Has.Count.EqualTo(4));
        var last = world.Windows.Last();
        Assert.That((last.StartedTotal, last.AnsweredTotal, last.InFlight), Is.EqualTo((4L, 4L, 0)));
        Assert.That(world.Windows.Sum(window => window.Count), Is.EqualTo(4));
        Assert.That(world.Said.Last(said => said.Topic.Kind is TopicKind.State).Message, Is.EqualTo(State.Disconnected));
    }

    [Test]
    public void Run_StoppedWhileAlwaysBehind_EndsAllTheSame()
    {
        var world = new AgentWorld(Enumerable.Repeat((0.0, 0), 1_000_000), TinyModel.Assign(1), stageSeconds: 0.1);
        world.Run(2);
        Assert.DoesNotThrow(() => world.End(4));
    }

    [Test]
    public void Run_StoppedWhileInstalling_DoesNotComeBackAfterItsGoodbye()
    {
        var world = new AgentWorld([], TinyModel.Assign(1)) { InstallTime = new Seconds(10) };
        world.Run(2);
        world.End(30);
        Assert.That(world.Said.Last(said => said.Topic.Kind is TopicKind.State).Message, Is.EqualTo(State.Disconnected));
        Assert.That(world.Reported, Is.Empty);
    }

    /// <summary>Whatever comes, whatever the edge server does: each input is answered once, and every window adds up.</summary>
    [Test]
    public void Run_AnyInputsAndAnyEdgeServer_EveryInputIsAnsweredOnce() =>
        Gen.Select(Gen.Select(Gen.Double[0, 0.3], Gen.Int[0, 2]).Array[1, 50], Gen.Int[0, 5].Array[8], Gen.Double[0, 1], Gen.Int[1, 6], Gen.Bool).Sample(
            (inputs, statuses, after, pendingMax, sendsAll) =>
            {
                var at = 1.0;
                var times = inputs.Select(input => (at += input.Item1, input.Item2)).ToList();
                var assignment = sendsAll ? TinyModel.Assign(1, "edge-1", cut: 0, threshold: 2) : TinyModel.Assign(2, "edge-1") with { AuditRatio = 0.3 };
                var world = new AgentWorld(times, assignment, pendingMax: pendingMax)
                {
                    Answering = frame => statuses[frame.RequestId % 8] is var status and < 5 ? ((OffloadStatus)status, after) : null,
                };
                world.Run(at + 0.1);
                world.End(at + 10);
                var taken = (int)world.Agent.Window.StartedTotal;
                Assert.That(taken, Is.GreaterThan(0));
                Assert.That(world.Answers.Select(answer => answer.Sample).Order(), Is.EqualTo(inputs.Take(taken).Select(input => input.Item2).Order()));
                Assert.That(world.Windows.SelectMany(window => window.Faults()), Is.Empty);
                Assert.That(world.Windows.Sum(window => window.Count), Is.EqualTo(taken));
                Assert.That(world.Books.Unexplained(inFlight: 0), Is.Zero);
            },
            iter: 100, threads: 1);

    internal static IEnumerable<(double, int)> Every(double period, int count, int sample = 2) => Enumerable.Range(1, count).Select(i => (i * period, sample));
}
