using System.Diagnostics;
using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Emulator.Live;

/// <summary>
/// A live bulk run from its ramp to its books, under the drift contract: every look measures who is behind; what is later than allowed
/// stops the run or slows it, and is told either way.
/// </summary>
/// <param name="tell">Takes the progress lines.</param>
public sealed class BulkRun(BulkFleet fleet, BulkOptions options, TimeProvider time, Action<string> tell)
{
    private static readonly Seconds Look = new(0.25);
    private static readonly Seconds Line = new(2);

    /// <summary>After a change of speed backlogs need a while to drain before they are judged again.</summary>
    private static readonly Seconds Grace = new(3);

    private const double Slower = 0.8;
    private const double SpeedMin = 0.01;

    private readonly long begun = time.GetTimestamp();
    private long changed;
    private Seconds driftMax;
    private string stopped = "";
    private (long At, long Published, TimeSpan Cpu)? steady;
    private (long At, long Published, long Answered, long Acknowledged) last;

    /// <summary>The last look, for whoever scrapes it.</summary>
    public Drift Drift { get; private set; } = new(Seconds.Zero, Seconds.Zero, 0, 0, null);

    /// <summary>Runs for a time, or until stopped, or until something cannot keep up; then ends the devices and closes the books.</summary>
    public async Task<BulkFigures> Run(Seconds? duration, CancellationToken stop)
    {
        var memoryBefore = Memory();
        last = (begun, 0, 0, 0);
        fleet.Begin();
        await WatchAsync(duration, stop);
        var memory = Memory();
        var (seconds, messages, cpu) = Steady();
        var (assigned, ready, connections) = (fleet.Tally.Assigned, fleet.Tally.Ready, fleet.Tally.Connected);
        tell("stopping the devices");
        await TellWhileAsync(EndAsync());
        var tally = fleet.Tally;
        var answered = fleet.Answered;
        return new BulkFigures
        {
            Devices = fleet.Begun,
            Ready = ready,
            Assigned = assigned,
            Misdirected = tally.Misdirected,
            Connections = connections,
            Reconnects = tally.Reconnects,
            Published = tally.Published,
            Reports = tally.Reports,
            Received = tally.Received,
            Dropped = tally.Dropped,
            Unacknowledged = tally.Reliable - tally.Acknowledged,
            Inferences = answered,
            Lost = await fleet.LostAsync(),
            Accuracy = Ratio(fleet.Correct, fleet.Labelled),
            Offload = Ratio(fleet.Offloaded, answered),
            Fallback = Ratio(fleet.Fallback, answered),
            // More than these devices answered: others share their sites, and what is missing cannot be told from what is theirs.
            Unheard = fleet.Watch.Heard is { } heard && heard <= answered ? answered - heard : null,
            ControllerMalformed = fleet.Watch.Faults.Malformed,
            BrokerDropped = fleet.Watch.Faults.Dropped,
            Steady = seconds,
            SteadyMessages = new Hertz(messages / Math.Max(seconds.Value, 1e-3)),
            CpuPerMessage = new Seconds(cpu.TotalSeconds / Math.Max(1, messages)),
            CpuRatio = cpu.TotalSeconds / Math.Max(seconds.Value, 1e-3),
            Memory = memory,
            MemoryPerDevice = new Bytes((memory - memoryBefore).Value / Math.Max(1, fleet.Begun)),
            AcknowledgedP50 = tally.Latency(0.5),
            AcknowledgedP99 = tally.Latency(0.99),
            Speed = fleet.Speed,
            DriftMax = driftMax,
            Drift = fleet.Drift(),
            Stopped = stopped,
            Predictions = fleet.Twins.All.Where(twin => twin.Error is not null).ToDictionary(twin => $"{twin.Site}/{twin.Device}", twin => twin.Error!),
        };
    }

    private async Task WatchAsync(Seconds? duration, CancellationToken stop)
    {
        var told = begun;
        while (stopped.Length == 0 && (duration is null || time.Since(begun) < duration) && await time.Sleep(Look, stop))
        {
            if (fleet.Failed.IsCompleted) await fleet.Failed;
            foreach (var warning in fleet.TakeWarnings()) tell(warning);
            Drift = fleet.Drift();
            driftMax = Seconds.Max(driftMax, Drift.Worst);
            // All that would come has come: from here on nothing but reports.
            if (steady is null && fleet.Begun == options.Count && fleet.Tally.Ready >= options.Count) steady = (time.GetTimestamp(), fleet.Tally.Published, Cpu());
            Judge();
            if (time.Since(told) < Line && stopped.Length == 0) continue;
            told = time.GetTimestamp();
            tell(Progress());
        }
    }

