using System.Globalization;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>A network beside a larger one of the same pattern, trained the same way: what being small costs.</summary>
/// <param name="Larger">Its recipe is the network's.</param>
public sealed record ReferenceJob(string Name, string Description, JointJob Main, JointJob Larger) : IJob
{
    public static readonly ReferenceJob Scenes = new("scenes-reference", "The scenes network beside one with four times its multiply-accumulates.", JointJob.Scenes, JointJob.ScenesReference);

    public Task Run(Workshop workshop)
    {
        using var main = Main.Train(workshop);
        using var larger = Larger.Train(workshop);
        var epochs = workshop.Adjusted(Main.Recipe.Steps).Epochs;
        new Comparison
        {
            Name = Name,
            Task = Main.Task,
            Text = string.Create(CultureInfo.InvariantCulture, $"The network of {Main.Name} beside one of the same layers with twice the channels, both trained for {epochs} epochs in the same way; work is of all exits up to the one that answers."),
            Command = workshop.Command(Name),
            Points = [.. Points(workshop, Main.Name, main), .. Points(workshop, "reference", larger)],
        }.Write(workshop.Comparisons);
        return Task.CompletedTask;
    }

    private List<ComparisonPoint> Points(Workshop workshop, string method, Network net)
    {
        var accuracies = JointTraining.Accuracies(net, workshop.Task(Main.Task).Sets.Test);
        workshop.Say($"{Name} {method}: test accuracy {string.Join(" ", accuracies.Select(exit => exit.ToString("P2", CultureInfo.InvariantCulture)))}");
        return [.. accuracies.Zip(Cascades.Work(net.Architecture), (accuracy, work) => (accuracy, work)).Select((exit, i) => new ComparisonPoint
        {
            Method = method,
            Variant = string.Create(CultureInfo.InvariantCulture, $"exit {i + 1}"),
            Accuracy = exit.accuracy,
            Device = exit.work,
        })];
    }
}
