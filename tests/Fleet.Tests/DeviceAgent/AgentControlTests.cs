using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

/// <summary>What the agent does with what it is told, and what it says about it.</summary>
public sealed class AgentControlTests
{
    private static readonly Topic Measure = new(TopicKind.Command, "lab", "cam-1", "m1");

    [Test]
    public void Run_NoControllerAndNoBroker_AnswersByItsDefault()
    {
        var world = new AgentWorld(AgentTests.Every(1, 5), TinyModel.Assign(2));
        world.Line.Lose(TimeSpan.FromSeconds(5));
        world.Run(8);
        Assert.That(world.Answers, Has.Count.EqualTo(5));
        Assert.That(world.Answers, Has.All.Property(nameof(Answer.Exit)).EqualTo(2));
    }

    [Test]
    public void Run_NothingToRun_WaitsInInitAndBeginsWithTheFirstDesired()
    {
        var world = new AgentWorld([(0.5, 0)]).Run(3);
        Assert.That(world.Said.Select(said => said.Message), Has.Member(State.Init).And.No.Member(State.Ready));
        Assert.That(world.Answers, Is.Empty);
        world.Desire(TinyModel.Assign(1));
        world.Run(5);
        Assert.That(world.Said.Select(said => said.Message), Has.Member(State.Ready));
        Assert.That(world.Answers, Has.Count.EqualTo(1));
    }

    [Test]
    public void Run_Announces_StateInfoBudgetAndWhatItRuns()
    {
        var world = new AgentWorld([], TinyModel.Assign(2)).Run(1);
        Assert.That(world.Said.Select(said => said.Topic.Kind), Is.SupersetOf((TopicKind[])[TopicKind.State, TopicKind.Info, TopicKind.Budget, TopicKind.Reported]));
        var budget = world.Said.Select(said => said.Message).OfType<Budget>().Last();
        Assert.That(budget.StageSeconds, Is.EqualTo(new PerExit([0.01, 0.01])), "measured when it was installed");
        Assert.That(budget.StageJoules.Of(1), Is.EqualTo(0.01 * (AgentWorld.Profile.Power.Active.Value - AgentWorld.Profile.Power.Idle.Value).Value).Within(1e-6));
        Assert.That(budget.PowerMeasured, Is.False);
        Assert.That(budget.Faults(), Is.Empty);
    }

    [Test]
    public void Run_Reconnected_AnnouncesAgain()
    {
        var world = new AgentWorld([], TinyModel.Assign(1)).Run(2);
        world.Clock.Soon(() => world.Line.Lose(TimeSpan.FromSeconds(1)));
        world.Run(10);
        var from = world.Said.Count;
        world.Clock.Soon(world.Line.Restore);
        world.Run(10.5);
        var again = world.Said.Skip(from).ToList();
        Assert.That(again.Select(said => said.Message), Has.Member(State.Ready));
        Assert.That(again.Select(said => said.Topic.Kind), Has.Member(TopicKind.Info).And.Member(TopicKind.Reported).And.Member(TopicKind.Budget));
    }

    [TestCase(3, 2)]
    [TestCase(2, 9)]
    public void Desired_Older_IsRefusedWithTheReason(long epoch, long version)
    {
        var world = new AgentWorld(AgentTests.Every(1, 5)).Run(0.1);
        world.Desire(TinyModel.Assign(1) with { Epoch = 3, Version = 5 });
        world.Run(1);
        world.Desire(TinyModel.Assign(2) with { Epoch = epoch, Version = version });
        world.Run(2);
        Assert.That(world.Agent.Assignment!.Version, Is.EqualTo(5));
        var reported = world.Reported.Last();
        Assert.That(reported.Version, Is.EqualTo(5));
        Assert.That(reported.Error, Does.Contain($"version {version} of epoch {epoch}").And.Contain("refused"));
    }