    private void Judge()
    {
        if (changed != 0 && time.Since(changed) < Grace) return;
        var verdicts = Drift.Verdicts(options.DriftMax);
        if (verdicts.Count == 0) return;
        var (away, verdict) = (Unconnected(), string.Join("; ", verdicts));
        if (options.OnDrift is OnDrift.Slow && away.Length > 0)
        {
            // No speed brings a broker back; what waits for it is judged once it has had the time to drain.
            changed = time.GetTimestamp();
            return;
        }
        if (options.OnDrift is OnDrift.Stop || fleet.Speed * Slower < SpeedMin)
        {
            stopped = verdict + away;
            return;
        }
        var next = fleet.Speed * Slower;
        fleet.ChangeSpeed(next);
        changed = time.GetTimestamp();
        tell(string.Create(CultureInfo.InvariantCulture, $"slowing from speed {next / Slower:G4} to {next:G4}: {verdict}"));
    }

    private string Progress()
    {
        var now = (At: time.GetTimestamp(), fleet.Tally.Published, fleet.Answered, fleet.Tally.Acknowledged);
        var seconds = Math.Max(1e-3, time.Since(last.At).Value);
        var (median, p99) = fleet.Tally.TakeLatency();
        var late = fleet.TakeLateness();
        var line = string.Create(CultureInfo.InvariantCulture,
            $"{time.Since(begun).Value,6:F0} s  {fleet.Begun:N0} devices, {fleet.Tally.Assigned:N0} assigned, {fleet.Tally.Ready:N0} ready; {(now.Answered - last.Answered) / seconds:N0} answers/s, {(now.Published - last.Published) / seconds:N0} sent/s, {(now.Acknowledged - last.Acknowledged) / seconds:N0} acknowledged/s after p50 {Text(median)} p99 {Text(p99)}; drift: {Drift}; timers p50 {Text(late.Median)} max {Text(late.Max)}; speed {fleet.Speed:G4}");
        last = now;
        return line + Unconnected();
    }

    private string Unconnected()
    {
        var (count, fault) = fleet.Unconnected();
        return count == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; {count:N0} not connected: {fault}");
    }

    private async Task TellWhileAsync(Task ending)
    {
        while (await Task.WhenAny(ending, time.Delay(Line).AsTask()) != ending) tell(Ending());
        await ending;
    }

    private string Ending()
    {
        var heard = fleet.Watch.Heard is { } count && stopped.Length == 0 ? string.Create(CultureInfo.InvariantCulture, $", {Math.Min(count, fleet.Answered):N0} of {fleet.Answered:N0} answers heard of by the controller") : "";
        return string.Create(CultureInfo.InvariantCulture, $"stopping the devices: {fleet.Ended:N0} of {fleet.Begun:N0} have ended, {fleet.Tally.Reliable - fleet.Tally.Acknowledged:N0} messages unacknowledged") + heard + Unconnected();
    }

    private async Task EndAsync()
    {
        await fleet.StopDevicesAsync(new Seconds(60 + options.Count / 2_000.0));
        await AcknowledgeLastAsync();
        await HearLastAsync();
    }

    private async Task AcknowledgeLastAsync()
    {
        var began = time.GetTimestamp();
        var longest = Seconds.Max(options.DriftMax, new Seconds(5));
        while (fleet.Tally.Acknowledged < fleet.Tally.Reliable && time.Since(began) < longest) await time.Delay(new Seconds(0.02));
    }

    /// <summary>The last windows must have come to the controller, whose summary of them comes a period later.</summary>
    private async Task HearLastAsync()
    {
        if (fleet.Watch.Heard is null || stopped.Length > 0) return;
        var began = time.GetTimestamp();
        var longest = (fleet.Tally.ReportPeriod ?? new Seconds(5)) * 1.5 + options.DriftMax;
        while (fleet.Watch.Heard < fleet.Answered && time.Since(began) < longest) await time.Delay(new Seconds(0.1));
    }

    private (Seconds Length, long Messages, TimeSpan Cpu) Steady() =>
        steady is { } from ? (time.Since(from.At), fleet.Tally.Published - from.Published, Cpu() - from.Cpu) : (Seconds.Zero, 0, TimeSpan.Zero);

    private static TimeSpan Cpu()
    {
        using var self = Process.GetCurrentProcess();
        return self.TotalProcessorTime;
    }

    private static Bytes Memory()
    {
        using var self = Process.GetCurrentProcess();
        return new Bytes(self.WorkingSet64);
    }

    private static double? Ratio(long part, long whole) => whole > 0 ? Quantity.Rounded((double)part / whole) : null;

    private static string Text(Seconds? time) => time is { } value ? Live.Drift.Text(value) : "-";
}
