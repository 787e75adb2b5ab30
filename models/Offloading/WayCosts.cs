using Fleet.Contracts;

namespace Fleet.Models.Offloading;

/// <summary>
/// Moving averages of what going on to the next server takes: the way there and back with what crosses, the wait for it, its computing,
/// and how often an answer comes at all. Before the first one the way is what the radio's profile claims.
/// </summary>
/// <param name="claim">The way by the radio's claim.</param>
public sealed class WayCosts(Seconds claim)
{
    /// <summary>K: two thirds of a step in link or load are seen after five answers.</summary>
    private const double Weight = 0.2;

    private Seconds way = claim, queue, compute;
    private double answered = 1;
    private bool hasSeen;

    /// <summary>From sending to having the answer.</summary>
    public Seconds Time => way + queue + compute;

    public Seconds Way => way;

    public Seconds Queue => queue;

    /// <summary>
    /// What one more frame makes others wait: rate x dW/drate of an M/D/1 queue, W (1 + 2 W / s) of mean wait W and service s. With it each device decides as
    /// is best for all that share the server; without it they would crowd it until waiting eats all that going on is worth (Pigou, 1920).
    /// </summary>
    public Seconds OthersWait => compute > Seconds.Zero ? queue * (1 + 2 * (queue / compute)) : Seconds.Zero;

    /// <summary>Share of what was sent that was answered.</summary>
    public double AnsweredShare => answered;

    /// <summary>What it was last told.</summary>
    /// <param name="took">From sending to having the answer.</param>
    public void Answered(Seconds took, Seconds waited, Seconds computed)
    {
        var share = hasSeen ? Weight : 1;
        way += (Seconds.Max(Seconds.Zero, took - waited - computed) - way) * share;
        queue += (waited - queue) * share;
        compute += (computed - compute) * share;
        answered += (1 - answered) * Weight;
        hasSeen = true;
    }

    /// <summary>Refused, or its time ran out.</summary>
    /// <param name="took">Until that was known.</param>
    public void Failed(Seconds took)
    {
        if (took > Time) way += (took - Time) * Weight;
        answered -= answered * Weight;
    }

    /// <summary>Something longer or shorter crosses from now on.</summary>
    public void Shift(Seconds more) => way = Seconds.Max(Seconds.Zero, way + more);
}
