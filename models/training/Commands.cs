using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>What the executable does, with everything the command line decides.</summary>
public sealed class Commands(TextWriter output, TimeProvider clock)
{
    public const string Everything = "all";

    /// <summary>Runs one job, or of all those whose output does not stand yet.</summary>
    /// <param name="again">All, whatever stands.</param>
    /// <exception cref="FaultsException">Data is missing or damaged, an export does not hold, or shipped networks would be replaced by others; the message says what.</exception>
    public async Task Train(string name, WorkshopOptions options, bool again = false)
    {
        FaultsException.ThrowIfAny($"train {name}{options.Differences}", options.Faults());
        var workshop = new Workshop(options, output, clock);
        foreach (var job in Jobs.All.Where(job => name is Everything || job.Name == name))
        {
            if (name is Everything && !again && job.Standing(workshop) is { } standing) workshop.Say($"{job.Name}: done already, {standing} stands; --again does it anyhow");
            else await job.Run(workshop);
        }
    }

    /// <summary>Fits a model of the zoo to a site whose data differ.</summary>
    /// <exception cref="FaultsException">Model, checkpoint or data are missing or do not belong together; the message says what.</exception>
    public async Task Adapt(AdaptOptions options, WorkshopOptions shop)
    {
        var workshop = new Workshop(shop, output, clock);
        var site = Site.Parse(options.Site);
        var job = Jobs.All.OfType<JointJob>().Single(job => job.Name == options.Model);
        var directory = Path.Combine(shop.Zoo, options.Model);
        if (!File.Exists(Path.Combine(directory, ModelFiles.CardName))) throw new FaultsException($"--zoo {shop.Zoo}", $"holds no {options.Model}: there is no {Path.Combine(directory, ModelFiles.CardName)}; `fleet-training train {options.Model}-export` makes it");
        var origin = ModelFiles.Open(directory);
        using var net = job.Kept(workshop);
        var before = JointTraining.Accuracies(net, site.See(workshop.Task(job.Task).Sets.Test, int.MaxValue));
        var way = new Adaptation(options.Part, options.Labels, options.Seed);
        var (_, shipped) = await new AdaptedModel(net, workshop.Task(job.Task), origin).Write(site, way, options.Samples, options.Out, options.CommandLine, clock);
        var found = JointTraining.Accuracies(net, site.See(workshop.Task(job.Task).Sets.Test, int.MaxValue));
        workshop.Say($"{options.Out}: exits on the site's test images {string.Join(" ", found.Select(accuracy => accuracy.ToString("P2", CultureInfo.InvariantCulture)))}, before {string.Join(" ", before.Select(accuracy => accuracy.ToString("P2", CultureInfo.InvariantCulture)))}");
        foreach (var file in shipped) workshop.Say($"devices fetch {file.File}, {file.FileBytes} bytes");
    }

    /// <summary>Makes a model out of somebody's ONNX network.</summary>
    /// <exception cref="FaultsException">The network cannot be cut there or run on our images; the message says why.</exception>
    public async Task Attach(AttachOptions options, string task, string directory, WorkshopOptions shop)
    {
        var workshop = new Workshop(shop, output, clock);
        var card = await new AttachedExits(options, workshop.Task(task), directory)
            .Write($"fleet-training attach-exits {Path.GetFileName(options.File)} --at {string.Join(',', options.At)} --input-shape {string.Join(',', options.InputShape)} --task {task} --images {options.Images} --epochs {options.Epochs} --seed {options.Seed}");
        foreach (var exit in card.Exits)
            workshop.Say(string.Create(CultureInfo.InvariantCulture, $"exit {exit.Exit}: test accuracy {exit.Accuracy:P2}, {card.HeadWork(exit.Exit).Total.Value / 1e6:F3} MMAC, ECE {exit.EceBefore:P2} -> {exit.EceAfter:P2}"));
        workshop.Say($"written to {directory}");
    }
}

/// <param name="Model">In the zoo.</param>
/// <param name="Site">Such as "noise-2" or "label-6-70".</param>
/// <param name="Part">What may change.</param>
/// <param name="Labels">Where labels come from.</param>
/// <param name="Samples">How many of the site's images are learnt from.</param>
/// <param name="Out">Directory to write the adapted model to.</param>
/// <param name="Seed">Of the order of the samples and how they are moved.</param>
public sealed record AdaptOptions(string Model, string Site, AdaptedPart Part, LabelSource Labels, int Samples, string Out, int Seed)
{
    /// <summary>For the card: no paths.</summary>
    public string CommandLine => string.Create(CultureInfo.InvariantCulture, $"fleet-training adapt {Model} --site {Site} --part {Part} --labels {Labels} --samples {Samples} --seed {Seed}");
}
