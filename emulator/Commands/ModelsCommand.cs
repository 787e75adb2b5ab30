using System.CommandLine;
using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Replaying;
using Fleet.Models.Timing;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet models`: what the zoo holds, whether it is what its cards say, and where other ONNX files can be cut.</summary>
public static class ModelsCommand
{
    public static Command Create() => new("models", "Look into the zoo; check it; measure it; make its traces anew; compare all its ways; split an ONNX file.") { List(), Verify(), Bench(), Traces(), Table(), Split() };

    private static Option<string?> ZooOption() => new("--zoo") { Description = "Directory with one directory a model, instead of the zoo that ships with Fleet." };

    private static Command List()
    {
        var zoo = ZooOption();
        var command = new Command("list", "What each model is, what its exits cost and reach, what crosses the network.") { zoo };
        command.SetAction(parsed => ProcessEdge.Guard(() =>
        {
            var stock = Open(parsed.GetValue(zoo));
            foreach (var model in stock.Models.Values) Print(model);
            foreach (var group in stock.Groups.Values) GroupVerification.Print(group);
            return 0;
        }));
        return command;
    }

    private static Command Verify()
    {
        var name = new Argument<string?>("NAME") { Description = "One model; all without it.", Arity = ArgumentArity.ZeroOrOne };
        var zoo = ZooOption();
        var data = new Option<string?>("--data") { Description = "Directory of the test images as IDX files; Fashion-MNIST's without it." };
        var command = new Command("verify", "Run the ONNX files over the test images and compare with the card. Exit code 1 when a figure differs, 2 when a file is damaged.") { name, zoo, data };
        command.SetAction(parsed => ProcessEdge.Run((_, stop) => Verify(Open(parsed.GetValue(zoo), parsed.GetValue(data)), parsed.GetValue(name), stop)));
        return command;
    }

    private static Command Bench()
    {
        var name = new Argument<string?>("NAME") { Description = "One model; all without it.", Arity = ArgumentArity.ZeroOrOne };
        var zoo = ZooOption();
        var json = new Option<bool>("--json") { Description = "One line of JSON a model." };
        var command = new Command("bench", "Measure a run of each piece on this machine: batch 1, one thread. Says what the export measured when it chose each precision, and compares the two where a piece lies there in both.") { name, zoo, json };
        command.SetAction(parsed => ProcessEdge.Run((_, stop) => Task.FromResult(Bench(Open(parsed.GetValue(zoo)), parsed.GetValue(name), parsed.GetValue(json), stop))));
        return command;
    }

    private static Command Traces()
    {
        var name = new Argument<string>("NAME") { Description = "The model." };
        var zoo = ZooOption();
        var data = new Option<string?>("--data") { Description = $"Directory of Fashion-MNIST's four IDX files; without it the test images that ship, and calibration images from {CalibrationImages.DebianDirectory} (Debian package {CalibrationImages.DebianPackage})." };
        var only = new Option<string[]>("--only") { Description = "A trace by its file, such as test.trace or test-noise-2.trace; may stand several times.", DefaultValueFactory = _ => [] };
        var check = new Option<bool>("--check") { Description = "Write nothing; exit code 1 when a trace holds something else than the files answer." };
        var command = new Command("traces", "Replay a model's ONNX files on calibration, test and drifted images and write its traces; those that would hold the same stay as they are.") { name, zoo, data, only, check };
        command.SetAction(parsed => ProcessEdge.Run((_, stop) => Traces(Open(parsed.GetValue(zoo), parsed.GetValue(data)), parsed.GetRequiredValue(name), parsed.GetValue(data) ?? CalibrationImages.DebianDirectory, parsed.GetValue(only)!, parsed.GetValue(check), stop)));
        return command;
    }

    private static Command Table()
    {
        var output = new Option<string>("--out") { Description = "Directory to write to.", DefaultValueFactory = _ => "docs/zoo" };
        var zoo = ZooOption();
        var check = new Option<bool>("--check") { Description = "Write nothing; exit code 1 when a file there differs from what would be written." };
        var command = new Command("table", "Write the comparison of all ways as Markdown, CSV and plots.") { output, zoo, check };
        command.SetAction(parsed => ProcessEdge.Guard(() =>
        {
            var (models, directory) = (parsed.GetValue(zoo) ?? ProjectFiles.Find("models/zoo"), parsed.GetValue(output)!);
            return parsed.GetValue(check) ? ModelTable.Check(models, directory) : ModelTable.Run(models, directory);
        }));
        return command;
    }

    private static Command Split()
    {
        var file = new Argument<string>("MODEL.onnx") { Description = "The network to split; of whatever origin." };
        var at = new Option<string>("--at") { Description = "Values to cut at, separated by commas, or \"list\": where it can be cut and what each side costs.", DefaultValueFactory = _ => ModelSplit.ListWord };
        var output = new Option<string?>("--out") { Description = "Directory for NAME-stage-K.onnx and NAME-tail-K.onnx; without it, beside MODEL.onnx." };
        var shape = new Option<string[]>("--input-shape") { Description = "Extents of an input whose file leaves them open: 1,3,224,224, or NAME=1,3,224,224 where there are several inputs.", DefaultValueFactory = _ => [] };
        var json = new Option<bool>("--json") { Description = "One line of JSON." };
        var command = new Command("split", "Find where an ONNX network can be cut; write stages and tails that together equal the whole. Exit code 1 when they do not.") { file, at, output, shape, json };
        command.SetAction(parsed => ProcessEdge.Guard(() => new ModelSplit(parsed.GetRequiredValue(file), parsed.GetValue(shape)!).Run(parsed.GetValue(at)!, parsed.GetValue(output), parsed.GetValue(json))));
        return command;
    }

    private static void Print(ModelFiles model)
    {
        var card = model.Card;
        Console.Out.WriteLine($"{card.Name}: {card.Task}, {card.Classes.Count} classes, {card.StageCount} stages, {Count(card.Parameters)} parameters; card {model.CardSha256[..16]}");
        var exits = new List<string[]> { new[] { "exit", "MACs", "accuracy", "temperature", "ECE", "stage file" } };
        exits.AddRange(card.Exits.Select(exit => new[]
        {
            $"{exit.Exit}", Count(card.HeadWork(exit.Exit).Total.Value), Digits(exit.Accuracy), Digits(exit.Temperature), Digits(exit.EceAfter), $"{Count(card.Stage(exit.Exit).FileBytes)} B",
        }));
        Figures.Columns(exits);
        if (card.Bottlenecks.Count > 0) Figures.Columns([["bottleneck", "cut", "latent", "encoder MACs", "encoder file", "tail file", "trained by"], .. card.Bottlenecks.Select(Line)]);
        var routes = new List<string[]> { new[] { "route", "payload", "accuracy" } };
        routes.AddRange(card.Routes.Select(route => new[] { Said(route), route.Payload.Value.ToString("F1", CultureInfo.InvariantCulture) + " B", Digits(route.Accuracy) }));
        Figures.Columns(routes);
    }

    private static string[] Line(BottleneckCard bottleneck) =>
    [
        bottleneck.Name, $"{bottleneck.Cut}", string.Join('x', bottleneck.Shape), Count(bottleneck.Encoder.Work.Total.Value), $"{Count(bottleneck.DeviceFiles.Sum(file => file.FileBytes))} B",
        $"{Count(bottleneck.EdgeFiles.Sum(file => file.FileBytes))} B", bottleneck.FrozenEncoder ? bottleneck.TrainedBy + ", encoder frozen" : bottleneck.TrainedBy,
    ];

    /// <summary>A route with the name of its bottleneck.</summary>
    private static string Said(RouteCard route) => $"cut {route.Cut} {(route.Bottleneck.Length == 0 ? "" : route.Bottleneck + " ")}{Route.CodecName(route.Codec)}";

    private static async Task<int> Verify(Stock stock, string? name, CancellationToken stop)
    {
        Require(stock, name);
        var differing = 0;
        foreach (var model in stock.Models.Values.Where(model => name is null || model.Card.Name == name))
        {
            var images = stock.Images(model.Card.Replays);
            using var verification = new ModelVerification(model, images);
            Console.Out.WriteLine($"{model.Card.Name}: {model.Card.StoredFiles.Count() + model.Card.DriftTraces.Count + 2} files have the hashes of card {model.CardSha256[..16]}; {Count(images.Count)} test images");
            var findings = await ProgressBar.ShowAsync(model.Card.Name, progress => verification.Run(progress, stop));
            differing += Tell(findings);
        }
        foreach (var model in stock.Groups.Values.Where(model => name is null || model.Card.Name == name))
        {
            var images = stock.Images(ReplaySet.FashionMnist);
            Console.Out.WriteLine($"{model.Card.Name}: {model.Card.Pieces.Count()} files of card {model.CardSha256[..16]}; {Count(images.Count)} test images");
            differing += Tell(await GroupVerification.Run(model, images));
        }
        return differing == 0 ? 0 : 1;
    }

    /// <summary>How many differ.</summary>
    private static int Tell(IReadOnlyList<Finding> findings)
    {
        Figures.Columns([["figure", "said", "found", ""], .. findings.Select(finding => new[] { finding.What, finding.Said, finding.Found, finding.Agrees ? "agrees" : "DIFFERS" })]);
        var differing = findings.Count(finding => !finding.Agrees);
        Console.Out.WriteLine(differing == 0 ? $"all {findings.Count} figures agree" : $"{differing} of {findings.Count} figures differ");
        return differing;
    }

    private static int Bench(Stock stock, string? name, bool json, CancellationToken stop)
    {
        Require(stock, name);
        foreach (var model in stock.Models.Values.Where(model => name is null || model.Card.Name == name))
            Tell(model.Card.Name, progress => ModelBench.Measure(model, TimingPlan.Default, TimeProvider.System, progress, stop), json);
        foreach (var model in stock.Groups.Values.Where(model => name is null || model.Card.Name == name))
            Tell(model.Card.Name, progress => ModelBench.Measure(model, TimingPlan.Default, TimeProvider.System, progress, stop), json);
        return 0;
    }

    private static void Tell(string name, Func<Action<double>, ModelBenchReport> measure, bool json)
    {
        ModelBenchReport report;
        try
        {
            report = ProgressBar.Show(name, measure);
        }
        catch (OperationCanceledException)
        {
            throw new FaultsException(name, "stopped before all rounds were run");
        }
        if (json) Figures.PrintJson(report);
        else ModelBench.Print(report);
    }

    private static async Task<int> Traces(Stock stock, string name, string data, string[] only, bool check, CancellationToken stop)
    {
        if (stock.Groups.ContainsKey(name)) throw new FaultsException("NAME", $"is \"{name}\", a group's model: it has no traces, since the answer depends on who is there");
        Require(stock, name);
        var model = stock.Models[name];
        var traces = new ModelTraces(model, only, set => set is TraceSet.Test ? new ImageRun(stock.Images(model.Card.Replays)) : CalibrationImages.Read(model.Card.Replays, data));
        var findings = await ProgressBar.ShowAsync(name, progress => traces.Run(check, progress, stop));
        Figures.Columns([["trace", "of", "made again"], .. findings.Select(finding => new[] { finding.What, finding.Said, finding.Found })]);
        var differing = findings.Count(finding => !finding.Agrees);
        if (check) Console.Out.WriteLine(differing == 0 ? $"all {findings.Count} traces hold what the files answer" : $"{differing} of {findings.Count} traces hold something else than the files answer");
        else if (ModelFiles.Open(model.Directory).CardSha256 is var now && now == model.CardSha256) Console.Out.WriteLine($"{name} stays as it was: card {now[..16]}");
        else Console.Out.WriteLine($"{name} was card {model.CardSha256[..16]} and is now {now[..16]}; `fleet models verify {name}` says whether its figures still hold");
        return check && differing > 0 ? 1 : 0;
    }

    /// <summary>A zoo that holds something.</summary>
    private static Stock Open(string? zoo, string? data = null)
    {
        if (data is not null && !Directory.Exists(data)) throw new FaultsException("--data", $"is {data}; there is no such directory");
        if (zoo is not null && !Directory.Exists(zoo)) throw new FaultsException("--zoo", $"is {zoo}; there is no such directory");
        var stock = new Stock(zoo, data: data);
        if (stock.Models.Count + stock.Groups.Count > 0) return stock;
        throw new FaultsException("--zoo", $"is {zoo ?? "models/zoo"}; it holds no model: no directory in it has a {ModelFiles.CardName} or {GroupFiles.CardName}");
    }

    private static void Require(Stock stock, string? name)
    {
        if (name is not null && !stock.Models.ContainsKey(name) && !stock.Groups.ContainsKey(name))
            throw new FaultsException("NAME", $"is \"{name}\"; the zoo holds: {string.Join(", ", stock.Models.Keys.Concat(stock.Groups.Keys))}");
    }

    private static string Count(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Digits(double value) => value.ToString("F4", CultureInfo.InvariantCulture);
}
