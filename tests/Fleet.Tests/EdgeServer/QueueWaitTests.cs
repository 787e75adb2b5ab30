using Fleet.Contracts;
using Fleet.Emulator.Simulation;
using Fleet.Emulator.Workload;
using Fleet.Models;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.EdgeServer;

/// <summary>The production edge server as a queue with one server, against closed forms.</summary>
public sealed class QueueWaitTests
{
    private const int Frames = 20_000;
    private static readonly Seconds Service = new(0.01);

    /// <summary>M/M/1: rho s / (1 - rho) in the mean.</summary>
    [TestCase(0.5)]
    [TestCase(0.7)]
    public void Wait_ExponentialService_IsThatOfMM1(double load)
    {
        var random = new SeededRandom(1, "service");
        Assert.That(MeanWait(load, () => Service * -Math.Log(1 - random.NextDouble())), Is.EqualTo(load * Service.Value / (1 - load)).Within(10).Percent);
    }

    /// <summary>M/D/1: rho s / (2 (1 - rho)), Pollaczek and Khinchine.</summary>
    [TestCase(0.5)]
    [TestCase(0.7)]
    public void Wait_EqualService_IsThatOfMD1(double load) =>
        Assert.That(MeanWait(load, () => Service), Is.EqualTo(load * Service.Value / (2 * (1 - load))).Within(7).Percent);

    private static double MeanWait(double load, Func<Seconds> service)
    {
        EdgeWorld world = null!;
        // While batches are measured each row costs the same, so that batching gains nothing.
        world = new EdgeWorld(queueMax: Frames, time: rows => world.Clock.Since(0).Value < 1 ? new Seconds(0.001 * rows) : service());
        world.Run(1);
        var arrivals = new PoissonArrivals(new Hertz(load / Service.Value), new SeededRandom(1, "arrivals"));
        world.Clock.Start(async () =>
        {
            for (ulong request = 1; request <= Frames; request++)
            {
                await world.Clock.Delay(arrivals.Next(world.Clock.Since(0))!.Value);
                world.Ask(TinyModel.Frame(1, request, deadline: 1000));
            }
        });
        world.Run(1 + 1.2 * Frames * Service.Value / load);
        Assert.That(world.Replies, Has.Count.EqualTo(Frames));
        Assert.That(world.Ran, Is.All.EqualTo(1));
        return world.Replies.Average(replied => replied.Reply.Queue.Value);
    }
}
