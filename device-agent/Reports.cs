using Fleet.Contracts;
using Fleet.DeviceAgent.Sensing;

namespace Fleet.DeviceAgent;

/// <summary>Makes the budget: sensors where there are any, the profile's estimate where there are none, and it says which.</summary>
public sealed class Reports(AgentOptions options, TimeProvider clock, SensorSuite sensors, StageTimes times, Window window, Offloads offloads)
{
    private readonly long started = clock.GetTimestamp();
    private readonly PowerProfile power = options.Profile.Power;
    private long sequence;

    // The last one, where it may stand for longer than a report.
    private Budget? said;

    /// <summary>Charge at the last report; null when nobody measures it.</summary>
    public Joules? Battery { get; private set; }

    /// <summary>What is to be said with a report; null while the last one still tells it, for as long as <paramref name="running"/> lets it stand.</summary>
    public Budget? News(Seconds period, Assignment? running)
    {
        var now = Measure(period, running);
        return said is { } before && !now.IsDueAfter(before) ? null : Say(now);
    }

    /// <summary>What it can spare now, news or not.</summary>
    public Budget Budget(Seconds period, Assignment? running) => Say(Measure(period, running));

    private Budget Say(Budget now)
    {
        sequence++;
        said = now.BudgetPeriod is null ? null : now;
        return now;
    }

    private Budget Measure(Seconds period, Assignment? running)
    {
        var depth = running?.Head ?? 0;
        var reading = sensors.Read();
        Battery = reading.Battery;
        var drawn = reading.Power ?? Standing + (power.Active.Value - Standing) * Busy(depth);
        return new Budget
        {
            Sequence = sequence,
            SentAt = clock.UnixTime(),
            ReportPeriod = period,
            BudgetPeriod = running?.BudgetPeriod,
            CpuTemperature = reading.Temperature is { } temperature ? Quantity.Rounded(temperature) : null,
            MemoryFree = Rounded(reading.MemoryFree),
            StorageFree = Rounded(reading.StorageFree),
            Battery = Rounded(reading.Battery),
            BatteryRatio = reading.BatteryRatio is { } ratio ? Quantity.Rounded(ratio) : null,
            Harvest = Rounded(reading.Harvest),
            Power = Quantity.Rounded(drawn),
            PowerMeasured = reading.Power is not null,
            EnergyBudget = EnergyBudget(reading),
            RequestRate = Quantity.Rounded(window.ArrivalRate),
            Uplink = Quantity.Rounded(offloads.Link.Rate),
            RoundTrip = Rounded(offloads.Link.RoundTrip),
            TxEnergy = options.Profile.Radio.TxPerByte.Value,
            StageSeconds = times.Seconds(depth),
            StageJoules = times.Energies(depth, options.RunPower),
            EncoderTime = Rounded(times.Encoder),
        };
    }

    /// <summary>Drawn whatever is inferred: by waiting, or by sleeping and waking for each input.</summary>
    private Watts Standing => options.WakeLocks is null ? power.Idle.Value : power.Sleep!.Value + window.ArrivalRate * power.WakeEnergy!.Value;

    /// <summary>What the battery can give above that until the lifetime is over.</summary>
    private Watts? EnergyBudget(Reading reading)
    {
        if (options.Lifetime is not { } lifetime || reading.Battery is not { } battery) return null;
        var left = Seconds.Max(new Seconds(1), lifetime - clock.Since(started));
        var spare = battery / left + (reading.Harvest ?? Watts.Zero) - Standing;
        return Quantity.Rounded(spare < Watts.Zero ? Watts.Zero : spare);
    }

    /// <summary>Share of time spent computing, if every input ran the whole head: an upper estimate.</summary>
    private double Busy(int depth)
    {
        var perInput = Seconds.Zero;
        for (var stage = 1; stage <= depth; stage++) perInput += times.Of(stage);
        return Math.Min(1, window.ArrivalRate * perInput);
    }

    private static T? Rounded<T>(T? value) where T : struct, IQuantity<T> => value is { } known ? Quantity.Rounded(known) : null;
}
