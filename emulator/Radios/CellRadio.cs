using Fleet.Contracts;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Radios;

/// <summary>
/// A device and its gateway on a shared medium: Wi-Fi, 802.15.4, Bluetooth, Ethernet. Each burst waits for the medium, may collide there or be
/// lost on the way, is tried again as the MAC does, and after that by TCP. Messages arrive in order.
/// </summary>
public sealed class CellRadio(RadioSpec spec, RadioPart part, Medium medium, Board board, TimeProvider clock, SeededRandom random) : Radio
{
    /// <summary>Transmissions of a burst by the MAC. D: IEEE 802.11-2016 dot11ShortRetryLimit, 7 (nsnam/ns-3-dev-git@140646449a: wifi-mac.cc, FrameRetryLimit); IEEE 802.15.4-2006 has 4 (lr-wpan-mac.cc: 3 retries).</summary>
    private readonly int triesMax = part.Kind is RadioKind.Ieee802154 ? 4 : 7;

    /// <summary>TCP waits this long before it sends again what the MAC has given up, twice as long each time (TCP_RTO_MIN of Linux, 200 ms); after so many the connection is taken for dead.</summary>
    private static readonly Seconds Timeout = new(0.2);
    private const int TimeoutsMax = 6;

    private readonly TwoStates fading = new(spec.Loss.GoodMean, spec.Loss.BadMean, random);
    private readonly Turn turn = new();
    private readonly Turn downTurn = new();
    private readonly Seconds phase = part.Interval.Value * random.NextDouble();
    private Seconds lastUp, lastDown;
    private bool isAssociated, isClosed;

    public override async ValueTask<bool> Up(int messageBytes, Delivery delivery)
    {
        await turn.Wait();
        try
        {
            await Associate();
            if (!await Cross(messageBytes, isUp: true)) return false;
        }
        finally
        {
            turn.Release();
        }
        lastUp = Seconds.Max(lastUp, clock.Since(0) + OneWay());
        await clock.Delay(lastUp - clock.Since(0));
        return true;
    }

    public override async ValueTask<bool> Down(int messageBytes)
    {
        lastDown = Seconds.Max(lastDown, clock.Since(0) + OneWay());
        await clock.Delay(lastDown - clock.Since(0));
        await downTurn.Wait();
        try
        {
            return await Cross(messageBytes, isUp: false);
        }
        finally
        {
            downTurn.Release();
        }
    }

    /// <summary>At the link's goodput, aside from the cell's traffic: files come once, at the begin.</summary>
    public override ValueTask Download(Bytes bytes)
    {
        board.Draw(EnergyUse.Receive, bytes * part.Link!.RxPerByte.Value);
        return clock.Delay(bytes / part.Link.Goodput.Value + spec.RoundTrip);
    }

    public override void Close() => isClosed = true;

    private async Task Associate()
    {
        if (isAssociated) return;
        isAssociated = true;
        board.Draw(EnergyUse.Transmit, part.AssociationEnergy.Value);
        await clock.Delay(part.AssociationTime.Value);
    }

    /// <summary>All bursts of a message, one after another; false when one is given up.</summary>
    private async Task<bool> Cross(int messageBytes, bool isUp)
    {
        var each = (int)part.BurstPayload.Value.Value;
        for (var left = messageBytes; left > 0; left -= each)
            if (!await Insist(Math.Min(left, each), isUp)) return false;
        return true;
    }

    private async Task<bool> Insist(int bytes, bool isUp)
    {
        for (var timeout = 0; timeout <= TimeoutsMax && !isClosed; timeout++)
        {
            if (timeout > 0) await clock.Delay(Timeout * (1 << (timeout - 1)));
            if (isUp ? await Repeat(bytes, isUp) : await RepeatInTurn(bytes)) return true;
        }
        return false;
    }

    /// <summary>The gateway serves its devices in turn; while TCP waits for one of them it serves the others.</summary>
    private async Task<bool> RepeatInTurn(int bytes)
    {
        await medium.GatewayTurn.Wait();
        try
        {
            return await Repeat(bytes, isUp: false);
        }
        finally
        {
            medium.GatewayTurn.Release();
        }
    }

    private async Task<bool> Repeat(int bytes, bool isUp)
    {
        for (var attempt = 0; attempt < triesMax && !isClosed; attempt++)
            if (await Try(bytes, attempt, isUp)) return true;
        return false;
    }

    private async Task<bool> Try(int bytes, int attempt, bool isUp)
    {
        var packets = Math.Max(1, Math.Ceiling(bytes / part.Link!.PacketPayload.Value.Value));
        var onAir = new Bytes(bytes + packets * part.Link.OverheadPerPacket.Value.Value);
        if (part.Interval.Value > Seconds.Zero) await clock.Delay(ToConnectionEvent());
        var isAlone = await medium.Carry(part.AccessTime.Value + onAir / part.AirRate.Value, attempt);
        if (isUp) Sent += onAir;
        board.Draw(isUp ? EnergyUse.Transmit : EnergyUse.Receive, onAir * (isUp ? part.Link.TxPerByte.Value : part.Link.RxPerByte.Value));
        return isAlone && random.NextDouble() >= (fading.IsBad(clock.Since(0)) ? spec.Loss.Bad : spec.Loss.Good);
    }

    /// <summary>Central and peripheral meet once an interval only.</summary>
    private Seconds ToConnectionEvent()
    {
        var since = clock.Since(0) + phase;
        return part.Interval.Value * Math.Ceiling(since / part.Interval.Value) - since;
    }

    private Seconds OneWay() => spec.RoundTrip / 2 + spec.Jitter * -Math.Log(1 - random.NextDouble());
}
