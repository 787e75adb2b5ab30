using System.Buffers.Binary;
using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Models;
using Fleet.Tests.Emulator;
using Fleet.Tests.Models.Distributed;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

/// <summary>A device of a group: what it sends of a sample, and what it does without an answer. Its own exit answers class 0.</summary>
public sealed class AgentGroupTests
{
    private static readonly Assignment Member =
        TinyModel.Assign(1, "edge-1", threshold: 2) with { Cut = 1, FeatureDType = FeatureCodec.Bits, Group = "gate", View = 2 };

    [Test]
    public void Infer_LocalExitSure_SendsOnlyTheClassVector()
    {
        var world = new AgentWorld([(1, 2)], Member).Run(3);
        var frame = world.Asked.Single().Frame;
        Assert.That((frame.View, frame.Codec, frame.RequestId, frame.Sample), Is.EqualTo((2, FeatureCodec.Float32, GroupRequest.Id("gate", 2), 2)));
        Assert.That(frame.Shape, Is.EqualTo([5]));
        var vector = Enumerable.Range(0, 5).Select(i => BinaryPrimitives.ReadSingleLittleEndian(frame.Payload.Span[(4 * i)..]));
        Assert.That(vector, Is.EqualTo(Array.ConvertAll(TinyModel.Trace.ExitLogits(1, 2).ToArray(), logit => (float)logit)));
        Assert.That((world.Answers.Single().By, world.Answers[0].Label), Is.EqualTo((AnsweredBy.Edge, TinyModel.EdgeLabel)));
    }

    [Test]
    public void Infer_BitsWanted_SendsThemUnderTheSameNumberWithWhatIsLeftOfTheDeadline()
    {
        var world = new AgentWorld([(1, 2)], Member) { Answering = Doubting }.Run(3);
        Assert.That(world.Asked.Select(asked => asked.Frame.Codec), Is.EqualTo([FeatureCodec.Float32, FeatureCodec.Bits]));
        var bits = world.Asked[1].Frame;
        Assert.That((bits.View, bits.RequestId, bits.Payload.Length), Is.EqualTo((2, GroupRequest.Id("gate", 2), 1)), "eight signs");
        Assert.That(bits.Shape, Is.EqualTo(TinyModel.Card.Cuts[1].Shape));
        Assert.That(bits.Deadline.Value, Is.EqualTo(0.45).Within(1e-6));
        Assert.That((world.Answers.Single().By, world.Agent.InFlight), Is.EqualTo((AnsweredBy.Edge, 0)));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Infer_NoAnswer_TheOwnExitAnswersAtTheDeadline(bool asksForBits)
    {
        var world = new AgentWorld([(1, 2)], Member) { Answering = frame => asksForBits && frame.Codec is FeatureCodec.Float32 ? (OffloadStatus.BitsWanted, 0.05) : null }.Run(3);
        var answer = world.Answers.Single();
        Assert.That((answer.By, answer.Label, answer.DeadlineMissed), Is.EqualTo((AnsweredBy.Fallback, 0, true)));
        Assert.That(answer.Latency.Value, Is.EqualTo(0.51).Within(1e-6));
        Assert.That((world.Agent.InFlight, world.Agent.Window.AnsweredTotal), Is.EqualTo((0, 1L)));
    }

    [Test]
    public void Infer_ManyDoubts_AreNoFailuresOfTheEdgeServer()
    {
        var world = new AgentWorld([.. Enumerable.Range(0, 9).Select(i => (1.0 + i, i % 3))], Member) { Answering = Doubting }.Run(12);
        Assert.That(world.Answers.Select(answer => answer.By), Is.EqualTo(Enumerable.Repeat(AnsweredBy.Edge, 9)));
    }

    [Test]
    public void Infer_LiveSampleWithoutANumber_IsNotShared()
    {
        var world = new BusWorld();
        var options = new AgentOptions { Site = "lab", Id = "cam-1", Profile = AgentWorld.Profile, Info = new Info { Board = "b", Stack = "s", Profile = "p", AgentVersion = "1", Os = "test", Emulated = true } };
        var path = new RequestPath(options, world.Clock, new Random(1), new Offloads(world.Bus.Connect("cam-1"), world.Clock, 8, new LinkEstimate(options.Profile.Radio.Goodput.Value)), new Window(), new StageTimes());
        var answers = new List<Answer>();
        path.Answered += answers.Add;
        using var head = GroupZoo.Model.LoadHead(2);
        world.Clock.Start(async () =>
        {
            await path.Swap(new Running(head, Member with { CardSha256 = GroupZoo.Model.CardSha256 }, new Topic(TopicKind.Offload, "lab", "edge-1")));
            await path.Infer(new Sample(-1, -1, new byte[140]));
        });
        world.Run(2);
        Assert.That((answers.Single().By, answers[0].Exit, path.InFlight), Is.EqualTo((AnsweredBy.Fallback, 1, 0)));
        Assert.That(world.Books.DueTotal, Is.Zero, "nobody was asked");
    }

    [Test]
    public void Infer_SameNumberWhileItIsAsked_IsAnsweredAlone()
    {
        var world = new AgentWorld([(1, 2), (1.1, 2)], Member) { Answering = _ => (OffloadStatus.Ok, 0.4) }.Run(3);
        Assert.That(world.Asked, Has.Count.EqualTo(1));
        Assert.That(world.Answers.Select(answer => answer.By).Order(), Is.EqualTo([AnsweredBy.Edge, AnsweredBy.Fallback]));
    }

    [Test]
    public void Desired_AnotherView_InstallsItsNetwork()
    {
        var world = new AgentWorld([], Member);
        world.Run(1);
        world.Desire(Member with { Version = 2, View = 3 });
        world.Run(2);
        Assert.That(world.Installs.Select(install => install.Wanted.View), Is.EqualTo([2, 3]));
        Assert.That(world.Reported.Last().View, Is.EqualTo(3));
    }

    [TestCase("", 2, "view is 2")]
    [TestCase("gate", 0, "view is 0")]
    [TestCase("gate", 256, "view is 256")]
    [TestCase("A gate", 1, "group")]
    public void Assignment_GroupAndViewApart_AreFaults(string group, int view, string fault) =>
        Assert.That((Member with { Group = group, View = view }).Faults(), Has.Some.Contains(fault));

    [Test]
    public void Assignment_OtherThanOneStageAndBits_IsAFault()
    {
        Assert.That(Member.Faults(), Is.Empty);
        Assert.That((Member with { FeatureDType = FeatureCodec.Int8 }).Faults(), Has.One.Contains("allowed in a group: head 1, cut 1, bits"));
        Assert.That((Member with { Group = "", View = 0 }).Faults(), Has.One.Contains("allowed in a group only"));
    }

    private static (OffloadStatus, double)? Doubting(TensorFrame frame) => (frame.Codec is FeatureCodec.Bits ? OffloadStatus.Ok : OffloadStatus.BitsWanted, 0.05);
}
