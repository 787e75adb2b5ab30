namespace Fleet.Models.Offloading;

/// <summary>
/// Learns how often an exit is right at each confidence from those inputs alone that somebody better has answered too, and goes on where
/// it may still be wrong too often. Chattopadhyay, Sutar, Champati and Moharir, "Low-regret and low-complexity learning for hierarchical
/// inference", arXiv 2508.08985; the form of the bound is read from its abstract and reconstructed.
/// <code>
/// LCB_i = f_i - sqrt(a ln t / n_i)                       HI-LCB-lite
/// LCB_i = max_{j &lt;= i} (f_j - sqrt(a ln t / n_j))        HI-LCB: whoever is surer is right no less often
/// go on iff 1 - LCB_i >= price;  learn only then, or by an audit
/// </code>
/// f_i is the mean of n_i agreements in bin i, t the inputs seen. Offloading too little is unlikely, offloading too much teaches: regret is of order
/// log t. Work an input is constant, nothing is allocated.
/// </summary>
/// <remarks>
/// In use two things are ours. The bound is Bernoulli's own: the least q with n kl(f, q) at most ln t (Garivier and Cappé, "The KL-UCB algorithm for
/// bounded stochastic bandits and beyond", COLT 2011), which near 1, where exits are, needs several times fewer inputs. And when agreement comes to differ from what was
/// learnt it forgets, see <see cref="ChangeWatch"/>.
/// </remarks>
/// <param name="isMonotone">HI-LCB; else HI-LCB-lite.</param>
/// <param name="isAsPublished">With the bound above, and without ever forgetting.</param>
public sealed class HiLcb(bool isMonotone, bool isAsPublished = false)
{
    /// <summary>a. Above 1/2, from where on confidence bounds of this form fail a finite number of times.</summary>
    private const double Width = 0.52;

    private readonly double[] agreed = new double[ConfidenceScale.Bins];
    private readonly double[] seen = new double[ConfidenceScale.Bins];
    private readonly ChangeWatch watch = new();
    private long inputs;

    /// <summary>How often it has begun anew.</summary>
    public int Changes { get; private set; }

    /// <summary>Agreements and inputs answered elsewhere too, in a bin.</summary>
    public (double Agreed, double Seen) Of(int bin) => (agreed[bin], seen[bin]);

    /// <summary>Whether the input goes on.</summary>
    /// <param name="price">Of going on, in wrong answers.</param>
    public bool GoesOn(double confidence, double price)
    {
        inputs++;
        var bin = ConfidenceScale.Bin(confidence);
        for (var at = isMonotone ? 0 : bin; at <= bin; at++)
            if (IsRightMoreOftenThan(1 - price, at)) return false;
        return true;
    }

    /// <summary>Somebody better has answered an input too.</summary>
    public void Learn(double confidence, bool agrees)
    {
        var bin = ConfidenceScale.Bin(confidence);
        if (!isAsPublished && watch.Sees(agrees, agreed[bin], seen[bin]))
        {
            Array.Clear(agreed);
            Array.Clear(seen);
            (inputs, Changes) = (1, Changes + 1);
        }
        seen[bin]++;
        if (agrees) agreed[bin]++;
    }

    /// <summary>Whether a bin's lower bound is above a share; where nothing is known it is 0.</summary>
    private bool IsRightMoreOftenThan(double share, int bin)
    {
        if (share < 0) return true;
        if (seen[bin] == 0) return false;
        var (mean, patience) = (agreed[bin] / seen[bin], Math.Log(Math.Max(1, inputs)));
        return mean > share && (isAsPublished ? mean - Math.Sqrt(Width * patience / seen[bin]) > share : seen[bin] * Divergence(mean, share) > patience);
    }

    /// <summary>kl(p, q) of two coins in nats.</summary>
    private static double Divergence(double p, double q) => Part(p, q) + Part(1 - p, 1 - q);

    private static double Part(double p, double q) => p == 0 ? 0 : p * Math.Log(p / q);
}