    [Test]
    public void Desired_NewEpochWithASmallerVersion_IsTaken()
    {
        var world = new AgentWorld([]).Run(0.1);
        world.Desire(TinyModel.Assign(1) with { Epoch = 3, Version = 5 });
        world.Run(1);
        world.Desire(TinyModel.Assign(2) with { Epoch = 4, Version = 1 });
        world.Run(2);
        Assert.That(world.Agent.Assignment, Is.EqualTo(TinyModel.Assign(2) with { Epoch = 4, Version = 1 }));
        Assert.That(world.Reported.Last().Error, Is.Empty);
    }

    [Test]
    public void Desired_Malformed_IsCountedReportedAndChangesNothing()
    {
        var world = new AgentWorld(AgentTests.Every(1, 5), TinyModel.Assign(1)).Run(2.5);
        world.Desire(new Malformed("head is 99; allowed: 1 to 8", 100));
        world.Run(7);
        Assert.That(world.Answers, Has.Count.EqualTo(5));
        Assert.That(world.Agent.Malformed, Is.EqualTo(1));
        Assert.That(world.Reported.Select(reported => reported.Error), Has.Some.Contains("head is 99").And.Some.Contains("desired"));
        Assert.That(world.Reported.Last().RunsAs(TinyModel.Assign(1)), Is.True);
        Assert.That(world.Reported.Last().Error, Is.Empty, "taken back a report period later: what runs is not at fault");
    }

    [Test]
    public void Desired_CutTheModelDoesNotHave_IsReported()
    {
        var world = new AgentWorld([], TinyModel.Assign(1)).Run(1);
        world.Desire(TinyModel.Assign(3, "edge-1") with { Version = 2 });
        world.Run(2);
        Assert.That(world.Reported.Last().Error, Does.Contain("cut is 3").Or.Contain("cut: is 3"));
        Assert.That(world.Agent.Assignment!.Head, Is.EqualTo(1));
    }

    [Test]
    public void Install_Fails_OldHeadRunsOnAndItIsTriedAgainLessAndLessOften()
    {
        var world = new AgentWorld(AgentTests.Every(1, 100), TinyModel.Assign(1)).Run(1.5);
        world.Refuses = _ => "the shop is closed";
        world.Desire(TinyModel.Assign(2) with { Version = 2 });
        world.Run(101);
        Assert.That(world.Answers, Has.Count.EqualTo(100));
        Assert.That(world.Reported.Last().Error, Does.Contain("version 2").And.Contain("the shop is closed"));
        var tries = world.Installs.Where(install => install.Wanted.Version == 2).Select(install => install.At).ToList();
        var pauses = tries.Zip(tries.Skip(1), (a, b) => b - a).ToList();
        Assert.That(tries, Has.Count.InRange(4, 7));
        for (var i = 0; i < pauses.Count; i++) Assert.That(pauses[i], Is.InRange(2 * Math.Pow(2, i) * 0.5, 2 * Math.Pow(2, i) * 1.5));
        world.Refuses = _ => null;
        world.Run(400);
        Assert.That(world.Agent.Assignment!.Version, Is.EqualTo(2));
        Assert.That(world.Reported.Last().Error, Is.Empty);
    }

    [Test]
    public void Install_FailsForLong_ANewerDesiredIsTakenAtOnce()
    {
        var world = new AgentWorld([], TinyModel.Assign(1)) { Refuses = wanted => wanted.Version == 2 ? "no such file" : null };
        world.Run(1);
        world.Desire(TinyModel.Assign(2) with { Version = 2 });
        world.Run(600);
        world.Desire(TinyModel.Assign(2) with { Version = 3 });
        world.Run(600.5);
        Assert.That(world.Agent.Assignment!.Version, Is.EqualTo(3));
    }

    [Test]
    public void Install_FailsBeforeAnyHead_IsReportedAllTheSame()
    {
        var world = new AgentWorld([]) { Refuses = _ => "no such file" };
        world.Run(1);
        world.Desire(TinyModel.Assign(2) with { Version = 7 });
        world.Run(2);
        Assert.That(world.Reported.Last().Error, Does.Contain("no such file"));
        Assert.That(world.Complaints, Is.Not.Empty.And.All.Contain("no such file"), "without a broker nobody else would hear of it");
        Assert.That(world.Agent.Assignment, Is.Null);
    }

