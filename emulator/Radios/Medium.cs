using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Radios;

/// <summary>What the devices of a cell and their gateway share: who sends takes it from the others.</summary>
public abstract class Medium
{
    /// <summary>Bursts put on the medium, those that collided, and those that never got on it because it was always busy.</summary>
    public long Sent { get; protected set; }

    public long Collided { get; protected set; }

    public long Refused { get; protected set; }

    /// <summary>The gateway's own queue for all its devices: one burst at a time.</summary>
    public Turn GatewayTurn { get; } = new();

    /// <summary>Gets on the medium and stays there; completes at the end, with whether nobody else was heard at the same time.</summary>
    /// <param name="attempt">From 0: how often this burst has been tried before.</param>
    public abstract Task<bool> Carry(Seconds airTime, int attempt);
}

/// <summary>One after another in the order of asking: a switch's port to the broker, or a Bluetooth central that polls its peripherals.</summary>
public sealed class Line(TimeProvider clock) : Medium
{
    private Seconds freeAt;

    public override async Task<bool> Carry(Seconds airTime, int attempt)
    {
        Sent++;
        freeAt = Seconds.Max(freeAt, clock.Since(0)) + airTime;
        await clock.Delay(freeAt - clock.Since(0));
        return true;
    }
}

/// <summary>
/// Unslotted CSMA/CA of IEEE 802.15.4-2006, 7.5.1.4: wait 0 to 2^BE - 1 backoff periods, listen, and send if nobody is heard; else with BE one more, five
/// times at most. Whoever begins while another turns from listening to sending is not heard by it: both collide.
/// </summary>
public sealed class UnslottedCsma(TimeProvider clock, SeededRandom random) : Medium
{
    // D: IEEE 802.15.4-2006, 2.4 GHz: 20 and 12 symbols of 16 us; macMinBE 3, macMaxBE 5, macMaxCSMABackoffs 4. The same in
    // nsnam/ns-3-dev-git@140646449a: src/lr-wpan/model/lr-wpan-csmaca.cc and lr-wpan-constants.h.
    private static readonly Seconds Backoff = new(320e-6);
    private static readonly Seconds Turnaround = new(192e-6);
    private const int ExponentMin = 3;
    private const int ExponentMax = 5;
    private const int BackoffsMax = 4;

    private readonly List<Burst> air = [];

    public override async Task<bool> Carry(Seconds airTime, int attempt)
    {
        for (var backoff = 0; backoff <= BackoffsMax; backoff++)
        {
            await clock.Delay(Backoff * random.Next(1 << Math.Min(ExponentMin + backoff, ExponentMax)));
            if (air.Count > 0) continue;
            await clock.Delay(Turnaround);
            return await Send(airTime);
        }
        Refused++;
        return false;
    }

    private async Task<bool> Send(Seconds airTime)
    {
        Sent++;
        var burst = new Burst { IsCollided = air.Count > 0 };
        foreach (var other in air) other.IsCollided = true;
        air.Add(burst);
        await clock.Delay(airTime);
        air.Remove(burst);
        if (burst.IsCollided) Collided++;
        return !burst.IsCollided;
    }

    private sealed class Burst
    {
        public bool IsCollided { get; set; }
    }
}
