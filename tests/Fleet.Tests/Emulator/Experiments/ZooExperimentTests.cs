using Fleet.Contracts;
using Fleet.Emulator.Experiments;
using Fleet.Emulator.Experiments.Exits;
using Fleet.Emulator.Experiments.Splitting;
using Fleet.Models;
using Fleet.Models.Deciding;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Experiments;

/// <summary>What the experiments on the zoo count, held to closed forms and to what is recorded.</summary>
public sealed class ZooExperimentTests
{
    private static readonly Lazy<BranchStudy> BLeNet = new(() => new BranchStudy(World.Stock.Models["b-lenet"]));

    [Test]
    public void BLeNet_Work_IsThatOfThePapersLayers()
    {
        var study = BLeNet.Value;
        Assert.That((study.Alone, study.Trunk, study.Branch, study.Early, study.Late), Is.EqualTo((1_140_070.0, 112_500.0, 107_650.0, 220_150.0, 1_247_720.0)));
        Assert.That(study.Alone / study.MeanAt(0.943), Is.EqualTo(4.09).Within(0.005), "at the published share of exits");
        Assert.That(study.Alone / study.MeanIfFreeAt(0.943), Is.EqualTo(6.66).Within(0.005), "the branch uncounted");
    }

    [Test]
    public void BLeNet_Sweep_MeetsItsEndsAndTheMeanWorkOfItsShare()
    {
        var study = BLeNet.Value;
        var sweep = study.Sweep([0, 0.5, 10]);
        Assert.That((sweep[0].Share, sweep[0].Accuracy, sweep[0].EarlyAccuracy), Is.EqualTo((0.0, study.FullAccuracy, (double?)null)));
        Assert.That((sweep[2].Share, sweep[2].Accuracy), Is.EqualTo((1.0, sweep[2].EarlyAccuracy!.Value)));
        foreach (var swept in sweep) Assert.That(swept.Macs, Is.EqualTo(study.MeanAt(swept.Share)).Within(1e-6));
    }

    [TestCase(ExitScore.Entropy)]
    [TestCase(ExitScore.Margin)]
    public void BLeNet_ShareAskedFor_LeavesOnTestImagesToo(ExitScore score) => Assert.That(BLeNet.Value.AtShare(score, 0.8).Share, Is.EqualTo(0.8).Within(0.03));

    [Test]
    public void BranchyNet_RunTwice_GivesEqualFiles()
    {
        var experiment = ExperimentList.All.Single(one => one.Name == "branchynet");
        var first = experiment.Run(1, _ => { });
        Assert.That(experiment.Run(1, _ => { }), Is.EqualTo(first));
    }

    [TestCase("fmnist", 0, FeatureCodec.Webp, 0)]
    [TestCase("fmnist", 2, FeatureCodec.Int8, 0)]
    [TestCase("fmnist", 1, FeatureCodec.Coded, 2)]
    [TestCase("scenes", 1, FeatureCodec.Coded, 1)]
    public void RouteRun_FirstImages_CodesTheRecordedBytes(string name, int cut, FeatureCodec codec, int bottleneck)
    {
        var (model, route) = (World.Stock.Models[name], new Route(cut, codec, bottleneck));
        var (run, trace) = (RouteRun.Of(World.Stock, model, route, 8), World.Stock.TestTrace(model));
        var size = (int?)TensorFrame.PayloadBytes(codec, model.Card.Crossing(route.Tail).Elements);
        Assert.That(run.Bytes, Is.EqualTo(Enumerable.Range(0, 8).Select(i => trace.PayloadBytes(route, i) ?? size)));
        Assert.That(run.Accuracy, Is.EqualTo(SplitWay.RouteAccuracy(trace, route, 8)).Within(1e-9));
    }

    [Test]
    public void SplitWays_Fmnist_AreRunnableAndCountedOverTheWholeTestSet()
    {
        var model = World.Stock.Models["fmnist"];
        var ways = SplitWay.Of(World.Stock, model);
        Assert.That(ways.SelectMany(way => Fleet.Controller.Planning.Planners.Faults(way.Policy)), Is.Empty);
        Assert.That(ways.Select(way => way.Name), Is.Unique);
        var (raw, small) = (ways.Single(way => way.Name == "input as raw"), ways.Single(way => way.Name == "bottleneck small"));
        Assert.That((raw.Bytes, raw.Macs), Is.EqualTo((784.0, 0.0)));
        Assert.That(small.Bytes, Is.EqualTo(model.Card.Routes.Single(route => route.Bottleneck == "small").Payload.Value).Within(1e-3));
        Assert.That(ways.Single(way => way.Name == "exit 1 or bottleneck small").Bytes, Is.LessThan(small.Bytes).And.GreaterThan(0));
    }
}