    [Test]
    public void Desired_TheSameAgain_SaysAgainThatItRunsIt()
    {
        var world = new AgentWorld([], TinyModel.Assign(2)).Run(1);
        world.Desire(TinyModel.Assign(2) with { Epoch = 3, Version = 2 });
        world.Run(2);
        var (states, reported) = (world.Said.Count(said => said.Topic.Kind is TopicKind.State), world.Reported.Count());
        world.Desire(TinyModel.Assign(2) with { Epoch = 3, Version = 2 });
        world.Run(3);
        Assert.That(world.Said.Where(said => said.Topic.Kind is TopicKind.State).Skip(states).Select(said => said.Message), Is.EqualTo((Message[])[State.Ready]));
        Assert.That(world.Reported.Skip(reported), Is.EqualTo((Assignment[])[TinyModel.Assign(2) with { Epoch = 3, Version = 2 }]));
        Assert.That(world.Installs, Has.Count.EqualTo(1));
    }

    [Test]
    public void Desired_SameHead_IsNotInstalledAgain()
    {
        var world = new AgentWorld([], TinyModel.Assign(2)).Run(1);
        world.Desire(TinyModel.Assign(2, "edge-1") with { Version = 2 });
        world.Run(2);
        Assert.That(world.Installs, Has.Count.EqualTo(1));
        Assert.That(world.Agent.Assignment!.OffloadTo, Is.EqualTo("edge-1"));
    }

    [Test]
    public void Desired_AnotherHeadInTheMiddleOfAnInput_SwapsBetweenInputs()
    {
        var world = new AgentWorld(AgentTests.Every(0.1, 20), TinyModel.Assign(2), stageSeconds: 0.05).Run(0.72);
        world.Desire(TinyModel.Assign(3) with { Version = 2 });
        world.Run(10);
        Assert.That(world.Answers, Has.Count.EqualTo(20));
        foreach (var answer in world.Answers) Assert.That(answer.Exit, Is.EqualTo(answer.Assignment.Head));
        Assert.That(world.Answers.Select(answer => answer.Exit), Is.Ordered, "first all by exit 2, then all by exit 3");
        Assert.That(world.Answers[^1].Exit, Is.EqualTo(3));
        Assert.That(world.Windows.SelectMany(window => window.Faults()), Is.Empty);
    }

    [Test]
    public void Command_Measure_RunsEachStageAndSaysHowLongItTakes()
    {
        var world = new AgentWorld([], TinyModel.Assign(2)).Run(1);
        world.Say(Measure, new Command { Verb = "measure", Status = "init" });
        world.Run(2);
        Assert.That(world.Ran, Is.EqualTo((int[])[1, 2, 1, 2]));
        Assert.That(world.Said.Where(said => said.Topic == Measure).Select(said => ((Command)said.Message).Status), Is.EqualTo((string[])["init", "executing", "successful"]));
    }

    [Test]
    public void Command_Unknown_FailsWithWhatIsAllowed()
    {
        var world = new AgentWorld([], TinyModel.Assign(1)).Run(1);
        world.Say(Measure, new Command { Verb = "dance", Status = "init" });
        world.Run(2);
        var told = (Command)world.Said.Last(said => said.Topic == Measure).Message;
        Assert.That(told.Status, Is.EqualTo("failed"));
        Assert.That(told.Error, Does.Contain("dance").And.Contain("measure"));
    }

    [Test]
    public void Command_AlreadyDone_IsNotDoneAgain()
    {
        var world = new AgentWorld([], TinyModel.Assign(1)).Run(1);
        world.Say(Measure, new Command { Verb = "measure", Status = "successful" });
        world.Run(2);
        Assert.That(world.Ran, Is.EqualTo((int[])[1]));
    }
}
