using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Fleet.Training;

/// <param name="Data">Directory of the IDX files.</param>
/// <param name="Seed">Of weights and batches.</param>
/// <param name="Epochs">Passes over the training images.</param>
/// <param name="Limit">Train on the first so many images only; null for all.</param>
/// <param name="Threads">Of torch.</param>
/// <param name="Checkpoint">Where to keep the weights.</param>
/// <param name="Out">The model's directory.</param>
public sealed record TrainOptions(string Data, int Seed, int Epochs, int? Limit, int Threads, string Checkpoint, string Out)
{
    /// <summary>What determines the result, for the card: no paths, no threads but when they differ from the one of the zoo.</summary>
    public string CommandLine => string.Create(CultureInfo.InvariantCulture,
        $"fleet-training train fmnist --seed {Seed} --epochs {Epochs}{(Limit is { } limit ? $" --limit {limit}" : "")}{(Threads == 1 ? "" : $" --threads {Threads}")}");
}

/// <param name="Checkpoint">The weights.</param>
/// <param name="Data">Directory of the IDX files.</param>
/// <param name="Threads">Of torch.</param>
/// <param name="Out">The model's directory.</param>
public sealed record ExportOptions(string Checkpoint, string Data, int Threads, string Out);

/// <summary>The command line: `train fmnist` and `export fmnist`.</summary>
public static class CommandLine
{
    private const string CheckpointDefault = "models/training/checkpoints/fmnist.checkpoint";

    public static RootCommand Build(Commands commands) =>
        new("Trains Fleet's early-exit networks and exports them to the model zoo.") { Train(commands), Export(commands) };

    private static Command Train(Commands commands)
    {
        var seed = new Option<int>("--seed") { Description = "Determines weights and batches.", DefaultValueFactory = _ => 1 };
        var epochs = AtLeast(new Option<int>("--epochs") { Description = "Passes over the training images.", DefaultValueFactory = _ => new Recipe().Epochs }, 1);
        var limit = AtLeast(new Option<int?>("--limit") { Description = "Train on the first so many images only." }, new Recipe().BatchSize);
        var checkpoint = new Option<string>("--checkpoint") { Description = "Keep the weights in this file.", DefaultValueFactory = _ => CheckpointDefault };
        var (data, directory, threads) = (Data(), Out(), Threads());
        var train = new Command("train", "Trains a model and exports it.") { Model(), data, seed, epochs, limit, threads, checkpoint, directory };
        train.SetAction((parsed, _) => commands.Train(new TrainOptions(
            parsed.GetRequiredValue(data), parsed.GetRequiredValue(seed), parsed.GetRequiredValue(epochs), parsed.GetValue(limit),
            parsed.GetRequiredValue(threads), parsed.GetRequiredValue(checkpoint), parsed.GetRequiredValue(directory))));
        return train;
    }

    private static Command Export(Commands commands)
    {
        var checkpoint = new Option<string>("--checkpoint") { Description = "The weights that training kept.", Required = true };
        var (data, directory, threads) = (Data(), Out(), Threads());
        var export = new Command("export", "Exports a trained model again, without training.") { Model(), checkpoint, data, threads, directory };
        export.SetAction((parsed, _) => commands.Export(new ExportOptions(
            parsed.GetRequiredValue(checkpoint), parsed.GetRequiredValue(data), parsed.GetRequiredValue(threads), parsed.GetRequiredValue(directory))));
        return export;
    }

    private static Argument<string> Model()
    {
        var model = new Argument<string>("model") { Description = "Which network: fmnist." };
        model.AcceptOnlyFromAmong("fmnist");
        return model;
    }

    private static Option<string> Data() =>
        new("--data") { Description = $"Directory of the data (Debian package {FashionMnist.DebianPackage}).", DefaultValueFactory = _ => FashionMnist.DebianDirectory };

    private static Option<string> Out() => new("--out") { Description = "Directory to write the model to.", DefaultValueFactory = _ => "models/zoo/fmnist" };

    private static Option<int> Threads() =>
        AtLeast(new Option<int>("--threads") { Description = "Threads of torch. With another process busy, 2 can be 8 times slower than 1.", DefaultValueFactory = _ => 1 }, 1);

    private static Option<T> AtLeast<T>(Option<T> option, int minimum)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var value) && value < minimum)
                result.AddError($"{option.Name} is {value}; it must be at least {minimum}.");
        });
        return option;
    }
}
