using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Training.Tests;

/// <summary>What stands is not made again, and what ships is not replaced by something else.</summary>
public sealed class WorkshopTests
{
    private string directory = "";

    [SetUp]
    public void MakeDirectory() => directory = Directory.CreateTempSubdirectory("fleet-workshop-").FullName;

    [TearDown]
    public void Forget() => Directory.Delete(directory, recursive: true);

    [TestCase(1, null, null, 1)]
    [TestCase(null, 1, null, 1)]
    [TestCase(null, null, 5000, 1)]
    [TestCase(null, null, null, 2)]
    public void Train_OtherwiseThanTheZooIs_IsRefusedInTheShippedDirectories(int? seed, int? epochs, int? limit, int threads)
    {
        var options = new WorkshopOptions(directory, WorkshopOptions.ShippedCheckpoints, "./" + WorkshopOptions.ShippedZoo, threads, seed, epochs, limit);
        Assert.That(
            () => new Commands(TextWriter.Null, TimeProvider.System).Train("fmnist", options),
            Throws.TypeOf<FaultsException>().With.Message.Contains("--checkpoints DIR").And.Message.Contains("--zoo DIR").And.Message.Contains(options.Differences));
        Assert.That((options with { Checkpoints = directory, Zoo = directory }).Faults(), Is.Empty);
    }

    [Test]
    public void Faults_OfTheZoosOwnTraining_AreNone() =>
        Assert.That(new WorkshopOptions(directory, WorkshopOptions.ShippedCheckpoints, WorkshopOptions.ShippedZoo, Threads: 1).Faults(), Is.Empty);

    [TestCase("train fmnist --epochs x", "--epochs is \"x\"; it must be a whole number of at least 1")]
    [TestCase("train fmnist --epochs 0", "--epochs is \"0\"; it must be a whole number of at least 1")]
    [TestCase("train fmnist --seed x", "--seed is \"x\"; it must be a whole number")]
    [TestCase("adapt fmnist --site noise-2 --out o --part everything", "--part is \"everything\"; it must be one of Norms, Exit, ExitAndNorms, Stage")]
    [TestCase("train fmnist --frobnicate", "--frobnicate is no option of \"train\"; allowed: --again,")]
    public void CommandLine_WrongValue_NamesItAndTheRange(string line, string fault)
    {
        var faults = ProcessEdge.Faults(CommandLine.Build(new Commands(TextWriter.Null, TimeProvider.System)).Parse(line.Split(' ')));
        Assert.That(string.Join('\n', faults), Does.Contain(fault).And.Not.Contain("System."));
    }

    [Test]
    public void Adapt_ZooThatIsNotThere_IsNamed() => Assert.That(
        () => new Commands(TextWriter.Null, TimeProvider.System).Adapt(
            new AdaptOptions("fmnist", "noise-2", AdaptedPart.Exit, LabelSource.Truth, 50, directory, Seed: 1), new WorkshopOptions(directory, directory, "/no/such/zoo", Threads: 1)),
        Throws.TypeOf<FaultsException>().With.Message.Contains("--zoo /no/such/zoo").And.Message.Contains("fleet-training train fmnist-export"));

    [Test]
    public void StandingComparison_OfTheSameCommand_IsKept()
    {
        var options = new WorkshopOptions(directory, directory, directory, Threads: 1);
        var workshop = new Workshop(options, TextWriter.Null, TimeProvider.System);
        new Comparison { Name = "some", Task = "fmnist", Text = "", Command = workshop.Command("some"), Points = [new ComparisonPoint { Method = "m", Accuracy = 0.5 }] }.Write(workshop.Comparisons);
        Assert.Multiple(() =>
        {
            Assert.That(workshop.StandingComparison("some", "some"), Does.EndWith("some.json"));
            Assert.That(workshop.StandingComparison("other", "other"), Is.Null);
            Assert.That(new Workshop(options with { Epochs = 1 }, TextWriter.Null, TimeProvider.System).StandingComparison("some", "some"), Is.Null, "measured with other flags");
        });
    }

    [Test]
    public void StandingComparison_OfANetworkThatIsTrainedAnew_IsMeasuredAgain()
    {
        var workshop = new Workshop(new WorkshopOptions(directory, directory, directory, Threads: 1), TextWriter.Null, TimeProvider.System);
        new Comparison { Name = "some", Task = "fmnist", Text = "", Command = workshop.Command("some"), Points = [new ComparisonPoint { Method = "m", Accuracy = 0.5 }] }.Write(workshop.Comparisons);
        using var net = workshop.Trained("fmnist", new Network(ZooNetworks.BLeNet(), seed: 1), "a recipe", (_, _) => { });
        Assert.Multiple(() =>
        {
            Assert.That(workshop.StandingComparison("some", "some"), Is.Null);
            Assert.That(workshop.StandingCheckpoint("fmnist", "a recipe"), Does.EndWith("fmnist.checkpoint"));
            Assert.That(workshop.StandingCheckpoint("fmnist", "another recipe"), Is.Null);
        });
    }

    [Test]
    public void StandingModel_OfTheShippedZoo_IsKept()
    {
        var zoo = ProjectFiles.Find(WorkshopOptions.ShippedZoo);
        var workshop = new Workshop(new WorkshopOptions(directory, ProjectFiles.Find(WorkshopOptions.ShippedCheckpoints), zoo, Threads: 1), TextWriter.Null, TimeProvider.System);
        string[] standing = [.. Jobs.All.Where(job => job.Standing(workshop) is not null).Select(job => job.Name)];
        Assert.That(standing, Is.SupersetOf(["fmnist", "scenes", "fmnist-export", "scenes-export", "b-lenet-export", "fmnist-bottlenecks", "b-lenet", "ddnn"]));
        Assert.That(standing, Does.Not.Contain("rebel"), "what ships of it is of fewer images");
    }
}
