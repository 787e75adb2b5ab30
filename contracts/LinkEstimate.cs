namespace Fleet.Contracts;

/// <summary>
/// What this device's own way to the edge server is like: the time there and back, and the seconds that a byte takes. Its radio's claim is believed until files were
/// fetched; how long they took says more. Every answer then corrects both by a Kalman filter of these two unknowns (Kalman, "A new approach to linear filtering and
/// prediction problems", 1960), so that frames of another size are foretold as well as those sent so far.
/// </summary>
/// <param name="claim">What the radio is said to carry; no link is taken for better.</param>
public sealed class LinkEstimate(BytesPerSecond claim)
{
    /// <summary>Share of the prediction by which a time may be off by chance.</summary>
    private const double Noise = 0.25;

    /// <summary>Share of that by which the round trip itself may change from one answer to the next: small, one packet sent again must not look like another link.</summary>
    private const double Wander = 0.05;

    /// <summary>Share by which a rate measured by fetching may be off: the way down is not the way up, and neighbours may have fetched too.</summary>
    private const double FetchSpread = 0.3;

    private const double NoiseMin = 0.0005;

    /// <summary>Nothing is known of a round trip before the first answer: seconds.</summary>
    private const double FirstSpread = 10;

    /// <summary>Fewer bytes take the time of a round trip rather than their own.</summary>
    private const double FetchMin = 16_000;
    private readonly double least = 1 / claim.Value;
    private double trip, perByte = 1 / claim.Value, tripVariance = FirstSpread * FirstSpread, byteVariance, covariance;
    private bool isAnswered;

    /// <summary>Network share of answers but for the frame's own time on the air; null before the first.</summary>
    public Seconds? RoundTrip => isAnswered ? new Seconds(trip) : null;

    public BytesPerSecond Rate => new(1 / perByte);

    /// <summary>So many bytes of files came in this time.</summary>
    public void Fetched(Bytes bytes, Seconds took)
    {
        if (bytes.Value < FetchMin || !(took.Value > 0)) return;
        perByte = Math.Max(least, took.Value / bytes.Value);
        (byteVariance, covariance) = (FetchSpread * perByte * FetchSpread * perByte, 0);
    }

    /// <summary>A frame of so many bytes was answered.</summary>
    /// <param name="took">From sending to the answer, without the server's queue and computing.</param>
    public void Answered(Bytes onAir, Seconds took)
    {
        var size = onAir.Value;
        var expected = (isAnswered ? trip : Math.Max(0, took.Value - perByte * size)) + perByte * size;
        var noise = Math.Max(NoiseMin, Noise * expected);
        if (isAnswered) tripVariance += Wander * noise * Wander * noise;
        var (withTrip, withByte) = (tripVariance + covariance * size, covariance + byteVariance * size);
        var spread = withTrip + withByte * size + noise * noise;
        var (tripGain, byteGain, surprise) = (withTrip / spread, withByte / spread, took.Value - (trip + perByte * size));
        (trip, perByte) = (Math.Max(0, trip + tripGain * surprise), Math.Max(least, perByte + byteGain * surprise));
        (tripVariance, covariance, byteVariance) = (tripVariance - tripGain * withTrip, covariance - tripGain * withByte, Math.Max(0, byteVariance - byteGain * withByte));
        isAnswered = true;
    }
}
