using System.Runtime.InteropServices;

namespace Fleet.Controller.Planning;

/// <summary>
/// The Lagrangian relaxation of <see cref="Candidates"/>: with a price on every limited resource each device chooses for itself, and
/// the sum of what they then pay, less the price of all there is, is a lower bound on every plan that keeps the limits. Held and Karp, "The traveling-salesman problem and
/// minimum spanning trees", 1971; Fisher, "The Lagrangian relaxation method for solving integer programming problems", 1981.
/// </summary>
public sealed class Relaxation
{
    private readonly Candidates candidates;
    private readonly double[] priced;

    public Relaxation(Candidates candidates)
    {
        this.candidates = candidates;
        Demand = new double[candidates.Capacity.Length];
        Choice = new int[candidates.Devices];
        priced = new double[candidates.Edges + 1];
    }

    /// <summary>Of each resource, at the prices last asked for.</summary>
    public double[] Demand { get; }

    /// <summary>The candidate each device chose.</summary>
    public int[] Choice { get; }

    /// <summary>The bound at these prices; demands and choices with it.</summary>
    public double At(ReadOnlySpan<double> prices)
    {
        var sum = candidates.IsEdgesOnly ? Edges(prices) : All(prices);
        for (var resource = 0; resource < prices.Length; resource++) sum -= prices[resource] * candidates.Capacity[resource];
        return sum;
    }

    private double Edges(ReadOnlySpan<double> prices)
    {
        prices.CopyTo(priced);
        priced[^1] = 0;
        var demand = new double[priced.Length];
        var (sum, cost, use, edge) = (0.0, candidates.Cost, candidates.Use, candidates.Edge);
        for (var device = 0; device < Choice.Length; device++)
        {
            var (j, end) = candidates.Of(device);
            var (best, at) = (double.PositiveInfinity, j);
            ref var price = ref MemoryMarshal.GetArrayDataReference(priced);
            for (; j < end; j++)
            {
                var value = cost[j] + System.Runtime.CompilerServices.Unsafe.Add(ref price, edge[j]) * use[j];
                if (!(value < best)) continue;
                (best, at) = (value, j);
            }
            sum += best;
            demand[edge[at]] += use[at];
            Choice[device] = at;
        }
        Array.Copy(demand, Demand, Demand.Length);
        return sum;
    }

    private double All(ReadOnlySpan<double> prices)
    {
        Array.Clear(Demand);
        var sum = 0.0;
        for (var device = 0; device < Choice.Length; device++)
        {
            var (from, end) = candidates.Of(device);
            var (best, at) = (double.PositiveInfinity, from);
            for (var j = from; j < end; j++)
            {
                var value = candidates.Priced(device, j, prices);
                if (value < best) (best, at) = (value, j);
            }
            sum += best;
            Choice[device] = at;
            for (var resource = 0; resource < Demand.Length; resource++) Demand[resource] += candidates.Taken(resource, device, at);
        }
        return sum;
    }
}
