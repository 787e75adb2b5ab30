using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Radios;

/// <summary>
/// What a LoRa gateway hears: pure ALOHA. Frames that overlap on one channel and spreading factor spoil each other, unless one is stronger by
/// the capture threshold; other spreading factors do not disturb. A gateway that sends is deaf, and it keeps duty cycles too.
/// </summary>
/// <param name="capture">By how many decibels a frame must be stronger than each it overlaps; infinite: none is ever captured.</param>
public sealed class LoraGateway(TimeProvider clock, double capture = LoraGateway.CaptureThreshold)
{
    /// <summary>Decibels for equal spreading factors. S: the diagonal of dantard/yanets defaults.py SIR_thresholds; published ones are 1 to 6.</summary>
    public const double CaptureThreshold = 6;

    /// <summary>Frames an SX1301 concentrator demodulates at a time. D: Semtech SX1301 data sheet, eight LoRa paths.</summary>
    private const int Demodulators = 8;

    private readonly Dictionary<(int Band, int Channel, int Spreading), List<Frame>> air = [];
    private readonly DutyCycle[] duties = [.. SubBand.All.Select(band => new DutyCycle(band.Duty))];
    private int hearing;
    private Seconds deafUntil, bookedUntil;

    public long FramesSent { get; private set; }

    public long FramesCollided { get; private set; }

    /// <summary>Too weak, out of demodulators, or sent while the gateway was sending.</summary>
    public long FramesUnheard { get; private set; }

    /// <summary>Messages of devices that fit no frame and may not be split.</summary>
    public long MessagesRefused { get; private set; }

    public void Refused() => MessagesRefused++;

    /// <summary>A device sends; completes when the frame has ended, with whether it was received.</summary>
    /// <param name="power">At the gateway, in dBm.</param>
    public async ValueTask<bool> Hear((int Band, int Channel, int Spreading) where, double power, Seconds airTime)
    {
        FramesSent++;
        var frame = new Frame(power) { IsSpoilt = clock.Since(0) < deafUntil };
        var isHeard = power >= LoraLink.Sensitivity(where.Spreading) && hearing < Demodulators && !frame.IsSpoilt;
        if (isHeard) hearing++;
        var others = air.TryGetValue(where, out var list) ? list : air[where] = [];
        foreach (var other in others)
        {
            // Whoever is not stronger by the threshold is spoilt; both, when neither is.
            if (frame.Power < other.Power + capture) frame.IsCollided = true;
            if (other.Power < frame.Power + capture) other.IsCollided = true;
        }
        others.Add(frame);
        await clock.Delay(airTime);
        others.Remove(frame);
        if (isHeard) hearing--;
        if (frame.IsCollided) FramesCollided++;
        else if (!isHeard || frame.IsSpoilt) FramesUnheard++;
        return isHeard && !frame.IsCollided && !frame.IsSpoilt;
    }

    /// <summary>Sends to a device in its first window, or in its second one when the first's duty cycle forbids it; null when neither may be used.</summary>
    /// <param name="band">Of the uplink, where the first window is.</param>
    /// <param name="uplinkEnd">The windows are counted from it; it is less than <see cref="LoraRadio.FirstWindow"/> ago.</param>
    /// <returns>When the answer has ended, and its time on air.</returns>
    public (Seconds End, Seconds AirTime)? Answer(int band, int spreading, int appPayload, Seconds uplinkEnd)
    {
        var phyPayload = appPayload + LoraLink.FrameOverhead;
        var first = Send(duties[band], uplinkEnd + LoraRadio.FirstWindow, AirTime.Of(spreading, phyPayload));
        if (first is not null || appPayload > LoraLink.PayloadMaxOf(AirTime.SpreadingMax)) return first;
        return Send(duties[SubBand.Second], uplinkEnd + LoraRadio.SecondWindow, AirTime.Of(AirTime.SpreadingMax, phyPayload));
    }

    private (Seconds End, Seconds AirTime)? Send(DutyCycle duty, Seconds begin, Seconds airTime)
    {
        if (begin < duty.FreeAt || begin < bookedUntil) return null;
        duty.Sent(begin, airTime);
        bookedUntil = begin + airTime;
        Deafen(begin, begin + airTime);
        return (begin + airTime, airTime);
    }

    /// <summary>A failure here is a bug and ends the run, hence async void.</summary>
    private async void Deafen(Seconds begin, Seconds end)
    {
        await clock.Delay(begin - clock.Since(0));
        deafUntil = Seconds.Max(deafUntil, end);
        foreach (var frames in air.Values)
            foreach (var frame in frames) frame.IsSpoilt = true;
    }

    private sealed class Frame(double power)
    {
        public double Power => power;

        public bool IsCollided { get; set; }

        public bool IsSpoilt { get; set; }
    }
}
