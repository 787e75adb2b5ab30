using System.Globalization;

namespace Fleet.Training;

/// <summary>Writes B-LeNet, trunk and branch trained together, as a model of the zoo.</summary>
public sealed class BranchyNetExport : IJob
{
    public string Name => "b-lenet-export";

    public string Description => "Exports B-LeNet to the zoo.";

    public string? Standing(Workshop workshop) => workshop.StandingModel("b-lenet", workshop.Command(Name), workshop.Adjusted(BranchyNetJob.Steps), bottlenecks: []);

    public async Task Run(Workshop workshop)
    {
        using var net = BranchyNetJob.Joint(workshop);
        var directory = Path.Combine(workshop.Options.Zoo, "b-lenet");
        var report = await new ModelExport(net, workshop.Task("fmnist"), [], directory, workshop.Clock).Run(BranchyNetJob.Record(workshop));
        workshop.Say(string.Create(CultureInfo.InvariantCulture, $"{Name}: largest logit difference to torch {report.LargestDifference:G3}"));
        foreach (var exit in report.Card.Exits)
            workshop.Say(string.Create(CultureInfo.InvariantCulture, $"exit {exit.Exit}: accuracy {exit.Accuracy:P2}, ECE {exit.EceBefore:P2} -> {exit.EceAfter:P2}"));
    }
}
