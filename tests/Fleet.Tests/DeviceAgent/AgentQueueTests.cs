using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.DeviceAgent.Sensing;
using Fleet.Emulator.Simulation;
using Fleet.Models;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

/// <summary>A device whose inputs come at random is a queue with one server: the waits of its answers against closed forms.</summary>
public sealed class AgentQueueTests
{
    private const int Inputs = 40_000;
    private static readonly Seconds Service = new(0.01);

    /// <summary>M/M/1: of load rho an input waits rho / (1 - rho) services, and is answered one later.</summary>
    [TestCase(0.3)]
    [TestCase(0.6)]
    public void Agent_PoissonInputsExponentialService_AnswersAsMM1Says(double load)
    {
        var random = new SeededRandom(3, "service");
        Assert.That(MeanLatency(load, () => Service * -Math.Log(1 - random.NextDouble())) / Service.Value, Is.EqualTo(1 / (1 - load)).Within(6).Percent);
    }

    /// <summary>M/D/1 (Pollaczek and Khinchine): it waits rho / (2 (1 - rho)) services.</summary>
    [TestCase(0.3)]
    [TestCase(0.6)]
    public void Agent_PoissonInputsConstantService_AnswersAsMD1Says(double load) =>
        Assert.That(MeanLatency(load, () => Service) / Service.Value, Is.EqualTo(1 + load / (2 * (1 - load))).Within(4).Percent);

    private static double MeanLatency(double load, Func<Seconds> service)
    {
        var world = new BusWorld();
        var options = new AgentOptions
        {
            Site = "lab",
            Id = "cam-1",
            Profile = AgentWorld.Profile,
            Default = TinyModel.Assign(1),
            MeasureRuns = 1,
            Info = new Info { Board = "b", Stack = "s", Profile = AgentWorld.Profile.Id, AgentVersion = "1", Os = "test", Emulated = true },
        };
        var agent = new Agent(options, world.Bus.Connect("cam-1"), world.Clock, new SeededRandom(1, "agent"), new SensorSuite([]), (wanted, _) => new(TinyModel.Head(wanted.Head, world.Clock, service)));
        var (answered, sum) = (0, Seconds.Zero);
        agent.Answered += answer => (answered, sum) = (answered + 1, sum + answer.Latency);
        // A backlog that never overflows: the closed forms know none.
        var camera = new Camera(Samples(), Pace.Poisson(new Hertz(load / Service.Value), new SeededRandom(2, "arrivals")), world.Clock, backlogMax: 10_000);
        world.Clock.Start(() => agent.Run(camera, CancellationToken.None).AsTask());
        world.Run(2 * Inputs * Service.Value / load);
        Assert.That(answered, Is.EqualTo(Inputs));
        Assert.That(camera.Skipped, Is.Zero);
        return sum.Value / answered;
    }

#pragma warning disable CS1998 // Nothing is awaited: asynchronous only because cameras are.
    private static async IAsyncEnumerable<Sample> Samples()
#pragma warning restore CS1998
    {
        for (var i = 0; i < Inputs; i++) yield return TinyModel.Sample(0);
    }
}
