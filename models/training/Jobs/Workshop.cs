using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;
using TorchSharp;

namespace Fleet.Training;

/// <param name="Data">Directory of the IDX files.</param>
/// <param name="Checkpoints">Where weights and unfinished trainings are kept.</param>
/// <param name="Zoo">Where models are exported to, each into a directory of its own.</param>
/// <param name="Threads">Of torch.</param>
/// <param name="Seed">Of weights and batches; null for each job's own.</param>
/// <param name="Epochs">Passes over the training images; null for each job's own.</param>
/// <param name="Limit">Learn from the first so many images only; null for all.</param>
public sealed record WorkshopOptions(string Data, string Checkpoints, string Zoo, int Threads, int? Seed = null, int? Epochs = null, int? Limit = null)
{
    /// <summary>Where the code keeps the networks that it ships, from its root.</summary>
    public const string ShippedCheckpoints = "models/training/checkpoints";

    /// <summary>Where the code keeps its models.</summary>
    public const string ShippedZoo = "models/zoo";

    /// <summary>What differs from the zoo's own training and changes its result, for cards: no paths.</summary>
    public string Differences => string.Concat(
        Seed is { } seed ? string.Create(CultureInfo.InvariantCulture, $" --seed {seed}") : "",
        Epochs is { } epochs ? string.Create(CultureInfo.InvariantCulture, $" --epochs {epochs}") : "",
        Limit is { } limit ? string.Create(CultureInfo.InvariantCulture, $" --limit {limit}") : "",
        Threads == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" --threads {Threads}"));

    /// <summary>Networks that are trained in another way than the zoo's must not take their places; one sentence a directory.</summary>
    public IEnumerable<string> Faults()
    {
        if (Differences.Length == 0) yield break;
        foreach (var (flag, directory, shipped, what) in new[] { ("--checkpoints", Checkpoints, ShippedCheckpoints, "networks"), ("--zoo", Zoo, ShippedZoo, "models") })
            if (Path.GetFullPath(directory) == Path.GetFullPath(shipped)) yield return $"would replace the shipped {what} in {shipped}; add {flag} DIR, a directory of your own";
    }
}

/// <summary>What every job works with: data, and networks that are trained once and then taken from their checkpoint.</summary>
public sealed class Workshop
{
    private readonly Lazy<TaskData> fashion;
    private readonly Lazy<TaskData> scenes;
    private readonly TextWriter output;
    private readonly HashSet<string> trained = [];

    public Workshop(WorkshopOptions options, TextWriter output, TimeProvider clock)
    {
        (Options, this.output, Clock) = (options, output, clock);
        fashion = new(() => FashionMnist.Task(options.Data));
        scenes = new(() => SceneData.Task(fashion.Value.Sets));
        torch.set_num_threads(options.Threads);
    }

    public WorkshopOptions Options { get; }

    public TimeProvider Clock { get; }

    /// <summary>Where comparisons are kept for the table.</summary>
    public string Comparisons => Path.Combine(Options.Zoo, "comparison");

