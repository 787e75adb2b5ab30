namespace Fleet.Controller.Planning;

/// <summary>Plans to begin a <see cref="Repair"/> with that need no prices.</summary>
internal static class Starts
{
    /// <summary>Everybody without an edge server.</summary>
    public static int[] Alone(Candidates candidates)
    {
        var alone = new int[candidates.Devices];
        for (var device = 0; device < alone.Length; device++) alone[device] = CheapestAlone(candidates, device) is >= 0 and var j ? j : candidates.Of(device).Start;
        return alone;
    }

    /// <summary>
    /// As `greedy` fills edge servers: who gains most from a second of one chooses first, each the cheapest that still has room. Where one device is a large part
    /// of a site this is sometimes lucky.
    /// </summary>
    public static int[] FirstFit(Candidates candidates)
    {
        var (chosen, wishes, left) = (new int[candidates.Devices], new (double Gain, int Device)[candidates.Devices], candidates.Capacity.ToArray());
        for (var device = 0; device < wishes.Length; device++) wishes[device] = (GainPerUse(candidates, device), device);
        Array.Sort(wishes, (a, b) => a.Gain != b.Gain ? b.Gain.CompareTo(a.Gain) : a.Device.CompareTo(b.Device));
        foreach (var (_, device) in wishes)
        {
            var (from, end) = candidates.Of(device);
            var (best, any) = (-1, from);
            for (var j = from; j < end; j++)
            {
                if (candidates.Cost[j] < candidates.Cost[any]) any = j;
                if ((best < 0 || candidates.Cost[j] < candidates.Cost[best]) && Fits(device, j)) best = j;
            }
            chosen[device] = best >= 0 ? best : any;
            for (var resource = 0; resource < left.Length; resource++) left[resource] -= candidates.Taken(resource, device, chosen[device]);
        }
        return chosen;

        bool Fits(int device, int j)
        {
            if (candidates.IsEdgesOnly) return candidates.Edge[j] == candidates.Edges || candidates.Use[j] <= left[candidates.Edge[j]];
            for (var resource = 0; resource < left.Length; resource++)
                if (candidates.Taken(resource, device, j) is > 0 and var taken && taken > left[resource]) return false;
            return true;
        }
    }

    /// <summary>What a device's cheapest candidate saves for each second of an edge server; infinite when it needs none.</summary>
    private static double GainPerUse(Candidates candidates, int device)
    {
        var (from, end) = candidates.Of(device);
        var best = from;
        for (var j = from; j < end; j++)
            if (candidates.Cost[j] < candidates.Cost[best]) best = j;
        return CheapestAlone(candidates, device) is >= 0 and var alone && candidates.Use[best] > 0 ? (candidates.Cost[alone] - candidates.Cost[best]) / (double)candidates.Use[best] : double.PositiveInfinity;
    }

    /// <summary>-1: the device cannot do without an edge server.</summary>
    private static int CheapestAlone(Candidates candidates, int device)
    {
        var (from, end) = candidates.Of(device);
        var alone = -1;
        for (var j = from; j < end; j++)
            if (candidates.Edge[j] == candidates.Edges && (alone < 0 || candidates.Cost[j] < candidates.Cost[alone])) alone = j;
        return alone;
    }
}
