using System.Globalization;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>
/// DDNN on Fashion-MNIST: six devices see a sixth of the picture each. Trains the network that is shipped, and briefly its rivals: every
/// pair of aggregations, other numbers of filters, and training without view dropout.
/// </summary>
public sealed class DdnnJob : IJob
{
    private const double Dropout = 0.2;
    private const int ShippedEpochs = 10;
    private const int ComparedEpochs = 2;

    private static readonly DdnnShape Shipped = new(4, Aggregation.MaxPooling, Aggregation.Concatenation);

    public string Name => "ddnn";

    public string Description => "Six binary device networks that see a sixth of a Fashion-MNIST picture each, and exits over all of them.";

    public string? Standing(Workshop workshop) =>
        File.Exists(Path.Combine(workshop.Options.Zoo, "ddnn", GroupFiles.CardName)) ? workshop.StandingComparison(Name, Name) : null;

    public async Task Run(Workshop workshop)
    {
        var table = new DdnnComparison();
        await Ship(workshop, table);
        foreach (var local in Enum.GetValues<Aggregation>())
            foreach (var upper in Enum.GetValues<Aggregation>())
                Compare(workshop, table, Shipped with { Local = local, Upper = upper }, "aggregation", shape => shape.Name);
        foreach (var filters in new[] { 1, 2, 4, 8 })
            Compare(workshop, table, Shipped with { Filters = filters }, "filters", shape => $"f = {shape.Filters}");
        foreach (var dropout in new[] { 0, Dropout })
        {
            using var net = Train(workshop, Shipped, dropout, ComparedEpochs);
            using var seen = DdnnOutcomes.Of(net, workshop.Task("fmnist").Sets.Test);
            table.Losses(string.Create(CultureInfo.InvariantCulture, $"one device lost, trained with view dropout {dropout}, cloud exit"), seen);
        }
        table.Table(Text, workshop.Command(Name)).Write(workshop.Comparisons);
    }

    private static string Text => FormattableString.Invariant(
        $"""
        DDNN (Teerapittayanon et al., ICDCS 2017): one Fashion-MNIST picture seen by six devices, a sixth each (10x14 pixels, 140 bytes raw). Bytes are what one device sends
        by the published formula, 4|C| + (1 - l) f o / 8, with o = 35 bits a filter here. Aggregations are of class vectors, then of sign maps; concatenated class vectors go through
        float weights. "aggregation", "filters" and "view dropout" compare networks trained {ComparedEpochs} epochs each, "shipped" is MP-CC with f = 4 after {ShippedEpochs} epochs, through its ONNX files.
        """).ReplaceLineEndings(" ");

    private static async Task Ship(Workshop workshop, DdnnComparison table)
    {
        using var net = Train(workshop, Shipped, Dropout, ShippedEpochs);
        var task = workshop.Task("fmnist");
        var (recipe, images) = (Recipe(workshop, ShippedEpochs), Images(workshop).Count);
        var record = new TrainingRecord("ddnn", workshop.Command("ddnn"), recipe.Seed, recipe.Epochs, images);
        var report = await new DdnnExport(net, task, Path.Combine(workshop.Options.Zoo, "ddnn")).Run(record);
        var card = report.Files.Card;
        workshop.Say(string.Create(CultureInfo.InvariantCulture,
            $"ddnn: test accuracy local {card.Local.Accuracy:P2}, edge {card.Edge.Accuracy:P2}, cloud {card.Cloud.Accuracy:P2}, together {card.Accuracy:P2} with {card.LocalShare:P1} local; largest difference to torch {report.LargestDifference:G2}, {report.FlippedBits:G2} of the bits"));
        await table.Shipped(card, await DdnnExport.Replay(report.Files, task.Sets.Test));
    }

    private static void Compare(Workshop workshop, DdnnComparison table, DdnnShape shape, string method, Func<DdnnShape, string> variant)
    {
        using var net = Train(workshop, shape, Dropout, ComparedEpochs);
        using var seen = DdnnOutcomes.Of(net, workshop.Task("fmnist").Sets.Test);
        table.Exits(method, variant(shape), seen);
    }

    private static Recipe Recipe(Workshop workshop, int epochs) =>
        workshop.Adjusted(new Recipe { Epochs = epochs, BatchSize = 100, LearningRate = 1e-3, WeightDecay = 0 });

    private static PlainImages Images(Workshop workshop) => new(FashionMnist.Limited(workshop.Task("fmnist").Sets.Train, workshop.Options.Limit));

    private static Ddnn Train(Workshop workshop, DdnnShape shape, double dropout, int epochs)
    {
        var recipe = new DdnnRecipe(Recipe(workshop, epochs), dropout);
        var task = workshop.Task("fmnist");
        var name = string.Create(CultureInfo.InvariantCulture, $"ddnn-{shape.Name}-f{shape.Filters}-d{dropout}-e{recipe.Steps.Epochs}");
        return workshop.Trained(name, new Ddnn(shape, ViewGrid.Six, task.Normalisation, task.Classes.Count, recipe.Steps.Seed), recipe.ToString(),
            (net, progress) => DdnnTraining.Run(net, Images(workshop), task.Sets.Calibration, recipe, progress, workshop.Clock, workshop.Say));
    }
}
