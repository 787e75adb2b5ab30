using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Models.Offloading;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

/// <summary>What a decider is told of the ways on, against figures made by hand.</summary>
public sealed class JudgingTests
{
    private const double JoulePrice = 3;

    /// <summary>Idling costs the same whoever answers: only what a run adds to it may weigh against sending, as in plans. A board that could sleep pays for waiting, too.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public void Follow_AWayAndStages_PricesWhatRunsAndWaitingAddToTheDevicesDraw(bool sleeps)
    {
        var profile = sleeps ? World.Stock.Profiles.Values.First(known => known.Power.Sleep is not null) : AgentWorld.Profile;
        var options = new AgentOptions
        {
            Site = "lab",
            Id = "cam-1",
            Profile = profile,
            WakeLocks = sleeps ? new WakeLocks(() => { }, () => Task.CompletedTask) : null,
            Info = new Info { Board = "b", Stack = "s", Profile = profile.Id, AgentVersion = "1", Os = "test", Emulated = true },
        };
        var heard = new Hearing();
        var judging = new Judging(heard, TinyModel.Assign(2, "edge-1") with { JoulePrice = JoulePrice }, AlarmCosts.None, new Bytes(1000));
        var times = new StageTimes();
        times.Add(1, new Seconds(0.02));
        times.Add(2, new Seconds(0.05));
        var way = new WayCosts(Seconds.Zero);
        way.Answered(new Seconds(0.1), waited: Seconds.Zero, computed: new Seconds(0.01));
        judging.Follow(way, times, options);
        var (active, idle) = (profile.Power.Active.Value.Value, profile.Power.Idle.Value.Value);
        var (added, waiting) = sleeps ? (active - profile.Power.Sleep!.Value.Value, idle - profile.Power.Sleep.Value.Value) : (active - idle, 0);
        Assert.That(heard.Prices.Stages[..2], Is.EqualTo(new[] { 0.02 * (1 + JoulePrice * added), 0.05 * (1 + JoulePrice * added) }).Within(1e-12));
        Assert.That(heard.Prices.Send, Is.EqualTo(0.1 + JoulePrice * (0.1 * waiting + 1000 * profile.Radio.TxPerByte.Value.Value)).Within(1e-12));
        Assert.That(heard.Prices.Answered, Is.EqualTo(1));
    }

    /// <summary>Keeps the prices that it was told.</summary>
    private sealed class Hearing : Decider
    {
        public WayPrices Prices { get; private set; }

        public override bool Judges(int exit) => true;

        public override void Follow(in WayPrices prices) => Prices = prices with { Stages = [.. prices.Stages] };

        public override Decision After(in Verdict verdict, double draw) => Decision.Answer;
    }
}
