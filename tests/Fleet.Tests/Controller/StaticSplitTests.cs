using Fleet.Contracts;
using Fleet.Controller.Planning;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

/// <summary>The one policy that can be told what everybody shall run.</summary>
public sealed class StaticSplitTests
{
    [TestCase("static-split:cut=0:codec=png:threshold_ratio=2", 0, FeatureCodec.Png, 0)]
    [TestCase("static-split:cut=0", 0, FeatureCodec.Raw, 0)]
    [TestCase("static-split:cut=2", 2, FeatureCodec.Int8, 0)]
    [TestCase("static-split:cut=1:codec=fp16", 1, FeatureCodec.Float16, 0)]
    [TestCase("static-split:bottleneck=2", 1, FeatureCodec.Coded, 2)]
    [TestCase("static-split", 1, FeatureCodec.Int8, 0)]
    public void Plan_RouteAskedFor_IsWhatEverybodyGets(string policy, int cut, FeatureCodec codec, int bottleneck)
    {
        var edge = FleetBuilder.Edge("e");
        edge = edge with { Reported = edge.Reported! with { Bottlenecks = string.Join(',', FleetBuilder.Model.Files.Card.Bottlenecks.Select(card => card.Name)) } };
        var fleet = FleetBuilder.Fleet([FleetBuilder.Device("a", "pi-5"), FleetBuilder.Device("b", "pi-zero-2w")], edge);
        var choices = FleetBuilder.Planner(policy).Plan(fleet, PlannerState.Empty, new Random(1)).Plan.Choices;
        Assert.That(choices.Keys, Is.EqualTo((string[])["a", "b"]));
        foreach (var choice in choices.Values) Assert.That((choice.Option.Route, choice.Option.Head), Is.EqualTo(((Route?)new Route(cut, codec, bottleneck), Math.Max(1, cut))));
    }

    [Test]
    public void Plan_CutBehindTheLastStage_NothingCrosses()
    {
        var choice = FleetBuilder.Planner("static-split:cut=3:threshold_ratio=2").Plan(FleetBuilder.Fleet([FleetBuilder.Device("a", "pi-5")], FleetBuilder.Edge("e")), PlannerState.Empty, new Random(1)).Plan.Choices["a"];
        Assert.That((choice.Edge, choice.Option.Route, choice.Option.Head), Is.EqualTo(((string?)null, (Route?)null, 3)));
        Assert.That(choice.Option.Accuracy, Is.EqualTo(FleetBuilder.Model.FullAccuracy).Within(1e-9), "no early exit answers");
    }

    [TestCase("static-split:codec=gif", "static-split's codec is \"gif\"; allowed: none, int8, fp16")]
    [TestCase("static-split:codec=5", "static-split's codec is \"5\"; allowed: none, int8, fp16")]
    [TestCase("static-split:cut=-1", "static-split's cut is \"-1\"; allowed: 0 to 255")]
    [TestCase("static-split:cut=2:codec=webp", "fmnist has no route at cut 2 by codec webp over bottleneck 0; it has cut 0 raw, ")]
    [TestCase("static-split:bottleneck=9", "over bottleneck 9; it has")]
    public void Create_RouteThatIsNone_SaysWhichThereAre(string policy, string says) =>
        Assert.That(() => FleetBuilder.Planner(policy), Throws.InstanceOf<FaultsException>().With.Message.Contains(says));
}
