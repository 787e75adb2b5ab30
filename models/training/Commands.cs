using System.Globalization;
using Fleet.Contracts;
using TorchSharp;

namespace Fleet.Training;

/// <summary>What the executable does, with everything the command line decides.</summary>
public sealed class Commands(TextWriter output, TimeProvider clock)
{
    /// <summary>Trains, keeps the weights in a checkpoint, and exports.</summary>
    /// <exception cref="FaultsException">Data is missing or damaged, or the export does not hold; the message says what.</exception>
    public async Task Train(TrainOptions options)
    {
        torch.set_num_threads(options.Threads);
        var sets = FashionMnist.Load(options.Data, options.Limit);
        var recipe = new Recipe { Seed = options.Seed, Epochs = options.Epochs };
        using var net = new EarlyExitNet(FashionMnist.Network(), recipe.Seed);
        Say($"{sets.Train.Count} training, {sets.Calibration.Count} calibration and {sets.Test.Count} test images; {net.ParameterCount} parameters; {options.Threads} thread(s)");

        new Trainer(net, sets.Train, recipe, clock).Run(sets.Calibration, Say);
        var record = new TrainingRecord("fmnist", options.CommandLine, recipe.Seed, recipe.Epochs, sets.Train.Count);
        Checkpoint.Write(options.Checkpoint, net, record);
        Say($"weights {net.WeightsHash()} kept in {options.Checkpoint}");
        await Export(net, sets, options.Out, record);
    }

    /// <summary>Exports a checkpoint again.</summary>
    /// <inheritdoc cref="Train"/>
    public async Task Export(ExportOptions options)
    {
        torch.set_num_threads(options.Threads);
        using var net = new EarlyExitNet(FashionMnist.Network(), seed: 0);
        var record = Checkpoint.Read(options.Checkpoint, net);
        await Export(net, FashionMnist.Load(options.Data), options.Out, record);
    }

    private async Task Export(EarlyExitNet net, ImageSets sets, string directory, TrainingRecord record)
    {
        Say($"exporting to {directory}");
        var (card, difference) = await new ModelExport(net, sets, directory).Run(record);
        Say($"largest logit difference to torch {difference:G3} over {sets.Test.Count} images, all exits and tails (allowed: {ModelExport.DifferenceMax:G3})");
        foreach (var exit in card.Exits)
            Say($"exit {exit.Exit}: accuracy {exit.Accuracy:P2}, temperature {exit.Temperature:F3}, ECE {exit.EceBefore:P2} -> {exit.EceAfter:P2}, {card.HeadWork(exit.Exit).Total.Value / 1e6:F3} MMAC");
        foreach (var route in card.Routes)
            Say($"{route.Route}: accuracy {route.Accuracy:P2}, {route.Payload.Value:F1} bytes");
        foreach (var exit in card.Exits.Where(exit => exit.EceAfter > ModelExport.EceMax))
            Say($"warning: exit {exit.Exit} stays badly calibrated; at most {ModelExport.EceMax:P0} is wanted");
    }

    private void Say(EpochReport report) => Say(
        $"epoch {report.Epoch,2}/{report.Epochs}  loss {report.Loss:F4}  calibration accuracy {string.Join(" ", report.Accuracy.Select(accuracy => accuracy.ToString("P2", CultureInfo.InvariantCulture)))}" +
        $"  elapsed {report.Elapsed:hh\\:mm\\:ss}  left {report.Remaining:hh\\:mm\\:ss}");

    private void Say(string line) => output.WriteLine(line);
}
