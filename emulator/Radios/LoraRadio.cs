using Fleet.Contracts;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Radios;

/// <summary>
/// A class A LoRaWAN device in EU868: it waits for its duty cycle, sends on a channel drawn at random, and listens in two windows after each
/// uplink, the only time it can be told anything. Messages that are to arrive at least once are confirmed and repeated, the others sent once.
/// What does not fit one frame is split into fragments or refused, as the scenario says.
/// </summary>
public sealed class LoraRadio : Radio
{
    /// <summary>Delays of the receive windows from the uplink's end. D: LoRaWAN 1.0.x regional parameters, EU868.</summary>
    public static readonly Seconds FirstWindow = new(1);
    public static readonly Seconds SecondWindow = new(2);

    /// <summary>How long before a window the network server decides what to send. K: servers and gateways need some tens of milliseconds.</summary>
    private static readonly Seconds Deciding = new(0.05);

    /// <summary>Transmissions of a confirmed frame, and the random pause before a repetition (ACK_TIMEOUT). D: LoRaWAN 1.0.x.</summary>
    private const int TriesMax = 8;
    private static readonly (double From, double To) RepeatAfter = (1, 3);

    /// <summary>Messages that may wait for the device at the network server.</summary>
    private const int WaitingMax = 16;

    /// <summary>Symbols a device listens for a preamble in each window. K: receivers give up after about a preamble.</summary>
    private const int ListenSymbols = 8;

    private readonly LoraSpec spec;
    private readonly LoraPart part;
    private readonly LoraGateway gateway;
    private readonly Board board;
    private readonly TimeProvider clock;
    private readonly SeededRandom random;
    private readonly Turn turn = new();
    private readonly Queue<Waiting> waiting = [];
    private readonly (int Band, DutyCycle Duty)[] bands;
    private readonly double power;
    private Seconds windowsOverAt;
    private bool isClosed, isPolling;

    public LoraRadio(LoraSpec spec, LoraPart part, LoraGateway gateway, Board board, TimeProvider clock, SeededRandom place, SeededRandom random)
    {
        (this.spec, this.part, this.gateway, this.board, this.clock, this.random) = (spec, part, gateway, board, clock, random);
        bands = [.. spec.SubBands.Select(name => SubBand.All.TakeWhile(band => band.Name != name).Count()).Select(band => (band, new DutyCycle(SubBand.All[band].Duty)))];
        power = spec.PowerAtGateway(part, place);
        Spreading = spec.Spreading ?? LoraLink.SpreadingFor(power);
    }

    public int Spreading { get; }

    public override bool IsSlow => true;

    public override bool NeedsBoard => false;

    public override ValueTask Await() => turn.Wait();

    public override async ValueTask<bool> Up(int messageBytes, Delivery delivery)
    {
        try
        {
            if (Fragments(messageBytes) is not { } parts) return false;
            foreach (var bytes in parts)
                if (!await Deliver(bytes, delivery is Delivery.AtLeastOnce)) return false;
            return true;
        }
        finally
        {
            turn.Release();
        }
    }

    public override ValueTask<bool> Down(int messageBytes)
    {
        if (isClosed || waiting.Count >= WaitingMax || Fragments(messageBytes) is not { } parts) return new ValueTask<bool>(false);
        var message = new Waiting(new Queue<int>(parts));
        waiting.Enqueue(message);
        return new ValueTask<bool>(message.Told.Task);
    }

    /// <summary>Files come with the device or by hand: no field update over the air is modelled.</summary>
    public override ValueTask Download(Bytes bytes) => ValueTask.CompletedTask;

    public override void Close()
    {
        isClosed = true;
        while (waiting.TryDequeue(out var message)) message.Told.TrySetResult(false);
    }

    /// <summary>Application bytes of each frame; null when the message is refused.</summary>
    private int[]? Fragments(int messageBytes)
    {
        if (spec.Oversize is Oversize.Split || messageBytes <= LoraLink.PayloadMaxOf(Spreading)) return LoraLink.Frames(Spreading, messageBytes);
        gateway.Refused();
        return null;
    }

