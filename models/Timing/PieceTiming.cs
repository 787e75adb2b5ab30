using Fleet.Contracts;

namespace Fleet.Models.Timing;

/// <summary>An ONNX file to be timed.</summary>
/// <param name="Name">As faults call it.</param>
/// <param name="Content">The file.</param>
/// <param name="Work">Multiply-accumulates of one run at batch 1.</param>
public sealed record TimedFile(string Name, byte[] Content, Macs Work);

/// <summary>What one run of a file costs on this machine, at batch 1 on one thread.</summary>
/// <param name="Name">Of the file.</param>
/// <param name="Work">Of one run.</param>
/// <param name="Times">Of one run; those of files measured together may be compared.</param>
/// <param name="Memory">By how much this process grew for each further session of the file that had run once.</param>
public sealed record PieceTime(string Name, Macs Work, RunTimes Times, Bytes Memory)
{
    public double MacsPerSecond => Work.Value / Times.Median.Value;
}

/// <summary>
/// Times pieces of a network side by side in ONNX Runtime, as a device runs them: batch 1, one thread, in place. Trust the ratios of one
/// call; times are this machine's, at this hour.
/// </summary>
public static class PieceTiming
{
    private const int Copies = 4;

    /// <summary>One result a file, in the order given.</summary>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <exception cref="FaultsException">A file cannot be read or run; the message names it.</exception>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public static IReadOnlyList<PieceTime> Measure(IReadOnlyList<TimedFile> files, TimingPlan plan, TimeProvider clock, Action<double> progress, CancellationToken stop = default)
    {
        var sessions = Open(files);
        try
        {
            var times = InterleavedTiming.Measure([.. sessions.Select(session => (Action)session.Run)], plan, clock, progress, stop);
            return [.. files.Zip(times, (file, time) => new PieceTime(file.Name, file.Work, time, Memory(file, sessions)))];
        }
        finally
        {
            foreach (var session in sessions) session.Dispose();
        }
    }

    private static List<TimedSession> Open(IEnumerable<TimedFile> files)
    {
        var sessions = new List<TimedSession>();
        try
        {
            foreach (var file in files) sessions.Add(new TimedSession(file));
            return sessions;
        }
        catch
        {
            foreach (var session in sessions) session.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Of several copies together, since memory comes in pages, after a first one that fills what was free before. All stay open: what
    /// one gave back, the next file's would take without growing.
    /// </summary>
    private static Bytes Memory(TimedFile file, List<TimedSession> open)
    {
        var before = 0L;
        for (var copy = 0; copy <= Copies; copy++)
        {
            if (copy == 1) before = Environment.WorkingSet;
            open.Add(new TimedSession(file));
            open[^1].Run();
        }
        return new Bytes(Math.Max(0, Environment.WorkingSet - before) / (double)Copies);
    }
}
