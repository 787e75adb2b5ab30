using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Fleet.Training;

/// <summary>The command line.</summary>
public static class CommandLine
{
    public static RootCommand Build(Commands commands) =>
        new("Trains Fleet's early-exit networks and exports them to the model zoo.") { Train(commands) };

    private static Command Train(Commands commands)
    {
        var name = new Argument<string>("name")
        {
            Description = "One of: " + string.Concat(Jobs.All.Select(job => $"\n  {job.Name}: {job.Description}")) + $"\n  {Commands.Everything}: all of them, in this order.",
        };
        name.AcceptOnlyFromAmong([.. Jobs.All.Select(job => job.Name), Commands.Everything]);
        var data = new Option<string>("--data") { Description = $"Directory of the data (Debian package {FashionMnist.DebianPackage}).", DefaultValueFactory = _ => FashionMnist.DebianDirectory };
        var checkpoints = new Option<string>("--checkpoints") { Description = "Keep weights, and what an interrupted training goes on from, in this directory.", DefaultValueFactory = _ => "models/training/checkpoints" };
        var zoo = new Option<string>("--zoo") { Description = "Export models to directories below this one.", DefaultValueFactory = _ => "models/zoo" };
        var threads = AtLeast(new Option<int>("--threads") { Description = "Threads of torch. With another process busy, 2 can be 8 times slower than 1.", DefaultValueFactory = _ => 1 }, 1);
        var seed = new Option<int?>("--seed") { Description = "Determines weights and batches." };
        var epochs = AtLeast(new Option<int?>("--epochs") { Description = "Passes over the training images." }, 1);
        var limit = AtLeast(new Option<int?>("--limit") { Description = "Learn from the first so many images only." }, new Recipe().BatchSize);
        var train = new Command("train", "Trains networks and exports them. An interrupted run goes on where it stopped.") { name, data, checkpoints, zoo, threads, seed, epochs, limit };
        train.SetAction((parsed, _) => commands.Train(parsed.GetRequiredValue(name), new WorkshopOptions(
            parsed.GetRequiredValue(data), parsed.GetRequiredValue(checkpoints), parsed.GetRequiredValue(zoo), parsed.GetRequiredValue(threads),
            parsed.GetValue(seed), parsed.GetValue(epochs), parsed.GetValue(limit))));
        return train;
    }

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