    /// <summary>One frame, repeated until it is confirmed when it must be; whether the gateway has it.</summary>
    private async Task<bool> Deliver(int bytes, bool isConfirmed)
    {
        var hasArrived = false;
        for (var attempt = 1; !isClosed; attempt++)
        {
            var (isHeard, band) = await Send(bytes);
            hasArrived |= isHeard;
            if (!isConfirmed)
            {
                if (isHeard) OpenWindows(band);
                return hasArrived;
            }
            if (isHeard && await Answered(band, mustAnswer: true)) return true;
            if (attempt == TriesMax) return hasArrived;
            await clock.Delay(new Seconds(RepeatAfter.From + (RepeatAfter.To - RepeatAfter.From) * random.NextDouble()));
        }
        return hasArrived;
    }

    private async Task<(bool IsHeard, int Band)> Send(int bytes)
    {
        var airTime = AirTime.Of(Spreading, bytes + LoraLink.FrameOverhead);
        var (band, duty) = bands.MinBy(each => each.Duty.FreeAt);
        await clock.Delay(Seconds.Max(duty.FreeAt, windowsOverAt) - clock.Since(0));
        if (isClosed) return (false, band);
        duty.Sent(clock.Since(0), airTime);
        windowsOverAt = clock.Since(0) + airTime + SecondWindow + AirTime.Symbol(AirTime.SpreadingMax) * ListenSymbols;
        Sent += new Bytes(bytes + LoraLink.FrameOverhead);
        board.Draw(EnergyUse.Transmit, part.Transmit.Value * airTime);
        board.Draw(EnergyUse.Receive, part.Receive.Value * ((AirTime.Symbol(Spreading) + AirTime.Symbol(AirTime.SpreadingMax)) * ListenSymbols));
        return (await gateway.Hear((band, random.Next(SubBand.All[band].Channels), Spreading), power, airTime), band);
    }

    /// <summary>What waits for the device may come now; a failure here is a bug and ends the run, hence async void.</summary>
    private async void OpenWindows(int band) => await Answered(band, mustAnswer: false);

    /// <summary>Whether the device hears an answer to the uplink that has just ended: a part of what waits for it, or an acknowledgement alone.</summary>
    private async Task<bool> Answered(int band, bool mustAnswer)
    {
        // What the network has to say shortly before the window: the answer to this very uplink may be among it.
        var uplinkEnd = clock.Since(0);
        await clock.Delay(FirstWindow - Deciding);
        if (isClosed || waiting.Count == 0 && !mustAnswer) return false;
        var bytes = waiting.TryPeek(out var message) ? message.Parts.Peek() : 0;
        if (gateway.Answer(band, Spreading, bytes, uplinkEnd) is not { } answer) return false;
        windowsOverAt = Seconds.Max(windowsOverAt, answer.End);
        await clock.Delay(answer.End - clock.Since(0));
        board.Draw(EnergyUse.Receive, part.Receive.Value * answer.AirTime);
        if (isClosed || !LoraSpec.HearsGateway(power, Spreading)) return false;
        if (message is not null) Told(message);
        return true;
    }

    private void Told(Waiting message)
    {
        message.Parts.Dequeue();
        if (message.Parts.Count == 0) waiting.Dequeue().Told.TrySetResult(true);
        if (waiting.Count > 0) Poll();
    }

    /// <summary>The answer said that there is more (FPending): an empty uplink opens windows for it. A failure here is a bug and ends the run, hence async void.</summary>
    private async void Poll()
    {
        if (isPolling) return;
        isPolling = true;
        await turn.Wait();
        isPolling = false;
        if (waiting.Count > 0) await Deliver(0, isConfirmed: false);
        turn.Release();
    }

    private sealed class Waiting(Queue<int> parts)
    {
        public Queue<int> Parts => parts;

        public TaskCompletionSource<bool> Told { get; } = new();
    }
}