    /// <exception cref="FaultsException">Data is missing or damaged.</exception>
    public TaskData Task(string name) => name switch
    {
        "fmnist" => fashion.Value,
        "scenes" => scenes.Value,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "the tasks are fmnist and scenes"),
    };

    /// <summary>The recipe as the command line changes it.</summary>
    public Recipe Adjusted(Recipe recipe) => recipe with { Seed = Options.Seed ?? recipe.Seed, Epochs = Options.Epochs ?? recipe.Epochs };

    /// <summary>What repeats a job as this workshop does it.</summary>
    public string Command(string job) => $"fleet-training train {job}{Options.Differences}";

    /// <summary>The file of a network's checkpoint when the same recipe has made it; null when it is to be trained.</summary>
    public string? StandingCheckpoint(string name, string recipe) =>
        Checkpoint.TaskOf(CheckpointFile(name)) == TaskText(name, recipe, Options.Differences) ? CheckpointFile(name) : null;

    /// <summary>A comparison's file when a job of this workshop would only measure it once more; null when it is missing, or was measured otherwise or on another network.</summary>
    /// <param name="job">Whose command it must name.</param>
    /// <exception cref="FaultsException">The file is damaged.</exception>
    public string? StandingComparison(string name, string job)
    {
        var path = Path.Combine(Comparisons, name + ".json");
        if (!File.Exists(path)) return null;
        var found = Comparison.Read(path);
        // A task is called as its main network.
        return found.Command == Command(job) && !trained.Contains(found.Task) ? path : null;
    }

    /// <summary>A model's card when it was exported from such a training and its files are there; null when it is to be exported.</summary>
    /// <exception cref="FaultsException">The card is damaged.</exception>
    public string? StandingModel(string name, string command, Recipe steps, IEnumerable<string> bottlenecks)
    {
        var path = Path.Combine(Options.Zoo, name, ModelFiles.CardName);
        if (!File.Exists(path) || trained.Contains(name)) return null;
        var card = ModelFiles.Open(Path.GetDirectoryName(path)!).Card;
        var isSame = (card.Provenance.Command, card.Provenance.Seed, card.Provenance.Epochs) == (command, steps.Seed, steps.Epochs) && card.Bottlenecks.Select(bottleneck => bottleneck.Name).SequenceEqual(bottlenecks);
        return isSame && card.Files.All(file => File.Exists(Path.Combine(Options.Zoo, name, file))) ? path : null;
    }

    /// <summary>The network that the recipe made with the shipped seed on one thread, out of its checkpoint.</summary>
    /// <exception cref="FaultsException">There is no such checkpoint.</exception>
    public T Kept<T>(string name, T net, string recipe) where T : torch.nn.Module
    {
        var path = CheckpointFile(name);
        return Checkpoint.TryRead(path, net, TaskText(name, recipe, "")) ? net
            : throw new FaultsException(path, $"is missing or of another recipe; `fleet-training train {name}` makes it, and --checkpoints says where it lies");
    }

    /// <summary>
    /// A network as <paramref name="train"/> leaves it: out of its checkpoint when the same recipe has made one, else trained now, from
    /// where an interrupted run stopped.
    /// </summary>
    /// <param name="name">Of the checkpoint.</param>
    /// <param name="net">Fresh; its weights are replaced.</param>
    /// <param name="recipe">All that determines the result besides the code: another text trains anew.</param>
    /// <param name="train">Is given the file to keep progress in.</param>
    public T Trained<T>(string name, T net, string recipe, Action<T, ProgressFile> train) where T : torch.nn.Module
    {
        var task = TaskText(name, recipe, Options.Differences);
        var path = CheckpointFile(name);
        if (Checkpoint.TryRead(path, net, task))
        {
            Say($"{name}: taken from its checkpoint");
            return net;
        }
        Say($"{name}: {net.parameters().Where(parameter => parameter.requires_grad).Sum(parameter => parameter.numel())} parameters to train");
        var progress = new ProgressFile(Path.Combine(Options.Checkpoints, name + ".progress"), task);
        train(net, progress);
        Checkpoint.Write(path, net, task);
        progress.Forget();
        trained.Add(name);
        return net;
    }

    private string CheckpointFile(string name) => Path.Combine(Options.Checkpoints, name + ".checkpoint");

    private static string TaskText(string name, string recipe, string differences) => $"{name} {recipe}{differences}";

    public void Say(string line) => output.WriteLine(line);

    public void Say(EpochReport report) => Say(string.Create(CultureInfo.InvariantCulture,
        $"epoch {report.Epoch,2}/{report.Epochs}  loss {report.Loss:F4}  calibration {string.Join(" ", report.Figures.Select(figure => figure.ToString("F4", CultureInfo.InvariantCulture)))}") +
        $"  elapsed {report.Elapsed:hh\\:mm\\:ss}  left {report.Remaining:hh\\:mm\\:ss}");
}
