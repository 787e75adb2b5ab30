using Fleet.Contracts;
using Fleet.Emulator.Tables;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Tables;

/// <summary>What the zoo promises, read from what ships: cards, traces, and the measurements that training left.</summary>
public sealed class ZooBarTests
{
    private static readonly string Directory = ProjectFiles.Find("models/zoo");
    private static readonly Lazy<IReadOnlyList<Comparison>> Comparisons = new(() => Comparison.ReadAll(Path.Combine(Directory, "comparison")));
    private static readonly Lazy<ZooTask> FmnistTask = new(() => Task("fmnist"));
    private static readonly Lazy<ZooTask> ScenesTask = new(() => Task("scenes"));

    private static StudiedModel Fmnist => FmnistTask.Value.Models[0];

    private static StudiedModel Scenes => ScenesTask.Value.Models[0];

    [Test]
    public void Fmnist_EveryExit_IsAsAccurateAndAsSmallAsPromised()
    {
        Assert.That(Fmnist.Card.Exit(1).Accuracy, Is.AtLeast(0.885));
        Assert.That(Fmnist.Card.Exit(2).Accuracy, Is.AtLeast(0.92));
        Assert.That(Fmnist.Card.Exit(3).Accuracy, Is.AtLeast(0.93));
        Assert.That(Fmnist.Card.HeadWork(3).Total.Value, Is.AtMost(20e6));
        Assert.That(Fmnist.Card.HeadWork(1).Total.Value, Is.AtMost(0.05 * Fmnist.Card.HeadWork(3).Total.Value));
    }

    [Test]
    public void Scenes_Network_IsOfThePromisedSize()
    {
        Assert.That(Scenes.Card.StageCount, Is.AtLeast(3));
        Assert.That(Scenes.Card.Tail(0).Work.Total.Value, Is.InRange(20e6, 50e6));
    }

    [TestCase("fmnist", 0.002, 0.3)]
    [TestCase("scenes", 0.005, 0.4)]
    public void Thresholds_ChosenOnCalibrationImages_KeepFullAccuracyForAShareOfTheWork(string name, double loss, double share)
    {
        var model = name == "fmnist" ? Fmnist : Scenes;
        var full = model.Card.Exit(model.Card.StageCount).Accuracy;
        Assert.That(model.Chosen.Any(chosen => chosen.Test.Accuracy >= full - loss && chosen.Test.MeanMacs.Value <= share * model.Card.HeadWork(model.Card.StageCount).Total.Value));
    }

    [TestCase("fmnist")]
    [TestCase("scenes")]
    public void Calibration_EveryExit_IsRightAsOftenAsItSays(string name) =>
        Assert.That((name == "fmnist" ? Fmnist : Scenes).Card.Exits.Select(exit => exit.EceAfter), Is.All.AtMost(0.015));

    [Test]
    public void BLeNet_TrainedTogether_BeatsTheBranchTrainedAlone()
    {
        var points = Points("b-lenet");
        var final = Accuracy(points, "joint", "final exit");
        Assert.That(Accuracy(points, "joint", "exit 1"), Is.GreaterThan(Accuracy(points, "separate", "exit 1")));
        Assert.That(points.Any(point => point.Method == "joint, entropy exit" && point.Accuracy >= final - 0.002 && point.Device < new Macs(1_247_720)));
    }

    [Test]
    public void Bottlenecks_Shipped_LoseLittleForFewBytes()
    {
        Assert.That(Best(ScenesTask.Value, 460), Is.AtLeast(Whole(Scenes) - 0.006));
        Assert.That(Best(FmnistTask.Value, 147), Is.AtLeast(Whole(Fmnist) - 0.01));
    }

    [Test]
    public void Bottlenecks_OnScenes_BeatEveryCodecUpToAKilobyteAndAQuarter()
    {
        foreach (var bytes in Enumerable.Range(150, 1_234 - 149))
            Assert.That(Best(ScenesTask.Value, bytes), Is.GreaterThan(ScenesTask.Value.Ways.Where(way => way.Family is Family.Codec && way.Wire?.Value <= bytes).Max(way => way.Accuracy)), $"{bytes} bytes");
    }

