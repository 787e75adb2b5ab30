using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Emulator.Reporting;

/// <summary>Devices of one board type, added up.</summary>
public sealed record BoardSum(string Board)
{
    public long Devices { get; init; }

    public long Answered { get; init; }

    public long Offloaded { get; init; }

    public long Labelled { get; init; }

    public long Correct { get; init; }

    public double LatencySum { get; init; }

    public double Spent { get; init; }

    /// <summary>A brown-out is no death.</summary>
    public long Died { get; init; }
}

/// <summary>All that a report shows of a run, read from its directory in one pass over sites and one over devices: no more of it in memory, however large the fleet.</summary>
public sealed class ReportData
{
    /// <summary>Edge servers with a line of their own; more are shown by their mean and extremes.</summary>
    public const int EdgesMax = 5;

    /// <summary>Sites with a row of their own; more are shown by quantiles.</summary>
    public const int SitesMax = 24;

    private readonly SortedDictionary<string, BoardSum> boards = new(StringComparer.Ordinal);

    private ReportData(RunDirectory run)
    {
        Run = run;
        Sum = new RunSum(run.Scenario, run.Manifest.Seed);
        foreach (var site in run.Sites())
        {
            Sum.Add(site);
            Sites.Add(SiteSum.Of(site));
            foreach (var device in site.Returns) (Returns.TryGetValue(device.Fault, out var known) ? known : Returns[device.Fault] = []).Add(device.BackAfter?.Value);
            foreach (var edge in site.Edges) Edges.Add(site.Edges.Count == 1 && run.Result.Sites == 1 ? edge.Id : $"{site.Site}/{edge.Id}", edge);
        }
        ReadBoards(run.Rows("devices"));
    }

    public RunDirectory Run { get; }

    public RunSum Sum { get; }

    public EdgeLoads Edges { get; } = new();

    public List<SiteSum> Sites { get; } = [];

    /// <summary>How long after the end of each kind of fault devices were back in service; null where they were not.</summary>
    public SortedDictionary<string, List<double?>> Returns { get; } = new(StringComparer.Ordinal);

    public IEnumerable<BoardSum> Boards => boards.Values;

    /// <exception cref="FaultsException">The directory is not what a run left.</exception>
    public static ReportData Read(string directory)
    {
        var data = new ReportData(RunDirectory.Open(directory));
        if (data.Sum.Result().TraceHash != data.Run.Manifest.TraceHash) throw new FaultsException(directory, $"{ResultWriter.SitesFile} does not add up to the run's hash {data.Run.Manifest.TraceHash}");
        return data;
    }

    private void ReadBoards(IEnumerable<IReadOnlyList<string>> rows)
    {
        Dictionary<string, int>? columns = null;
        foreach (var row in rows)
        {
            if (columns is null)
            {
                columns = row.Index().ToDictionary(cell => cell.Item, cell => cell.Index);
                continue;
            }
            double Number(string column) => row[columns[column]] is { Length: > 0 } cell ? double.Parse(cell, CultureInfo.InvariantCulture) : 0;
            var board = row[columns["board"]];
            var sum = boards.GetValueOrDefault(board) ?? new BoardSum(board);
            var answered = (long)(Number("exits") + Number("offloaded") + Number("fallback"));
            boards[board] = sum with
            {
                Devices = sum.Devices + 1,
                Answered = sum.Answered + answered,
                Offloaded = sum.Offloaded + (long)Number("offloaded"),
                Labelled = sum.Labelled + (long)Number("labelled"),
                Correct = sum.Correct + (long)Number("correct"),
                LatencySum = sum.LatencySum + Number("latency_mean_s") * answered,
                Spent = sum.Spent + Number("compute_j") + Number("transmit_j") + Number("receive_j") + Number("wake_j"),
                Died = sum.Died + (row[columns["lifetime_s"]].Length > 0 ? 1 : 0),
            };
        }
    }
}

/// <summary>The headline figures of one site.</summary>
public sealed record SiteSum(string Site, int Devices, long Answered, double? Accuracy, double? Expected, double? LatencyP50, double? LatencyP95, double? Energy, double? Offload, double? Fallback, long Lost, int Died)
{
    public static SiteSum Of(SiteResult site)
    {
        var total = SiteBin.Sum(site.Bins);
        double? Ratio(double part, double whole) => whole > 0 ? part / whole : null;
        return new SiteSum(
            site.Site, site.Devices, total.Answered, Ratio(total.Correct, total.Labelled), site.AccuracyExpected, total.Latency.Percentile(0.5)?.Value, total.Latency.Percentile(0.95)?.Value,
            Ratio(site.Energy.Spent.Value, total.Answered), Ratio(total.Offloaded, total.Answered), Ratio(total.Fallback, total.Answered), site.Lost, site.Lifetimes.Count);
    }
}

/// <summary>The load of many edge servers over time: each by itself while they are few, else mean and extremes of each bin.</summary>
public sealed class EdgeLoads
{
    private readonly List<(string Name, EdgeResult Edge)> few = [];
    private readonly List<(EdgeBin Sum, int Workers, double BusyMin, double BusyMax, double WaitedMax)> all = [];

    public int Count { get; private set; }

    public IReadOnlyList<(string Name, EdgeResult Edge)> Each => Count <= ReportData.EdgesMax ? few : [];

    /// <summary>Of all edge servers: sums, workers, and the least and most busy and waiting, by bin; busy per worker.</summary>
    public IReadOnlyList<(EdgeBin Sum, int Workers, double BusyMin, double BusyMax, double WaitedMax)> All => all;

    public void Add(string name, EdgeResult edge)
    {
        if (++Count <= ReportData.EdgesMax) few.Add((name, edge));
        for (var i = 0; i < edge.Bins.Count; i++)
        {
            var (bin, busy) = (edge.Bins[i], edge.Bins[i].Busy.Value / edge.Workers);
            if (i == all.Count) all.Add((bin, edge.Workers, busy, busy, bin.Waited.Value));
            else all[i] = (all[i].Sum.Plus(bin), all[i].Workers + edge.Workers, Math.Min(all[i].BusyMin, busy), Math.Max(all[i].BusyMax, busy), Math.Max(all[i].WaitedMax, bin.Waited.Value));
        }
    }
}
