using Fleet.Contracts;
using Fleet.Emulator;
using Fleet.Emulator.Live;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Live;

public sealed class PacedWorldTests
{
    /// <summary>A broker that acknowledges nothing: devices wait for it with half a queue left, and say more only once it is gone.</summary>
    [Test]
    public async Task Run_BrokerThatTakesNothing_TimeStandsBeforeAnythingIsDropped()
    {
        await using var deaf = new DeafBroker();
        var (world, tally) = (new PacedWorld(speed: 1, TimeProvider.System), new LiveTally());
        var uplink = new Uplink(
            new UplinkOptions { Connection = new ConnectionOptions { Broker = MqttAddress.Loopback(deaf.Port), ClientId = "one" }, Filters = ["fleet/#"], QueueBytes = 1024, QueueBytesMax = 64 * 1024 },
            world, tally, TimeProvider.System, new SeededRandom(1, "uplink"));
        using var stop = new CancellationTokenSource();
        uplink.Connected += () => world.Clock.Start(async () =>
        {
            for (var said = 0; ; said++)
            {
                uplink.Publish(new Topic(TopicKind.Budget, "lab", "one"), new Budget { Sequence = said, SentAt = world.Clock.UnixTime(), ReportPeriod = new Seconds(1) });
                await world.Clock.Delay(new Seconds(0.001));
            }
        });
        world.Start(uplink.Start, stop.Token);

        await Until(() => world.WaitsForBroker);
        var (reached, published) = (world.Late, tally.Published);
        await Until(() => world.Late > reached + new Seconds(0.1));
        Assert.That(tally, Has.Property("Published").EqualTo(published).And.Property("Dropped").Zero, "nobody has gone on");
        Assert.That(new Drift(world.Late, Seconds.Zero, 7, 0, null, world.WaitsForBroker).Verdicts(new Seconds(0.05)), Has.One.StartsWith("the broker cannot keep up"));

        await deaf.DisposeAsync();
        await Until(() => tally.Published > published);
        Assert.That(world.Ended.IsFaulted, Is.False);
        uplink.Abort();
        stop.Cancel();
        await world.Ended;
    }

    private static async Task Until(Func<bool> isSo)
    {
        for (var look = 0; look < 1500 && !isSo(); look++) await TimeProvider.System.Delay(new Seconds(0.02));
        Assert.That(isSo(), "it never came to it");
    }
}
