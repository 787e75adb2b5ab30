using System.Globalization;
using Fleet.Contracts;
using Fleet.Controller.Placement;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>What is asked for, slot after slot.</summary>
public interface IRequestProcess
{
    /// <summary>Requests of each type in the next slot. Valid until the next call.</summary>
    /// <param name="held">What was held in the last slot: an adversary looks at it.</param>
    ReadOnlySpan<double> Next(ReadOnlySpan<double> held);
}

/// <summary>
/// A number of requests a slot, each at an entry drawn evenly and for a task by Zipf's law. With a period the ranking moves on by one task after so many slots, round
/// and round, so that every task is the most popular one in its turn.
/// </summary>
/// <param name="idn">Its types are one for each entry and task, entry by entry.</param>
/// <param name="period">Slots; 0: popularity is fixed.</param>
public sealed class ZipfRequests(Idn idn, double exponent, int requests, int period, Random random) : IRequestProcess
{
    private readonly double[] count = new double[idn.Types.Count];
    private readonly double[] cumulative = Cumulative(idn.Catalogue.Tasks, exponent);
    private readonly int entries = idn.Types.Count / idn.Catalogue.Tasks;
    private int slot;

    public ReadOnlySpan<double> Next(ReadOnlySpan<double> held)
    {
        Array.Clear(count);
        var tasks = cumulative.Length;
        var shift = period == 0 ? 0 : slot / period;
        for (var request = 0; request < requests; request++)
        {
            var rank = Array.BinarySearch(cumulative, random.NextDouble());
            if (rank < 0) rank = ~rank;
            count[random.Next(entries) * tasks + (rank + shift) % tasks]++;
        }
        slot++;
        return count;
    }

    private static double[] Cumulative(int tasks, double exponent)
    {
        var weights = Enumerable.Range(1, tasks).Select(rank => Math.Pow(rank, -exponent)).ToArray();
        var (all, sum) = (weights.Sum(), 0.0);
        var cumulative = Array.ConvertAll(weights, weight => sum += weight / all);
        cumulative[^1] = 1;
        return cumulative;
    }
}

/// <summary>
/// Asks against the learner: at each entry all requests are for one task, the next in the round for which no option was held in the last slot but the
/// repository's; the next one, if every task had one.
/// </summary>
public sealed class AdversarialRequests(Idn idn, int requests) : IRequestProcess
{
    private readonly double[] count = new double[idn.Types.Count];
    private readonly int entries = idn.Types.Count / idn.Catalogue.Tasks;
    private int turn;

    public ReadOnlySpan<double> Next(ReadOnlySpan<double> held)
    {
        Array.Clear(count);
        var tasks = idn.Catalogue.Tasks;
        var next = turn;
        for (var entry = 0; entry < entries; entry++)
        {
            var task = turn % tasks;
            for (var ahead = 0; ahead < tasks; ahead++)
            {
                if (IsServed(entry * tasks + (turn + ahead) % tasks, held)) continue;
                task = (turn + ahead) % tasks;
                break;
            }
            count[entry * tasks + task] = (double)requests / entries;
            if (entry == 0) next = task + 1;
        }
        turn = next;
        return count;
    }

    private bool IsServed(int type, ReadOnlySpan<double> held)
    {
        for (var option = idn.Start[type]; option < idn.Start[type + 1] - 1; option++)
            if (Serving.Held(idn, option, held) > 0) return true;
        return false;
    }
}

/// <summary>Requests of a file: lines "slot,entry,task,count", in order of their slots, the first line the names of the columns. After its last slot it begins anew.</summary>
public sealed class TraceRequests : IRequestProcess
{
    public const string Columns = "slot,entry,task,count";

    private readonly double[] count;
    private readonly List<(int Slot, int Type, double Count)> lines = [];
    private int slot, next;

    /// <summary>Reads it whole. Throws <see cref="FaultsException"/> that lists every line that cannot be read.</summary>
    public TraceRequests(Idn idn, string path)
    {
        count = new double[idn.Types.Count];
        var (tasks, faults) = (idn.Catalogue.Tasks, new List<string>());
        var text = Read(path);
        if (text.Length == 0 || text[0] != Columns) faults.Add($"line 1: is \"{text.FirstOrDefault()}\"; allowed: {Columns}");
        for (var i = 1; i < text.Length; i++)
        {
            var cells = text[i].Split(',');
            if (cells.Length != 4 || !Whole(cells[0], int.MaxValue, out var at) || !Whole(cells[1], count.Length / tasks - 1, out var entry) || !Whole(cells[2], tasks - 1, out var task)
                || !double.TryParse(cells[3], NumberStyles.Float, CultureInfo.InvariantCulture, out var requests) || !(requests is >= 0 and < 1e9))
                faults.Add($"line {i + 1}: is \"{text[i]}\"; allowed: slot 0 or more, entry 0 to {count.Length / tasks - 1}, task 0 to {tasks - 1}, count 0 to 1e9");
            else if (lines.Count > 0 && at < lines[^1].Slot) faults.Add($"line {i + 1}: slot {at} comes after slot {lines[^1].Slot}");
            else lines.Add((at, entry * tasks + task, requests));
        }
        if (lines.Count == 0 && faults.Count == 0) faults.Add("holds no requests");
        FaultsException.ThrowIfAny(path, faults);
    }

    public ReadOnlySpan<double> Next(ReadOnlySpan<double> held)
    {
        Array.Clear(count);
        if (next == lines.Count) (slot, next) = (0, 0);
        for (; next < lines.Count && lines[next].Slot == slot; next++) count[lines[next].Type] += lines[next].Count;
        slot++;
        return count;
    }

    private static string[] Read(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException(path, e.Message);
        }
    }

    private static bool Whole(string text, int most, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value <= most;
}
