namespace Fleet.Contracts;

/// <summary>What is known of a LoRaWAN link in EU868 before anything is sent: the radios of the emulator and who plans for them reckon with the same.</summary>
public static class LoraLink
{
    /// <summary>MAC header, frame header, port and check code. D: LoRaWAN 1.0.x.</summary>
    public const int FrameOverhead = 13;

    /// <summary>Index of each fragment. D: LoRa Alliance TS004, DataFragment, three bytes.</summary>
    private const int FragmentHeader = 3;

    /// <summary>Sensitivity of gateways at SF 7 and its gain with each more, 125 kHz. D: RAK2247 data sheet, -125 dBm at SF 7, -139 at SF 12; X between.</summary>
    private const double SensitivityAt7 = -125;
    private const double SensitivityStep = -2.8;

    /// <summary>Decibels above the sensitivity. K: the installation margin that network servers start from.</summary>
    private const double Margin = 10;

    // Largest application payload by spreading factor from 7. D: LoRaWAN regional parameters, EU868, data rates 5 to 0.
    private static readonly int[] PayloadMax = [242, 242, 115, 51, 51, 51];

    public static int PayloadMaxOf(int spreadingFactor) => PayloadMax[spreadingFactor - AirTime.SpreadingMin];

    /// <summary>Least power, in dBm, that a gateway hears.</summary>
    public static double Sensitivity(int spreadingFactor) => SensitivityAt7 + SensitivityStep * (spreadingFactor - AirTime.SpreadingMin);

    /// <summary>
    /// Path loss 128.95 + 23.2 log10(d / km) dB: Petäjäjärvi et al., "On the coverage of LPWANs", ITST 2015, measured by car in Oulu. S: constants as
    /// in dantard/yanets defaults.py.
    /// </summary>
    public static double PathLoss(double metres) => 128.95 + 23.2 * Math.Log10(metres / 1000);

    /// <summary>The least spreading factor that reaches a gateway with the margin; the greatest when none does.</summary>
    /// <param name="power">At the gateway, in dBm.</param>
    public static int SpreadingFor(double power)
    {
        var spreading = AirTime.SpreadingMin;
        while (spreading < AirTime.SpreadingMax && power < Sensitivity(spreading) + Margin) spreading++;
        return spreading;
    }

    /// <summary>Application bytes of each frame that a message takes: one frame where it fits, else fragments.</summary>
    public static int[] Frames(int spreadingFactor, int messageBytes)
    {
        var most = PayloadMaxOf(spreadingFactor);
        if (messageBytes <= most) return [messageBytes];
        var each = most - FragmentHeader;
        return [.. Enumerable.Range(0, (messageBytes + each - 1) / each).Select(i => FragmentHeader + Math.Min(each, messageBytes - i * each))];
    }

    /// <summary>Time on air of all frames of a message, sent once.</summary>
    public static Seconds TimeOnAir(int spreadingFactor, int messageBytes) =>
        Frames(spreadingFactor, messageBytes).Aggregate(Seconds.Zero, (sum, bytes) => sum + AirTime.Of(spreadingFactor, bytes + FrameOverhead));

    /// <summary>Share of frames that pure ALOHA lets through (Abramson, 1970): exp(-2 G). The emulator's gateway without capture is held to it.</summary>
    /// <param name="load">G: time on air that others offer on the channel and spreading factor, as a share of time.</param>
    public static double Success(double load) => Math.Exp(-2 * load);
}
