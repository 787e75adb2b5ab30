using Fleet.Contracts;
using Fleet.Emulator.Scenarios;

namespace Fleet.Emulator.Experiments.Distributed;

/// <summary>A group of six in virtual time, some of which crash at half time.</summary>
/// <param name="Name">Who crashed.</param>
/// <param name="Before">Accuracy of answers before the crash, and <paramref name="Since"/>; equal halves of the run where nobody does.</param>
/// <param name="Together">Share answered by the group, and <paramref name="Fallback"/> by devices' own exits.</param>
/// <param name="Median">Latency in seconds; <paramref name="Late"/>: the 95th percentile.</param>
/// <param name="Bytes">All that a device sends over its radio, an inference.</param>
public sealed record GateRun(string Name, double Before, double Since, double Together, double Fallback, double Median, double Late, double Missed, long Lost, double Bytes, string Hash)
{
    private const string Site = "lab";
    private const string Edge = "edge-1";

    public static readonly Seconds Length = new(300);
    public static readonly Hertz Rate = new(4);
    public static readonly Seconds Gather = new(0.1);
    public static readonly Seconds Deadline = new(0.5);

    private static readonly GroupSpec Gate = new() { Name = "gate", Board = "pi-zero-2w", Rate = Rate, Edge = Edge, Gather = Gather };
    private static readonly int[][] Crashes = [[], [1], [2], [3], [4], [5], [6], [3, 4], [1, 2, 3], [1, 2, 3, 4, 5]];

    public static IReadOnlyList<GateRun> All(Stock stock, long seed, Action<double> progress) => [.. Crashes.Select((views, i) =>
    {
        var run = Of(stock, seed, views);
        progress((i + 1.0) / Crashes.Length);
        return run;
    })];

    private static GateRun Of(Stock stock, long seed, int[] crashed)
    {
        var run = ScenarioRun.Execute(Scenario(crashed), seed, stock);
        run.CheckBooks();
        var (result, bins) = (run.Result(), run.Sum().Bins);
        var half = bins.Count / 2;
        return new GateRun(crashed.Length == 0 ? "nobody" : string.Join(", ", crashed.Select(Gate.DeviceOf)), Accuracy([.. bins.Take(half)]), Accuracy([.. bins.Skip(half)]), result.Figures.OffloadRatio ?? 0, result.Figures.FallbackRatio ?? 0,
            result.Figures.LatencyP50?.Value ?? 0, result.Figures.LatencyP95?.Value ?? 0, result.Figures.DeadlineMissedRatio ?? 0, result.Figures.Lost, result.Figures.BytesPerInference?.Value ?? 0, result.TraceHash);
    }

    private static double Accuracy(List<SiteBin> bins) => bins.Sum(bin => (double)bin.Correct) / bins.Sum(bin => (double)bin.Labelled);

    private static Scenario Scenario(int[] crashed) => new()
    {
        Name = "ddnn-gate",
        Duration = Length,
        Inference = InferenceKind.Onnx,
        Sites = [new SiteSpec { Name = Site, Devices = [], Edges = [new EdgeSpec { Id = Edge, Profile = "n5105-mini-pc" }], Groups = [Gate] }],
        Control = new ControlSpec { Deadline = Deadline },
        FaultList = [.. crashed.Select(view => new FaultSpec { Kind = FaultKind.DeviceCrash, Site = Site, Target = Gate.DeviceOf(view), At = Length / 2, For = Length / 2 })],
    };
}