    [TestCase("fmnist")]
    [TestCase("scenes")]
    public void Bottlenecks_Shipped_AnswerBetterThanTheDeviceCould(string name)
    {
        var card = (name == "fmnist" ? Fmnist : Scenes).Card;
        var routes = card.Routes.Where(route => route.Bottleneck.Length > 0).ToList();
        Assert.That(routes, Is.Not.Empty);
        foreach (var route in routes) Assert.That(route.Accuracy, Is.GreaterThan(card.Exit(route.Cut).Accuracy), route.Bottleneck);
    }

    [Test]
    public void Bottlenecks_LearntInTwoStages_BeatCrossEntropyAlone()
    {
        var points = Points("fmnist-bottlenecks");
        var staged = Accuracy(points, "bottleneck, two stages", "small");
        Assert.That(staged, Is.GreaterThan(Accuracy(points, "bottleneck, cross-entropy", "small")));
        Assert.That(Accuracy(points, "bottleneck, two stages, encoder frozen", "small"), Is.AtLeast(staged - 0.003));
    }

    [TestCase("fmnist-int8")]
    [TestCase("scenes-int8")]
    public void Int8_OfEveryPieceThatShipsSo_LosesLittle(string name)
    {
        foreach (var piece in Points(name).GroupBy(point => point.Method))
        {
            var (fp32, int8) = (piece.Single(point => point.Variant == "fp32"), piece.Single(point => point.Variant != "fp32"));
            if (int8.Note.StartsWith("ships", StringComparison.Ordinal)) Assert.That(int8.Accuracy, Is.AtLeast(fp32.Accuracy - 0.004), piece.Key);
            if (piece.Key.StartsWith("tail", StringComparison.Ordinal)) Assert.That(int8.DeviceFile!.Value.Value, Is.AtMost(0.35 * fp32.DeviceFile!.Value.Value), piece.Key);
        }
    }

    [TestCase("fmnist", "fmnist-transfer")]
    [TestCase("scenes", "scenes-transfer", "scenes-transfer-blur")]
    public void Transfer_EverySite_BringsHalfBackForAFifthOfTheDeepestHead(string task, params string[] names)
    {
        var card = (task == "fmnist" ? Fmnist : Scenes).Card;
        var points = names.SelectMany(Points).ToList();
        var untouched = points.First(point => point.Method == "no drift").Accuracy;
        foreach (var site in points.Where(point => point.Method != "no drift").GroupBy(point => point.Method))
        {
            var lost = site.First(point => point.Variant == "as trained").Accuracy;
            Assert.That(site.Max(point => point.Accuracy), Is.AtLeast((lost + untouched) / 2), site.Key);
            Assert.That(site.Max(point => point.DeviceFile?.Value), Is.AtMost(0.2 * card.Stages.Sum(stage => stage.FileBytes)), site.Key);
        }
    }

    private static ZooTask Task(string name) => ZooTask.Of([new StudiedModel(ModelFiles.Open(Path.Combine(Directory, name)))], Comparisons.Value).Single(task => task.Name == name);

    private static IReadOnlyList<ComparisonPoint> Points(string comparison) => Comparisons.Value.Single(one => one.Name == comparison).Points;

    private static double Accuracy(IReadOnlyList<ComparisonPoint> points, string method, string variant) => points.Single(point => point.Method == method && point.Variant == variant).Accuracy;

    /// <summary>Of the network on the server, the input sent as it is.</summary>
    private static double Whole(StudiedModel model) => model.Card.Routes.Single(route => route is { Cut: 0, Codec: FeatureCodec.Raw }).Accuracy;

    private static double Best(ZooTask task, int bytes) => task.Ways.Where(way => way is { Family: Family.Bottleneck, IsShipped: true } && way.Wire?.Value <= bytes).Max(way => way.Accuracy);
}
