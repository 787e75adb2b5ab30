using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using Fleet.Emulator;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

/// <summary>Who only listens must come to the same figures as who keeps the books.</summary>
public sealed class FleetObserverTests
{
    [TestCase(false)]
    [TestCase(true)]
    public void Figures_OfAWholeRun_AgreeWithTheLedger(bool lineBreaks)
    {
        var clock = new SimClock();
        var ledger = new Ledger(clock, new Seconds(10));
        var bus = new SimBus(clock, ledger.Hash, ledger.Messages);
        using var stop = new CancellationTokenSource();
        using var observer = new FleetObserver(bus.Connect("observer"), clock, "lab");
        var planned = Planned.Of(World.Stock, "fmnist");
        var controller = new SiteController(
            "lab", bus.Connect("controller"), clock, new ControllerOptions { ReportPeriod = new Seconds(2) }, Planners.Create(StaticSplit.PolicyName, planned.Table, new CostModel(new Weights())), planned.Table, planned.Model,
            World.Stock.Profiles, new SeededRandom(1, "planner"));
        clock.Start(() => controller.Run(CancellationToken.None));
        var edge = new EmulatedEdge("lab", new EdgeSpec { Id = "edge-1", Profile = "n5105-mini-pc" }, World.Stock, InferenceKind.Trace, bus.Connect("edge-1"), clock, ledger, 1);
        clock.Start(() => edge.Run(CancellationToken.None));
        var lines = Enumerable.Range(1, 6).Select(i => bus.Connect($"pi-{i}")).ToList();
        var devices = lines.Select(line => new EmulatedDevice(
            new DeviceSpec("lab", line.Name, new DeviceGroup { Board = "pi-zero-2w", Count = 1, Rate = new Hertz(5) }, World.Stock.Profiles["pi-zero-2w"], 1) { Seen = World.Images }, World.Stock, InferenceKind.Trace, new SharedLine(line), clock, ledger)).ToList();
        foreach (var device in devices) clock.Start(() => device.Run(stop.Token).AsTask());
        clock.Run(TimeSpan.FromSeconds(20));
        if (lineBreaks) clock.Soon(() => lines[0].Lose(TimeSpan.FromSeconds(5)));
        clock.Run(TimeSpan.FromSeconds(30));
        if (lineBreaks) clock.Soon(lines[0].Restore);
        clock.Run(TimeSpan.FromSeconds(60));
        Assert.That(observer.DevicesOnline, Is.EqualTo(6));
        Assert.That(observer.InAgreement, Is.EqualTo(6));
        clock.Soon(stop.Cancel);
        clock.Run(TimeSpan.FromSeconds(70));

        var (figures, total) = (observer.Figures(), ledger.Total);
        Assert.That(total.Answered, Is.GreaterThan(1000));
        Assert.That(figures.Inferences, Is.EqualTo(total.Answered));
        Assert.That(figures.Lost, Is.Zero);
        Assert.That(ledger.Lost(devices.Sum(device => device.InFlight)), Is.Zero);
        Assert.That(figures.Malformed, Is.Zero);
        // Windows that could not be sent while the line was down are made up for in totals, not in shares.
        var tolerance = lineBreaks ? 0.03 : 1e-5;
        Assert.That(figures.Accuracy, Is.EqualTo((double)total.Correct / total.Labelled).Within(tolerance));
        Assert.That(figures.OffloadRatio, Is.EqualTo((double)total.Edge / total.Answered).Within(tolerance));
        Assert.That(figures.FallbackRatio, Is.EqualTo((double)total.Fallback / total.Answered).Within(tolerance));
        Assert.That(figures.ExitRatios.Of(1), Is.EqualTo((double)total.Exits[0] / total.Answered).Within(tolerance));
        Assert.That(figures.DevicesOnline, Is.Zero, "all have said goodbye");
        Assert.That(figures.EdgesOnline, Is.EqualTo(1));
    }

    [Test]
    public void Figures_OfWhoCameLate_CountTheWindowsHeardAndTheOneMissedBetween()
    {
        var clock = new SimClock();
        var ledger = new Ledger(clock, new Seconds(10));
        var bus = new SimBus(clock, ledger.Hash, ledger.Messages);
        var agent = bus.Connect("pi-1");
        using var observer = new FleetObserver(bus.Connect("observer"), clock, "lab");
        foreach (var sequence in new[] { 7, 8, 10 })
        {
            // 80 answers a window; one of those before the first that is heard has been lost, which nobody who came then can know.
            var answered = (sequence + 1) * 80L;
            clock.Soon(() => agent.Publish(new Topic(TopicKind.Infer, "lab", "pi-1"), new InferWindow
            {
                Sequence = sequence,
                SentAt = clock.UnixTime(),
                Window = new Seconds(2),
                Count = 80,
                Labelled = 80,
                Correct = 60,
                Exits = new PerExit([80]),
                StartedTotal = answered + 1,
                AnsweredTotal = answered,
            }));
        }
        clock.Run(TimeSpan.FromSeconds(1));

        var figures = observer.Figures();
        Assert.That(figures.Inferences, Is.EqualTo(4 * 80));
        Assert.That(figures.Lost, Is.Zero);
        Assert.That(figures.Accuracy, Is.EqualTo(0.75));
    }
}
