namespace Fleet.Models.Offloading;

/// <summary>
/// Learns two thresholds on a score at once: an input is kept below the lower or above the upper one and goes on between them. Moothedath, Agarwal,
/// Umeshraja, Gross, Champati and Moharir, "Inference offloading for cost-sensitive binary classification at the edge" (H2T2), arXiv 2509.15674; reconstructed
/// from its abstract: exponential weights over all pairs of a grid, and a share of inputs that goes on whatever the weights say, so that what keeping costs is learnt.
/// <code>
/// q_t = e_t + (1 - e_t) sum of weights of the pairs that send the score on;  go on with probability q_t
/// loss of a pair += price where it sends;  cost of keeping / q_t where it keeps and the better answer came
/// weight = exp(-h_t loss);   e_t = (ln K / t)^(1/3),  h_t = (ln K / t)^(2/3) of K pairs
/// </code>
/// Regret against the best pair is of order t^(2/3). Work an input is constant, nothing is allocated.
/// </summary>
public sealed class H2t2
{
    /// <summary>Of a score, between which thresholds lie.</summary>
    public const int Levels = 16;

    private const double ExploredMost = 0.5;

    /// <summary>K: as an audit share of 1 %, so that it never stops to learn.</summary>
    private const double ExploredLeast = 0.01;

    private static readonly (int Low, int High)[] Pairs = [.. Enumerable.Range(0, Levels + 1).SelectMany(low => Enumerable.Range(low, Levels + 1 - low).Select(high => (low, high)))];
    private readonly double[] losses = new double[Pairs.Length];
    private long inputs;

    /// <summary>The pair that has lost least, as scores.</summary>
    public (double Low, double High) Best
    {
        get
        {
            var (low, high) = Pairs[Array.IndexOf(losses, losses.Min())];
            return ((double)low / Levels, (double)high / Levels);
        }
    }

    /// <summary>Probability with which an input of this score is to go on; to be asked once an input, then <see cref="Learn"/>.</summary>
    public double Chance(double score)
    {
        inputs++;
        var (rate, least) = (Math.Pow(Math.Log(Pairs.Length) / inputs, 2.0 / 3), losses.Min());
        double all = 0, sending = 0;
        for (var i = 0; i < Pairs.Length; i++)
        {
            var weight = Math.Exp(-rate * (losses[i] - least));
            all += weight;
            if (Sends(Pairs[i], score)) sending += weight;
        }
        var explored = Math.Clamp(Math.Pow(Math.Log(Pairs.Length) / inputs, 1.0 / 3), ExploredLeast, ExploredMost);
        return explored + (1 - explored) * sending / all;
    }

    /// <param name="price">Of going on, over the dearest error.</param>
    /// <param name="kept">What keeping the input's own answer would have cost, over the dearest error; null when nobody told.</param>
    /// <param name="chance">With which this was told, see <see cref="Chance"/>.</param>
    public void Learn(double score, double price, double? kept, double chance)
    {
        var estimate = (kept ?? 0) / chance;
        for (var i = 0; i < Pairs.Length; i++) losses[i] += Sends(Pairs[i], score) ? price : estimate;
    }

    /// <summary>Whether the score's level, 0 to 15, lies from the lower to below the upper: a score of just 1 has the last one, or no pair would ever send it.</summary>
    /// <param name="pair">0 to <see cref="Levels"/> each.</param>
    /// <param name="score">0 to 1.</param>
    public static bool Sends((int Low, int High) pair, double score) => Math.Min((int)(score * Levels), Levels - 1) is var level && level >= pair.Low && level < pair.High;
}
