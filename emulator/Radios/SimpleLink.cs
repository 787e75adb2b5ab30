using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Radios;

/// <summary>A link as the scenario describes it.</summary>
public sealed record LinkModel
{
    /// <summary>Time both ways without load.</summary>
    [JsonPropertyName("rtt_s")] public Seconds RoundTrip { get; init; } = new(0.004);

    /// <summary>Mean of the exponential delay that is added each way.</summary>
    [JsonPropertyName("jitter_s")] public Seconds Jitter { get; init; } = new(0.001);

    /// <summary>Share of packets that must be sent again.</summary>
    [JsonPropertyName("loss_ratio")] public double Loss { get; init; } = 0.01;

    /// <summary>Share of the profile's goodput that this link reaches: distance and neighbours.</summary>
    [JsonPropertyName("rate_ratio")] public double Rate { get; init; } = 1;

    public IEnumerable<string> Faults()
    {
        if (!(RoundTrip.Value is >= 0 and <= 60)) yield return $"link.rtt_s is {RoundTrip.Value}; allowed: 0 to 60";
        if (!(Jitter.Value is >= 0 and <= 60)) yield return $"link.jitter_s is {Jitter.Value}; allowed: 0 to 60";
        if (!(Loss is >= 0 and <= 0.9)) yield return $"link.loss_ratio is {Loss}; allowed: 0 to 0.9";
        if (!(Rate is > 0 and <= 1)) yield return $"link.rate_ratio is {Rate}; allowed: above 0 to 1";
    }
}

/// <summary>
/// A link of its own for each device: constant rate, delay and loss, no neighbours. What the device says waits for the air (one packet
/// after another, lost ones again), costs energy by the byte, and arrives in order, since MQTT runs over TCP.
/// </summary>
/// <param name="links">The link as it is from which time on.</param>
public sealed class SimpleLink(Staged<LinkModel> links, Board board, TimeProvider clock, SeededRandom random) : Radio
{
    /// <summary>First retransmission time-out of TCP on Linux (TCP_RTO_MIN, 200 ms) is for a silent line; with later packets behind it a lost one is noticed after about a round trip.</summary>
    private static readonly Seconds Retransmit = new(0.02);

    private readonly RadioProfile radio = board.Profile.Radio;
    private Seconds airFreeAt, lastUp, lastDown;

    public SimpleLink(LinkModel link, Board board, TimeProvider clock, SeededRandom random) : this(new Staged<LinkModel>(link), board, clock, random)
    {
    }

    public override ValueTask<bool> Up(int messageBytes, Delivery delivery)
    {
        var now = clock.Since(0);
        var link = links.At(now);
        var onAir = board.Profile.OnAir(messageBytes);
        var (sends, waits) = Attempts(onAir, link);
        airFreeAt = Seconds.Max(airFreeAt, now) + onAir / (radio.Goodput.Value * link.Rate) * sends;
        lastUp = Seconds.Max(lastUp, airFreeAt + OneWay(link) + Retransmit * waits);
        Sent += onAir * sends;
        board.Draw(EnergyUse.Transmit, onAir * sends * radio.TxPerByte.Value);
        return clock.After(lastUp - now, true);
    }

    public override ValueTask<bool> Down(int messageBytes)
    {
        var now = clock.Since(0);
        var link = links.At(now);
        var onAir = board.Profile.OnAir(messageBytes);
        var (sends, waits) = Attempts(onAir, link);
        lastDown = Seconds.Max(lastDown, now + onAir / (radio.Goodput.Value * link.Rate) * sends + OneWay(link) + Retransmit * waits);
        board.Draw(EnergyUse.Receive, onAir * radio.RxPerByte.Value);
        return clock.After(lastDown - now, true);
    }

    public override ValueTask Download(Bytes bytes)
    {
        var link = links.At(clock.Since(0));
        board.Draw(EnergyUse.Receive, bytes * radio.RxPerByte.Value);
        return clock.Delay(bytes / (radio.Goodput.Value * link.Rate) + link.RoundTrip);
    }

    private Seconds OneWay(LinkModel link) => link.RoundTrip / 2 + link.Jitter * -Math.Log(1 - random.NextDouble());

    /// <summary>How often the message's packets are sent on average, and how many lost ones had to be waited for.</summary>
    private (double Sends, int Waits) Attempts(Bytes onAir, LinkModel link)
    {
        var packets = Math.Max(1, (int)Math.Ceiling(onAir.Value / (radio.PacketPayload.Value.Value + radio.OverheadPerPacket.Value.Value)));
        var sent = 0;
        for (var packet = 0; packet < packets; packet++)
            do sent++;
            while (random.NextDouble() < link.Loss);
        return ((double)sent / packets, sent - packets);
    }
}
