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
    /// <summary>What differs from the zoo's own training and changes its result, for cards: no paths.</summary>
    public string Differences => string.Concat(
        Seed is { } seed ? string.Create(CultureInfo.InvariantCulture, $" --seed {seed}") : "",
        Epochs is { } epochs ? string.Create(CultureInfo.InvariantCulture, $" --epochs {epochs}") : "",
        Limit is { } limit ? string.Create(CultureInfo.InvariantCulture, $" --limit {limit}") : "",
        Threads == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" --threads {Threads}"));
}

/// <summary>What every job works with: data, and networks that are trained once and then taken from their checkpoint.</summary>
public sealed class Workshop
{
    private readonly Lazy<TaskData> fashion;
    private readonly Lazy<TaskData> scenes;
    private readonly TextWriter output;

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
        var task = $"{name} {recipe}{Options.Differences}";
        var path = Path.Combine(Options.Checkpoints, name + ".checkpoint");
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
        return net;
    }

    public void Say(string line) => output.WriteLine(line);

    public void Say(EpochReport report) => Say(string.Create(CultureInfo.InvariantCulture,
        $"epoch {report.Epoch,2}/{report.Epochs}  loss {report.Loss:F4}  calibration {string.Join(" ", report.Figures.Select(figure => figure.ToString("F4", CultureInfo.InvariantCulture)))}") +
        $"  elapsed {report.Elapsed:hh\\:mm\\:ss}  left {report.Remaining:hh\\:mm\\:ss}");
}
