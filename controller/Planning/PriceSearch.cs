namespace Fleet.Controller.Planning;

/// <summary>Prices and the bound they prove.</summary>
public sealed record PricedBound(double[] Prices, double Bound);

/// <summary>
/// Ascends the Lagrangian bound. First every price takes steps of its own that grow while its resource stays over (or under) its
/// capacity and halve when that turns (Rprop: Riedmiller and Braun, 1993); of many devices it looks at a sample more often than at all. What small sites still lack after that,
/// where demand jumps, subgradient steps towards the best plan known give (Held, Wolfe and Crowder, 1974).
/// </summary>
internal sealed class PriceSearch(Candidates candidates)
{
    /// <summary>Above so many devices prices are first found on a sample.</summary>
    private const int SampleMin = 40_000;

    private const int SampleSize = 20_000;

    /// <summary>How often all devices are looked at before the last time.</summary>
    private const int ColdLooks = 6;

    private const int WarmLooks = 2;

    /// <summary>Share of its capacity by which a resource may be over or under.</summary>
    private const double LookTolerance = 5e-4;
    private const double Grows = 1.3;
    private const double Shrinks = 0.5;
    private readonly Relaxation relaxation = new(candidates);
    private readonly double[] capacity = candidates.Capacity;

    // The prices that the relaxation stands at, if they are the best.
    private double[]? at;

    public Relaxation Relaxation => relaxation;

    public double[] Best { get; private set; } = new double[candidates.Capacity.Length];

    public double Bound { get; private set; } = double.NegativeInfinity;

    /// <summary>What devices choose at the best prices.</summary>
    public int[] Choice
    {
        get
        {
            if (at != Best) relaxation.At(Best);
            at = Best;
            return relaxation.Choice;
        }
    }

    /// <summary>Evaluates prices and remembers them when they are the best so far.</summary>
    public double Try(double[] prices)
    {
        var bound = relaxation.At(prices);
        at = null;
        if (bound > Bound) at = Best = [.. prices];
        Bound = Math.Max(Bound, bound);
        return bound;
    }

    /// <param name="warm">The last prices, where there are any.</param>
    public void Ascend(double[]? warm)
    {
        var prices = new double[capacity.Length];
        if (warm is null)
        {
            Try(prices);
            if (IsWithin()) return;
        }
        if (candidates.Devices < SampleMin)
        {
            if (warm is not null) Try(prices);
            if (IsWithin()) return;
            Steps(warm ?? prices, Scale(warm), rounds: warm is null ? 120 : 80, tolerance: 1e-4);
            return;
        }
        AscendSampled(warm);
    }

    /// <summary>
    /// Looks at all devices a few times only. In between a sample of them, whose capacities are such that at the prices just looked at it is as short of everything as all
    /// are, tells where prices go from there: what makes the sample unlike the whole is nearly the same at both prices and cancels.
    /// </summary>
    private void AscendSampled(double[]? warm)
    {
        var part = candidates.Sample(candidates.Devices / SampleSize);
        var share = part.Capacity.ToArray();
        var sample = new PriceSearch(part);
        var prices = warm ?? sample.Solved(new double[capacity.Length], warm: false, rounds: 100);
        for (var look = 0; look < (warm is null ? ColdLooks : WarmLooks); look++)
        {
            Try(prices);
            if (Enumerable.Range(0, capacity.Length).All(resource => Math.Abs(Slope(resource, prices)) <= LookTolerance)) return;
            sample.relaxation.At(prices);
            for (var resource = 0; resource < share.Length; resource++)
                part.Capacity[resource] = relaxation.Demand[resource] > 0 && sample.relaxation.Demand[resource] > 0 ? capacity[resource] * sample.relaxation.Demand[resource] / relaxation.Demand[resource] : share[resource];
            prices = sample.Solved(prices, warm: true, rounds: 25);
        }
        Try(prices);
    }

    /// <summary>The best prices found from some others on.</summary>
    private double[] Solved(double[] from, bool warm, int rounds)
    {
        (Bound, Best) = (double.NegativeInfinity, from);
        Try(from);
        Steps(from, Scale(warm ? from : null), rounds, tolerance: 1e-3);
        return [.. Best];
    }

    /// <summary>Subgradient steps towards a plan of this cost, Polyak's length, halved after ten without a better bound.</summary>
    /// <param name="improved">Told of every better bound, while its choices stand.</param>
    public void Polish(Func<double> target, int rounds, Action improved)
    {
        var (prices, factor, stale) = (Best.ToArray(), 1.0, 0);
        for (var round = 0; round < rounds && factor > 1e-3; round++)
        {
            var before = Bound;
            var bound = Try(prices);
            if (bound > before + 1e-7 * Math.Abs(before))
            {
                stale = 0;
                improved();
            }
            else if (++stale == 10)
            {
                (factor, stale, prices) = (factor / 2, 0, [.. Best]);
                bound = Try(prices);
            }
            var norm = 0.0;
            for (var resource = 0; resource < prices.Length; resource++) norm += Square(Slope(resource, prices));
            if (norm <= 0 || target() <= Bound) return;
            var length = factor * (target() - bound) / norm;
            for (var resource = 0; resource < prices.Length; resource++) prices[resource] = Math.Max(0, prices[resource] + length * Slope(resource, prices) / capacity[resource]);
        }
    }

    /// <summary>Of the bound by the price of a whole capacity; a resource that is free and not wanted does not count.</summary>
    private double Slope(int resource, double[] prices)
    {
        var slope = (relaxation.Demand[resource] - capacity[resource]) / capacity[resource];
        return prices[resource] == 0 && slope < 0 ? 0 : slope;
    }

    private static double Square(double value) => value * value;

    private bool IsWithin() => Enumerable.Range(0, capacity.Length).All(resource => relaxation.Demand[resource] <= capacity[resource]);

    /// <summary>First steps: a share of the old price, or of what an edge second gains where nothing is known.</summary>
    private double[] Scale(double[]? warm)
    {
        var gains = new double[capacity.Length];
        for (var device = 0; device < candidates.Devices; device++)
        {
            var (from, end) = candidates.Of(device);
            var best = candidates.Cost[relaxation.Choice[device]];
            var worst = best;
            for (var j = from; j < end; j++) worst = Math.Max(worst, candidates.Cost[j]);
            for (var resource = 0; resource < gains.Length; resource++)
                if (candidates.Taken(resource, device, relaxation.Choice[device]) > 0) gains[resource] += worst - best;
        }
        return [.. gains.Select((gain, resource) => Math.Max(warm is null ? 0 : warm[resource] * 0.05, relaxation.Demand[resource] > 0 ? (warm is null ? 0.25 : 0.02) * gain / relaxation.Demand[resource] : 0))];
    }

    private void Steps(double[] from, double[] first, int rounds, double tolerance)
    {
        var (prices, steps, last) = (from.ToArray(), first.ToArray(), new int[from.Length]);
        for (var round = 0; round < rounds; round++)
        {
            Try(prices);
            var isDone = true;
            for (var resource = 0; resource < prices.Length; resource++)
            {
                var slope = Slope(resource, prices);
                if (Math.Abs(slope) <= tolerance) continue;
                isDone = false;
                var sign = Math.Sign(slope);
                if (last[resource] != 0) steps[resource] *= sign == last[resource] ? Grows : Shrinks;
                last[resource] = sign;
                if (steps[resource] == 0) steps[resource] = Math.Max(prices.Max() * 0.01, 1e-9);
                prices[resource] = Math.Max(0, prices[resource] + sign * steps[resource]);
            }
            if (isDone) return;
        }
    }
}
