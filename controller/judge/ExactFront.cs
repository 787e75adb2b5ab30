using Fleet.Controller.Pareto;

namespace Fleet.Controller.Judge;

/// <summary>The front of a small site by looking at every plan there is.</summary>
public static class ExactFront
{
    /// <summary>More plans than this are refused.</summary>
    public const double PlansMax = 3e6;

    /// <exception cref="ArgumentException">The site has too many plans.</exception>
    public static ParetoFront Of(SiteWays ways)
    {
        var plans = ways.Ways.Aggregate(1.0, (product, device) => product * device.Count);
        if (plans > PlansMax) throw new ArgumentException($"{plans:0} plans; at most {PlansMax:0} are looked at", nameof(ways));
        var front = new ParetoFront();
        var choice = new int[ways.Devices.Count];
        do
        {
            if (ways.IsFeasible(choice)) front.Add(new ParetoPoint([.. choice], ways.Figures(choice)));
        }
        while (Next(ways, choice));
        return front;
    }

    /// <summary>Counts up, the first device fastest; false after the last plan.</summary>
    private static bool Next(SiteWays ways, int[] choice)
    {
        for (var device = 0; device < choice.Length; device++)
        {
            if (++choice[device] < ways.Ways[device].Count) return true;
            choice[device] = 0;
        }
        return false;
    }
}
