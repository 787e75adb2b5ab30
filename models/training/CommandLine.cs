using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>The command line.</summary>
public static class CommandLine
{
    public static RootCommand Build(Commands commands) =>
        new("Trains Fleet's early-exit networks and exports them to the model zoo.") { Train(commands), Adapt(commands), Attach(commands) };

    private static Command Train(Commands commands)
    {
        var name = new Argument<string>("name")
        {
            Description = "One of: " + string.Concat(Jobs.All.Select(job => $"\n  {job.Name}: {job.Description}")) + $"\n  {Commands.Everything}: all of them, in this order.",
        };
        name.AcceptOnlyFromAmong([.. Jobs.All.Select(job => job.Name), Commands.Everything]);
        var shop = new ShopOptions();
        var epochs = new Option<int?>("--epochs") { Description = "Passes over the training images.", CustomParser = result => AtLeast(result, 1) };
        var limit = new Option<int?>("--limit") { Description = "Learn from the first so many images only.", CustomParser = result => AtLeast(result, new Recipe().BatchSize) };
        var again = new Option<bool>("--again") { Description = $"With {Commands.Everything}: do what is done already, too. What is trained comes from its checkpoint even so; delete that to train anew." };
        var train = new Command("train", "Trains networks and exports them. An interrupted run goes on where it stopped.") { name, epochs, limit, again };
        shop.AddTo(train);
        train.SetAction((parsed, _) => commands.Train(parsed.GetRequiredValue(name), shop.Of(parsed) with { Epochs = parsed.GetValue(epochs), Limit = parsed.GetValue(limit) }, parsed.GetValue(again)));
        return train;
    }

    private static Command Adapt(Commands commands)
    {
        var model = new Argument<string>("model") { Description = "Which model of the zoo." };
        model.AcceptOnlyFromAmong([.. Jobs.All.OfType<ExportJob>().Select(job => job.Main.Name)]);
        var site = new Option<string>("--site") { Description = $"How the site's data differ: {string.Join(", ", Drift.Levels)}, level 3 of a kind, or label-6-70: 70 % of its images are of class 6.", Required = true };
        var part = new Option<AdaptedPart>("--part") { Description = "What may change, all of it in stage 1.", DefaultValueFactory = _ => AdaptedPart.ExitAndNorms };
        var labels = new Option<LabelSource>("--labels") { Description = "Who labels the site's samples.", DefaultValueFactory = _ => LabelSource.Truth };
        var samples = new Option<int>("--samples") { Description = "How many there are.", DefaultValueFactory = _ => TransferJob.Samples, CustomParser = result => AtLeast(result, 50) };
        var directory = new Option<string>("--out") { Description = "Directory to write the adapted model to.", Required = true };
        var shop = new ShopOptions();
        var adapt = new Command("adapt", "Fits a model to a site whose data differ; only stage 1 changes.") { model, site, part, labels, samples, directory };
        shop.AddTo(adapt);
        adapt.SetAction((parsed, _) => commands.Adapt(
            new AdaptOptions(parsed.GetRequiredValue(model), parsed.GetRequiredValue(site), parsed.GetValue(part), parsed.GetValue(labels), parsed.GetValue(samples), parsed.GetRequiredValue(directory), shop.Of(parsed).Seed ?? 1),
            shop.Of(parsed)));
        return adapt;
    }

    private static Command Attach(Commands commands)
    {
        var file = new Argument<string>("model.onnx") { Description = "A network of convolutions that somebody else trained." };
        var at = new Option<string>("--at") { Description = "Values that exits go to, separated by commas, the final one's last; `fleet models split` lists them.", Required = true };
        var shape = new Option<string>("--input-shape") { Description = "Channels, height and width that the network takes, such as 3,48,192.", Required = true };
        var task = new Option<string>("--task") { Description = "The images to classify.", DefaultValueFactory = _ => "fmnist" };
        task.AcceptOnlyFromAmong("fmnist", "scenes");
        var images = new Option<int>("--images") { Description = "Training images to learn the exits from.", DefaultValueFactory = _ => 5000, CustomParser = result => AtLeast(result, 200) };
        var epochs = new Option<int>("--epochs") { Description = "Passes over them.", DefaultValueFactory = _ => 30, CustomParser = result => AtLeast(result, 1) };
        var directory = new Option<string>("--out") { Description = "Directory to write the model to; its name is the model's.", Required = true };
        var shop = new ShopOptions();
        var attach = new Command("attach-exits", "Trains exits on the frozen features of an ONNX network and writes it as a model.") { file, at, shape, task, images, epochs, directory };
        shop.AddTo(attach);
        attach.SetAction((parsed, _) => commands.Attach(
            new AttachOptions(
                parsed.GetRequiredValue(file), parsed.GetRequiredValue(at).Split(','), Extents(parsed.GetRequiredValue(shape)), Path.GetFileName(Path.TrimEndingDirectorySeparator(parsed.GetRequiredValue(directory))),
                parsed.GetValue(images), parsed.GetValue(epochs), shop.Of(parsed).Seed ?? 1),
            parsed.GetRequiredValue(task), parsed.GetRequiredValue(directory), shop.Of(parsed)));
        return attach;
    }

    private static List<int> Extents(string text)
    {
        var extents = text.Split(',').Select(part => int.TryParse(part, CultureInfo.InvariantCulture, out var extent) ? extent : 0).ToList();
        return extents.Count == 3 && extents.All(extent => extent is > 0 and <= 4096) ? extents
            : throw new Contracts.FaultsException("--input-shape", $"is \"{text}\"; needed are channels, height and width, each from 1 to 4096, such as 3,48,192");
    }

    /// <summary>What all commands take.</summary>
    private sealed class ShopOptions
    {
        private readonly Option<string> data = new("--data") { Description = $"Directory of the data (Debian package {CalibrationImages.DebianPackage}).", DefaultValueFactory = _ => CalibrationImages.DebianDirectory };
        private readonly Option<string> checkpoints = new("--checkpoints") { Description = "Keep weights, and what an interrupted training goes on from, in this directory.", DefaultValueFactory = _ => WorkshopOptions.ShippedCheckpoints };
        private readonly Option<string> zoo = new("--zoo") { Description = "The models' directory.", DefaultValueFactory = _ => WorkshopOptions.ShippedZoo };
        private readonly Option<int> threads = new("--threads") { Description = "Threads of torch. With another process busy, 2 can be 8 times slower than 1.", DefaultValueFactory = _ => 1, CustomParser = result => AtLeast(result, 1) };
        private readonly Option<int?> seed = new("--seed") { Description = "Determines weights and batches." };

        public void AddTo(Command command)
        {
            foreach (var option in new Option[] { data, checkpoints, zoo, threads, seed }) command.Add(option);
        }

        public WorkshopOptions Of(ParseResult parsed) => new(
            parsed.GetRequiredValue(data), parsed.GetRequiredValue(checkpoints), parsed.GetRequiredValue(zoo), parsed.GetRequiredValue(threads), parsed.GetValue(seed));
    }

    private static int AtLeast(ArgumentResult result, int minimum)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (int.TryParse(text, CultureInfo.InvariantCulture, out var value) && value >= minimum) return value;
        result.AddError($"{(result.Parent as OptionResult)?.Option.Name} is \"{text}\"; it must be a whole number of at least {minimum}");
        return minimum;
    }
}
