namespace Fleet.Controller.Placement;

/// <summary>Every node where requests enter helps itself: the most accurate variant that fits for what is asked most there, then for what is asked next.</summary>
public static class DeviceOnly
{
    public const string PolicyName = "device-only";

    /// <returns>0 or 1 for each holding.</returns>
    public static double[] Place(Batch mean)
    {
        var idn = mean.Idn;
        var held = idn.Minimal();
        var room = (double[])idn.Budget.Clone();
        foreach (var type in Enumerable.Range(0, idn.Types.Count).OrderByDescending(type => mean.Count[type]))
        {
            var (task, node) = (idn.Types[type].Task, idn.Types[type].Path[0]);
            var variants = idn.Catalogue.Ways.Where(way => way.Task == task && !way.IsSplit && idn.FreeOf(node).Contains(way.First)).OrderByDescending(way => way.Accuracy).ToList();
            if (variants.Any(way => held[node * idn.Pieces + way.First] == 1)) continue;
            if (variants.FirstOrDefault(way => idn.Size[way.First] <= room[node]) is not { } chosen) continue;
            held[node * idn.Pieces + chosen.First] = 1;
            room[node] -= idn.Size[chosen.First];
        }
        return held;
    }
}
