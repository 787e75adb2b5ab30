using Fleet.Contracts;
using Fleet.Controller.Planning;

namespace Fleet.Controller;

/// <summary>What a plan comes to for a whole site, added up in one pass in the order of ids.</summary>
internal sealed class PlanSum
{
    private readonly double[] heads;

    private PlanSum(int stages) => heads = new double[stages];

    /// <summary>For which something was chosen.</summary>
    public int Devices { get; private set; }

    public double Accuracy { get; private set; }

    public double Offload { get; private set; }

    public double Latency { get; private set; }

    public double Energy { get; private set; }

    /// <summary>Devices whose every input leaves before any stage has run.</summary>
    public int SendAll { get; private set; }

    /// <summary>Others, by the depth of their heads from 1.</summary>
    public IReadOnlyList<double> Heads => heads;

    /// <summary>Share of its time that the busiest edge server is planned to compute; null when there is none.</summary>
    public double? EdgeBusy { get; private set; }

    public static PlanSum Of(Plan plan, FleetSnapshot fleet, int stages)
    {
        var sum = new PlanSum(stages);
        var edges = fleet.LiveEdges.ToArray();
        var work = new double[edges.Length];
        // Devices and choices stand in the same order.
        using var devices = fleet.Devices.GetEnumerator();
        foreach (var (id, choice) in plan.Choices)
        {
            while (devices.MoveNext() && devices.Current.Id != id)
            {
            }
            sum.Add(choice);
            if (choice.Edge is not null && Find(edges, choice.Edge) is >= 0 and var edge) work[edge] += (devices.Current.Budget?.RequestRate.Value ?? 0) * choice.Estimate.EdgeTime.Value;
        }
        if (edges.Length > 0) sum.EdgeBusy = work.Zip(edges, (busy, edge) => busy / CostModel.Capacity(edge)).Max();
        return sum;
    }

    private static int Find(EdgeView[] edges, string id)
    {
        for (var i = 0; i < edges.Length; i++)
            if (edges[i].Id == id) return i;
        return -1;
    }

    /// <summary>Rounded as reports are; null when nothing was chosen for anybody.</summary>
    public double? Mean(double total) => Devices == 0 ? null : Quantity.Rounded(total / Devices);

    private void Add(Choice choice)
    {
        Devices++;
        Accuracy += choice.Estimate.Accuracy;
        Offload += choice.Estimate.Offload;
        Latency += choice.Estimate.Latency.Value;
        Energy += choice.Estimate.Energy.Value;
        if (choice.Option.SendsAll) SendAll++;
        else if (choice.Option.Head <= heads.Length) heads[choice.Option.Head - 1]++;
    }
}
