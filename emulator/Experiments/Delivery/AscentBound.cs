using Fleet.Controller.Placement;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>
/// Rate and regret of mirror ascent with the map sum s y log y over T slots, from the network alone. With S all sizes of a node v, b its budget and G its steepest slope for a
/// megabyte, the standard analysis (A. Beck and M. Teboulle, 2003; S. Bubeck, "Convex optimization", 2015, section 4) gives from the even allocation
/// regret of v at most b ln(S / b) / rate + (e - 2) rate T b G^2 as long as rate G is 1 at most (exp(u) - 1 - u is at most (e - 2) u^2 there); the rate makes the sum over nodes least, so that it grows with the root of T.
/// </summary>
/// <param name="Rate">For <see cref="AscentOptions.Rate"/> unscaled, in megabytes for a millisecond and request.</param>
/// <param name="Regret">Milliseconds, summed over all requests of all slots.</param>
public readonly record struct AscentBound(double Rate, double Regret)
{
    /// <param name="idn">Its options are not split.</param>
    /// <param name="requests">Of a slot, at most, in the whole network.</param>
    /// <param name="slots">T; the rate must not be steep, which some ten slots ensure.</param>
    public static AscentBound Of(Idn idn, double requests, int slots)
    {
        var (spread, slope, steepest) = (0.0, 0.0, 0.0);
        for (var node = 0; node < idn.Nodes; node++)
        {
            var sizes = 0.0;
            foreach (var piece in idn.FreeOf(node)) sizes += idn.Size[piece];
            if (sizes <= idn.Budget[node]) continue;
            var most = Steepest(idn, node, requests);
            spread += idn.Budget[node] * Math.Log(sizes / idn.Budget[node]);
            slope += (Math.E - 2) * slots * idn.Budget[node] * most * most;
            steepest = Math.Max(steepest, most);
        }
        var rate = Math.Sqrt(spread / slope);
        if (!(rate * steepest <= 1)) throw new ArgumentOutOfRangeException(nameof(slots), slots, $"the bound needs a rate of at most {1 / steepest}, and it is {rate}: allowed are more slots");
        return new AscentBound(rate, 2 * Math.Sqrt(spread * slope));
    }

    /// <summary>Milliseconds a megabyte of a piece can save at most in a slot: all that it can serve, each request against what it costs in the repository.</summary>
    private static double Steepest(Idn idn, int node, double requests)
    {
        var most = 0.0;
        foreach (var piece in idn.FreeOf(node))
        {
            var holding = node * idn.Pieces + piece;
            var saved = 0.0;
            foreach (var type in idn.UsersOf(holding))
                for (var option = idn.Start[type]; option < idn.Start[type + 1]; option++)
                    if (idn.Head[option] == holding) saved = Math.Max(saved, idn.Cost[idn.Start[type + 1] - 1] - idn.Cost[option]);
            most = Math.Max(most, saved * Math.Min(idn.PerSlot[holding], requests) / idn.Size[piece]);
        }
        return most;
    }
}
