using Fleet.Contracts;

namespace Fleet.Models.Offloading;

/// <summary>What happens to an input behind an exit.</summary>
public enum Next
{
    /// <summary>The exit answers.</summary>
    Answer,

    /// <summary>The next stage here, or where there is none the next server.</summary>
    GoOn,

    /// <summary>The next server at once, although a stage is left here.</summary>
    Send,
}

/// <summary>What the ways on cost now, in seconds at their prices.</summary>
/// <param name="Stages">One run of stage 1..; what it draws counts at its price.</param>
/// <param name="Send">The way to the next server, its queue, its computing, and the energy of sending.</param>
/// <param name="Answered">Share of what is sent that comes back answered; the rest falls back on what is here.</param>
public readonly record struct WayPrices(double[] Stages, double Send, double Answered);

/// <summary>
/// Stop or go on after each exit by what both are worth, worked out from the last level back to the first: our construction under the name of dynamic
/// hierarchical offloading (Seifeddine, Adjih and Achir, PEMWN 2021, whose text was not available).
/// <code>
/// stop_k(p) = w (1 - p)
/// send_k(p) = c_send + w (1 - s r_k(p) - (1 - s) p)
/// next_k(p) = c_{k+1} + E[ C_{k+1}(p') | p ]
/// C_k(p)    = min of the three
/// </code>
/// w is the price of a wrong answer, p the exit's calibrated confidence, r_k the share that is finished rightly elsewhere, s the share of what is sent that is answered.
/// A server between device and cloud runs the same rule on its own exits: each level knows the moving averages of its own way on, and those of the way's end hold all that is
/// behind it. Work an input is constant; <see cref="Solve"/> is called when costs have moved.
/// </summary>
public sealed class Hierarchical
{
    private readonly Outlook outlook;
    private readonly double errorPrice;
    private readonly int first, deepest, cut;
    private readonly double[][] goingOn;
    private readonly double[] least = new double[ConfidenceScale.Bins];
    private WayPrices prices;

    /// <param name="errorPrice">Seconds.</param>
    /// <param name="first">Exit 1 on a device; on a server the first one behind the cut at which the work came.</param>
    /// <param name="deepest">Exit held.</param>
    /// <param name="cut">From the exit of this number on what is sent is there; 0: from the begin.</param>
    /// <exception cref="FaultsException">The outlook knows fewer exits.</exception>
    public Hierarchical(Outlook outlook, double errorPrice, int first, int deepest, int cut)
    {
        if (deepest > outlook.Exits) throw new FaultsException("outlook", $"knows {outlook.Exits} exits; {deepest} are held");
        (this.outlook, this.errorPrice, this.first, this.deepest, this.cut) = (outlook, errorPrice, first, deepest, cut);
        goingOn = [.. Enumerable.Range(0, deepest + 1).Select(_ => new double[ConfidenceScale.Bins])];
    }

    /// <summary>Whether the input is best sent before anything has run.</summary>
    public bool SendsFirst { get; private set; }

    /// <summary>Works out what going on is worth at these prices.</summary>
    public void Solve(in WayPrices now)
    {
        prices = now;
        for (var exit = deepest; exit >= first; exit--)
        {
            if (exit < deepest) Expect(exit, now.Stages[exit]);
            for (var bin = 0; bin < least.Length; bin++)
            {
                var p = ConfidenceScale.Centre(bin);
                var best = Math.Min(Stop(p), Send(exit, p));
                least[bin] = exit < deepest ? Math.Min(best, goingOn[exit][bin]) : best;
            }
        }
        if (first > 1 || cut > 0) return;
        var run = now.Stages[0];
        var begin = outlook.Next(0, 0);
        for (var bin = 0; bin < least.Length; bin++) run += begin[bin] * least[bin];
        // What is not answered runs here after all.
        SendsFirst = now.Send + now.Answered * errorPrice * (1 - outlook.Right(0)[0]) + (1 - now.Answered) * run < run;
    }

    /// <param name="confidence">Calibrated, of an exit that is held.</param>
    public Next After(int exit, double confidence)
    {
        var (stop, send) = (Stop(confidence), Send(exit, confidence));
        var next = exit < deepest ? ConfidenceScale.Interpolate(goingOn[exit], confidence) : double.PositiveInfinity;
        return stop <= Math.Min(send, next) ? Next.Answer : exit == deepest || next <= send ? Next.GoOn : Next.Send;
    }

    private double Stop(double p) => errorPrice * (1 - p);

    private double Send(int exit, double p) => exit < cut ? double.PositiveInfinity
        : prices.Send + errorPrice * (1 - prices.Answered * ConfidenceScale.Interpolate(outlook.Right(exit), p) - (1 - prices.Answered) * p);

    /// <summary>From the least costs behind the next exit.</summary>
    private void Expect(int exit, double stagePrice)
    {
        for (var bin = 0; bin < ConfidenceScale.Bins; bin++)
        {
            var row = outlook.Next(exit, bin);
            var sum = stagePrice;
            for (var to = 0; to < row.Length; to++) sum += row[to] * least[to];
            goingOn[exit][bin] = sum;
        }
    }
}
