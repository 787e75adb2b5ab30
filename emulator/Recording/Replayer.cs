using System.Globalization;
using System.Text;
using Fleet.Contracts;
using Fleet.Emulator.Live;

namespace Fleet.Emulator.Recording;

/// <summary>Whose words are replayed.</summary>
[Flags]
public enum SaidBy
{
    None = 0,
    Devices = 1,
    EdgeServers = 2,
    Gateways = 4,
    Controller = 8,

    /// <summary>What a controller or planner is told: all but what it says itself.</summary>
    Fleet = Devices | EdgeServers | Gateways,
    All = Fleet | Controller,
}

/// <summary>What a replay came to.</summary>
/// <param name="Stopped">Why it ended before the recording did; empty when it did not.</param>
public sealed record ReplayFigures(long Read, long Published, long LeftOut, long Unacknowledged, Seconds Length, Seconds DriftMax, double Speed, string Stopped);

/// <summary>
/// Says again what was recorded, at the recorded times by a factor. Its drift contract is that of <see cref="BulkRun"/>: what is later than
/// allowed stops it or slows it, and is told either way.
/// </summary>
public sealed class Replayer
{
    private const int QueueBytesMax = 32 << 20;

    private const double Slower = 0.8;

    private static readonly Seconds Nap = new(0.001);
    private static readonly Seconds Line = new(2);
    private static readonly Seconds Grace = new(3);

    private readonly RecordingReader recording;
    private readonly SaidBy saidBy;
    private readonly Seconds driftMax;
    private readonly OnDrift onDrift;
    private readonly TimeProvider time;
    private readonly Action<string> tell;
    private readonly PacketRing ring = new(256 * 1024, QueueBytesMax);
    private readonly Lock gate = new();
    private readonly BrokerConnection connection;
    private double speed;
    private long anchorReal, told, changed;
    private Seconds anchorAt, worst;
    private long published, leftOut;
    private string lost = "", stopped = "";

    /// <param name="tell">Takes the progress lines.</param>
    public Replayer(RecordingReader recording, ConnectionOptions options, SaidBy saidBy, double speed, Seconds driftMax, OnDrift onDrift, TimeProvider time, Action<string> tell)
    {
        (this.recording, this.saidBy, this.speed, this.driftMax, this.onDrift, this.time, this.tell) = (recording, saidBy, speed, driftMax, onDrift, time, tell);
        connection = new BrokerConnection(options, ring, gate, time, static (in InboundPublish _) => true);
        connection.Lost += reason => lost = reason;
    }

    public async Task<ReplayFigures> Run(CancellationToken stop)
    {
        await connection.OpenAsync([], stop);
        (anchorReal, told) = (time.GetTimestamp(), time.GetTimestamp());
        var last = Seconds.Zero;
        while (stopped.Length == 0 && !stop.IsCancellationRequested && recording.TryRead(out var message))
        {
            last = message.At;
            if (!IsWanted(message))
            {
                leftOut++;
                continue;
            }
            await WaitUntilAsync(message.At, stop);
            while (stopped.Length == 0 && !stop.IsCancellationRequested && !TryPut(message))
            {
                connection.Flush();
                await time.Sleep(Nap, stop);
                Judge(message.At);
            }
        }
        var unacknowledged = await DrainAsync();
        await connection.CloseAsync();
        connection.Dispose();
        return new ReplayFigures(recording.Messages, published, leftOut, unacknowledged, last, worst, speed, stopped);
    }

    /// <summary>Who said it, by the protocol's table; a command that has begun is the device's.</summary>
    public static SaidBy SenderOf(Topic topic, ReadOnlySpan<byte> payload) => topic.Kind switch
    {
        TopicKind.Command => Wire.Decode(topic, payload) is Contracts.Command { Status: "init" } ? SaidBy.Controller : SaidBy.Devices,
        TopicKind.GatewayState => SaidBy.Gateways,
        _ => topic.Rule.Sender switch
        {
            "device" => SaidBy.Devices,
            "edge server" => SaidBy.EdgeServers,
            "controller" => SaidBy.Controller,
            _ => SaidBy.None,
        },
    };

    private bool IsWanted(in Recorded message) => saidBy == SaidBy.All
        || Topic.TryParse(Encoding.UTF8.GetString(message.Topic.Span), out var topic) && (SenderOf(topic, message.Payload.Span) & saidBy) != 0;

    private Seconds Late(Seconds at) => Seconds.Max(Seconds.Zero, time.Since(anchorReal) * speed - (at - anchorAt));

    private async ValueTask WaitUntilAsync(Seconds at, CancellationToken stop)
    {
        while (time.Since(anchorReal) * speed < at - anchorAt && stopped.Length == 0 && !stop.IsCancellationRequested)
        {
            connection.Flush();
            await time.Sleep(Nap, stop);
            Judge(at);
        }
        if ((published & 0xFF) != 0) return;
        connection.Flush();
        Judge(at);
    }

    private bool TryPut(in Recorded message)
    {
        var acknowledged = message.Quality > 0;
        var length = MqttPackets.PublishBytes(message.Topic.Length, message.Properties.Length, message.Payload.Length, acknowledged);
        lock (gate)
        {
            if (!ring.TryReserve(length, acknowledged, time.GetTimestamp(), out var packet, out var id)) return false;
            message.Payload.Span.CopyTo(packet[MqttPackets.WritePublish(packet, message.Topic.Span, message.Properties.Span, id, message.Retain)..]);
        }
        published++;
        return true;
    }

    private void Judge(Seconds at)
    {
        Drift drift;
        lock (gate) drift = new Drift(Late(at), ring.OldestPutAt is { } put ? Seconds.Of(time.GetElapsedTime(put)) : Seconds.Zero, ring.Awaiting, ring.Unsent, null);
        worst = Seconds.Max(worst, drift.Worst);
        if (lost.Length > 0) stopped = lost;
        if (time.Since(told) >= Line)
        {
            told = time.GetTimestamp();
            tell(string.Create(CultureInfo.InvariantCulture, $"{at.Value,8:F1} s of the recording: {published:N0} published; drift: {drift}; speed {speed:G4}"));
        }
        if (changed != 0 && time.Since(changed) < Grace || drift.Verdicts(driftMax) is not { Count: > 0 } verdicts) return;
        if (onDrift is OnDrift.Stop)
        {
            stopped = string.Join("; ", verdicts);
            return;
        }
        (anchorReal, anchorAt, changed) = (time.GetTimestamp(), at, time.GetTimestamp());
        tell(string.Create(CultureInfo.InvariantCulture, $"slowing from speed {speed:G4} to {speed * Slower:G4}: {string.Join("; ", verdicts)}"));
        speed *= Slower;
    }

    private async Task<long> DrainAsync()
    {
        var began = time.GetTimestamp();
        while (true)
        {
            connection.Flush();
            int left;
            lock (gate) left = ring.Awaiting + ring.Unsent;
            if (left == 0 || lost.Length > 0 || time.Since(began) > Seconds.Max(driftMax, new Seconds(5))) return left;
            await time.Delay(Nap);
        }
    }
}
