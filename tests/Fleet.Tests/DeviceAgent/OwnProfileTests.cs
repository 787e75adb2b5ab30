using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Models.Profiling;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

/// <summary>An agent that writes, and updates, the profile of its board.</summary>
public sealed class OwnProfileTests
{
    private static readonly Info Info = new() { Board = "My board", Stack = "my stack", Profile = "pi-zero-2w", AgentVersion = "1", Os = "test", Emulated = false };
    private static readonly ModelPiece Piece = Fleet.Tests.Models.Zoo.Card.Stages[0];

    private string path = "";
    private readonly List<string> complaints = [];

    [SetUp]
    public void Begin()
    {
        path = Path.Combine(Directory.CreateTempSubdirectory("fleet-own").FullName, "bench-pi.json");
        complaints.Clear();
    }

    [TearDown]
    public void DeleteScratch() => Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);

    private OwnProfile Own(TimeProvider clock) => new(path, AgentWorld.Profile, Info, clock, complaints.Add);

    private static StageTime[] Stage(double factor) => [new StageTime("stage 1", Piece, AgentWorld.Profile.NominalTime(Piece) * factor)];

    private Seconds Claim() => ProfileFile.Read(path).NominalTime(Piece);

    [Test]
    public void Learn_MeasuredStages_WritesASoundProfile()
    {
        Own(new BusWorld().Clock).Learn(Stage(2), runs: 100);
        var profile = ProfileFile.Read(path);
        Assert.That(profile.Id, Is.EqualTo("bench-pi"));
        Assert.That(Claim() / AgentWorld.Profile.NominalTime(Piece), Is.EqualTo(2).Within(0.01));
        Assert.That(profile.Compute.Conv.Confidence, Is.EqualTo(Evidence.Measured));
        Assert.That(profile.Compute.Conv.Source, Does.Contain("100 runs").And.Contain("started from profile pi-zero-2w"));
        Assert.That(Directory.GetFiles(Path.GetDirectoryName(path)!), Has.Length.EqualTo(1));
    }

    [Test]
    public void Learn_FewRuns_Waits()
    {
        Own(new BusWorld().Clock).Learn(Stage(2), runs: 29);
        Assert.That(File.Exists(path), Is.False);
    }

    [Test]
    public void Learn_LaterTimes_UpdateOnceAMinute()
    {
        var clock = new BusWorld().Clock;
        var own = Own(clock);
        own.Learn(Stage(2), runs: 100);
        own.Learn(Stage(3), runs: 200);
        Assert.That(Claim() / AgentWorld.Profile.NominalTime(Piece), Is.EqualTo(2).Within(0.01));
        clock.Run(TimeSpan.FromSeconds(61));
        own.Learn(Stage(3), runs: 300);
        Assert.That(Claim() / AgentWorld.Profile.NominalTime(Piece), Is.EqualTo(3).Within(0.01));
    }

    [Test]
    public void Learn_AfterARestart_StartsFromWhatWasWritten()
    {
        Own(new BusWorld().Clock).Learn(Stage(2), runs: 100);
        Own(new BusWorld().Clock).Learn(Stage(4), runs: 100);
        Assert.That(ProfileFile.Read(path).Compute.Conv.Source, Does.Contain("started from profile bench-pi"));
        Assert.That(Claim() / AgentWorld.Profile.NominalTime(Piece), Is.EqualTo(4).Within(0.01));
    }

    [Test]
    public void Learn_DirectoryThatIsGone_ComplainsAndGoesOn()
    {
        var own = Own(new BusWorld().Clock);
        Directory.Delete(Path.GetDirectoryName(path)!);
        own.Learn(Stage(2), runs: 100);
        Assert.That(complaints.Single(), Does.StartWith($"--own-profile {path}: "));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
    }

    [TestCase("bench-pi.txt")]
    [TestCase("Bench Pi.json")]
    public void OwnProfile_PathThatIsNoProfiles_IsRefused(string file)
    {
        var fault = Assert.Throws<FaultsException>(() => _ = new OwnProfile(file, AgentWorld.Profile, Info, TimeProvider.System, complaints.Add))!;
        Assert.That(fault.Subject, Is.EqualTo("--own-profile"));
        Assert.That(fault.Message, Does.Contain(file).And.Contain("NAME.json"));
    }

    [Test]
    public void OwnProfile_FileThatIsBroken_IsRefusedAtTheStart()
    {
        File.WriteAllText(path, "{ }");
        Assert.That(() => Own(TimeProvider.System), Throws.TypeOf<FaultsException>());
    }

    // Of the agent itself: its stages' times, and nothing before a head runs.
    [Test]
    public void Measured_RunningAgent_TellsTheStagesItHolds()
    {
        var world = new AgentWorld([(10, 0), (11, 1)], TinyModel.Assign(2), stageSeconds: 0.02);
        var told = new List<(IReadOnlyList<StageTime> Stages, long Runs)>();
        world.Agent.Measured += (stages, runs) => told.Add((stages, runs));
        world.Run(30);
        Assert.That(told, Is.Not.Empty);
        Assert.That(told[^1].Stages.Select(stage => stage.Name), Is.EqualTo(new[] { "tiny stage 1", "tiny stage 2" }));
        Assert.That(told[^1].Stages.Select(stage => stage.Time.Value), Has.All.EqualTo(0.02).Within(1e-6));
        Assert.That(told[^1].Runs, Is.EqualTo(2));
    }
}
