namespace Fleet.Models.Deciding;

/// <summary>
/// An upper confidence bound on the mean of bounded losses by betting against each candidate mean. Source: Waudby-Smith and Ramdas,
/// "Estimating means of bounded random variables by betting", J. R. Stat. Soc. B 86(1), 2024; in this form Bates et al.,
/// "Distribution-free, risk-controlling prediction sets", J. ACM 68(6), 2021.
/// <code>
/// x_i in [0, 1];  m_i = (1/2 + sum_{j&lt;=i} x_j) / (1 + i);  v_i = (1/4 + sum_{j&lt;=i} (x_j - m_j)^2) / (1 + i);  v_0 = 1/4
/// nu_i = min(1, sqrt(2 ln(1/delta) / (n v_{i-1})));  K_i(mu) = prod_{j&lt;=i} (1 - nu_j (x_j - mu))
/// bound = inf { mu : max_i K_i(mu) > 1/delta }
/// </code>
/// Under mean mu the wealth K is a non-negative supermartingale from 1, so it ever exceeds 1/delta with probability at most delta (Ville).
/// nu_i is fixed before x_i is seen; the order of samples must not depend on the losses.
/// </summary>
public static class WaudbySmithRamdas
{
    private const double Tolerance = 1e-9;

    /// <summary>With probability at least 1 - delta the mean of what the losses were drawn from is at most this; never above <paramref name="largest"/>.</summary>
    /// <param name="losses">Independent draws in [0, <paramref name="largest"/>].</param>
    /// <exception cref="ArgumentException">A loss is outside, or delta is not in (0, 1).</exception>
    public static double UpperBound(ReadOnlySpan<double> losses, double delta, double largest = 1)
    {
        var bets = Bets(losses, delta, largest);
        var (low, high) = (0.0, 1.0);
        if (!Rejects(losses, bets, 1, delta, largest)) return largest;
        while (high - low > Tolerance)
        {
            var middle = (low + high) / 2;
            if (Rejects(losses, bets, middle, delta, largest)) high = middle;
            else low = middle;
        }
        return high * largest;
    }

    /// <summary>Whether the bound is at most <paramref name="epsilon"/>: one pass instead of a search.</summary>
    /// <inheritdoc cref="UpperBound" path="/param|/exception"/>
    public static bool Certifies(ReadOnlySpan<double> losses, double epsilon, double delta, double largest = 1) =>
        epsilon >= largest || Rejects(losses, Bets(losses, delta, largest), epsilon / largest, delta, largest);

    private static double[] Bets(ReadOnlySpan<double> losses, double delta, double largest)
    {
        if (delta is not (> 0 and < 1)) throw new ArgumentException($"delta is {delta}; it must be in (0, 1)", nameof(delta));
        var bets = new double[losses.Length];
        double sum = 0.5, squares = 0.25;
        for (var i = 0; i < bets.Length; i++)
        {
            var x = losses[i] / largest;
            if (x is not (>= 0 and <= 1)) throw new ArgumentException($"loss {losses[i]} of sample {i} is outside [0, {largest}]", nameof(losses));
            bets[i] = Math.Min(1, Math.Sqrt(2 * Math.Log(1 / delta) / (bets.Length * (squares / (i + 1)))));
            sum += x;
            var gap = x - sum / (i + 2);
            squares += gap * gap;
        }
        return bets;
    }

    /// <summary>Whether the wealth of who bets that the mean is below <paramref name="mean"/> (of losses scaled to [0, 1]) ever exceeds 1/delta.</summary>
    private static bool Rejects(ReadOnlySpan<double> losses, double[] bets, double mean, double delta, double largest)
    {
        double wealth = 0;
        for (var i = 0; i < bets.Length; i++)
        {
            wealth += Math.Log(1 - bets[i] * (losses[i] / largest - mean));
            if (wealth > -Math.Log(delta)) return true;
        }
        return false;
    }
}
