namespace Fleet.Contracts;

/// <summary>
/// LoRa's time on air (Semtech, SX1276 data sheet, "Time on air"; LoRaWAN's preamble of 8 symbols, explicit header, CRC, coding rate 4/5):
/// n = 8 + max(0, ceil((8 PL + 16 - 4 SF + 8 + 20) / (4 (SF - 2 LDRO)))) * 5, ToA = (8 + 4.25 + n) * 2^SF / BW, and low-data-rate
/// optimisation from SF 11 on at 125 kHz.
/// </summary>
public static class AirTime
{
    public const int SpreadingMin = 7;

    public const int SpreadingMax = 12;

    /// <summary>Every EU868 data rate from 0 to 5 has this bandwidth.</summary>
    private static readonly Hertz Bandwidth = new(125_000);

    public static Seconds Symbol(int spreadingFactor) => new((1 << spreadingFactor) / Bandwidth.Value);

    /// <param name="phyPayload">Bytes of the LoRaWAN frame, its 13 bytes of headers included.</param>
    public static Seconds Of(int spreadingFactor, int phyPayload)
    {
        var isSlow = spreadingFactor >= 11;
        var bits = 8 * phyPayload + 16 - 4 * spreadingFactor + 8 + 20;
        var symbols = 8 + (int)Math.Ceiling(Math.Max(bits, 0) / (4.0 * (spreadingFactor - (isSlow ? 2 : 0)))) * 5;
        return Symbol(spreadingFactor) * (8 + 4.25 + symbols);
    }
}
