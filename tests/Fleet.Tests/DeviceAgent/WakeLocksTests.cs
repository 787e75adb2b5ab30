using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

public sealed class WakeLocksTests
{
    private readonly List<string> said = [];
    private SimClock clock = null!;
    private WakeLocks locks = null!;

    [SetUp]
    public void SetUp()
    {
        said.Clear();
        clock = new SimClock();
        locks = new WakeLocks(() => said.Add($"{Now} suspend"), async () =>
        {
            said.Add($"{Now} wake");
            await clock.Delay(new Seconds(1));
        });
        locks.Woken += () => said.Add($"{Now} woken");
    }

    private double Now => clock.Since(0).Value;

    [Test]
    public void Take_Asleep_WaitsUntilTheBoardHasWoken()
    {
        Use(at: 0, length: 2);
        Use(at: 10, length: 3);
        clock.Run(TimeSpan.FromSeconds(20));
        Assert.That(said, Is.EqualTo(new[] { "0 begins", "2 ends", "2 suspend", "10 wake", "11 woken", "11 begins", "14 ends", "14 suspend" }));
        Assert.That(locks.IsAsleep);
    }

    [Test]
    public void Take_SeveralWhileItWakes_WakeItOnceAndAllKeepItAwake()
    {
        Use(at: 0, length: 1);
        Use(at: 5, length: 1);
        Use(at: 5.5, length: 4);
        clock.Run(TimeSpan.FromSeconds(20));
        Assert.That(said, Is.EqualTo(new[] { "0 begins", "1 ends", "1 suspend", "5 wake", "6 woken", "6 begins", "6 begins", "7 ends", "10 ends", "10 suspend" }));
    }

    [Test]
    public void Release_SomebodyGoesOnInTheSameTurn_DoesNotSuspend()
    {
        clock.Start(async () =>
        {
            await locks.Take();
            locks.Release();
            await locks.Take();
            await clock.Delay(new Seconds(1));
            locks.Release();
        });
        clock.Run(TimeSpan.FromSeconds(5));
        Assert.That(said, Is.EqualTo(new[] { "1 suspend" }));
    }

    [Test]
    public void Release_NobodyHoldsOne_Throws() => Assert.That(locks.Release, Throws.InvalidOperationException);

    private void Use(double at, double length) => clock.Start(async () =>
    {
        await clock.Delay(new Seconds(at));
        await locks.Take();
        said.Add($"{Now} begins");
        await clock.Delay(new Seconds(length));
        said.Add($"{Now} ends");
        locks.Release();
    });
}
