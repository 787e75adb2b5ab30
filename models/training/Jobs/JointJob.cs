using System.Globalization;

namespace Fleet.Training;

/// <summary>A network all of whose exits are trained together.</summary>
public sealed record JointJob(string Name, string Description, string Task, Func<Architecture> Architecture, JointRecipe Recipe) : IJob
{
    private static readonly Recipe SceneSteps = new() { Epochs = 16 };

    public static readonly JointJob Fmnist = new("fmnist", "Fashion-MNIST, three exits.", "fmnist",
        ZooNetworks.Fmnist, new JointRecipe(new Recipe { Epochs = 36 }, [0.5, 0.7, 1]));

    public static readonly JointJob Scenes = new("scenes", "Cluttered 96x96 scenes, three exits.", "scenes",
        () => ZooNetworks.Scenes(), new JointRecipe(SceneSteps, [0.5, 0.7, 1]));

    public static readonly JointJob ScenesReference = new("scenes-reference", "The scenes network with four times its multiply-accumulates.", "scenes",
        () => ZooNetworks.Scenes(width: 2), new JointRecipe(SceneSteps, [0.5, 0.7, 1]));

    public Task Run(Workshop workshop)
    {
        using var net = Train(workshop);
        var accuracy = JointTraining.Accuracies(net, workshop.Task(Task).Sets.Test);
        workshop.Say($"{Name}: test accuracy {string.Join(" ", accuracy.Select(exit => exit.ToString("P2", CultureInfo.InvariantCulture)))}");
        return System.Threading.Tasks.Task.CompletedTask;
    }

    public string? Standing(Workshop workshop) => workshop.StandingCheckpoint(Name, Adjusted(workshop).ToString());

    /// <summary>The network that ships with the code, whatever the command line says of seeds and threads; never trained here.</summary>
    /// <exception cref="Contracts.FaultsException">There is no checkpoint of it.</exception>
    public Network Kept(Workshop workshop) => workshop.Kept(Name, new Network(Architecture(), Recipe.Steps.Seed), Recipe.ToString());

    /// <summary>The trained network, out of its checkpoint when there is one.</summary>
    public Network Train(Workshop workshop)
    {
        var recipe = Adjusted(workshop);
        var task = workshop.Task(Task);
        return workshop.Trained(Name, new Network(Architecture(), recipe.Steps.Seed), recipe.ToString(), (net, progress) => JointTraining.Run(
            net, task.Learning(recipe.Steps.Seed, workshop.Options.Limit), task.Sets.Calibration, recipe, progress, workshop.Clock, workshop.Say));
    }

    private JointRecipe Adjusted(Workshop workshop) => Recipe with { Steps = workshop.Adjusted(Recipe.Steps) };

    /// <summary>For the card.</summary>
    public TrainingRecord Record(Workshop workshop)
    {
        var steps = workshop.Adjusted(Recipe.Steps);
        var images = workshop.Task(Task).Learning(steps.Seed, workshop.Options.Limit).Count;
        return new TrainingRecord(Name, workshop.Command(Name), steps.Seed, steps.Epochs, images);
    }
}
