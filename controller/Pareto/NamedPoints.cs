using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Controller.Pareto;

/// <summary>A point of a front that an operator can call by its name.</summary>
public sealed record NamedPoint(string Name, ParetoPoint Point)
{
    /// <summary>What a limit leaves to noise in reports: in accuracy, and as a share of energy and bytes.</summary>
    private const double AccuracySlack = 0.0005;
    private const double Slack = 0.01;

    /// <summary>What joules and errors weigh beside the latency that is least within the limits: so little that they decide among equals only.</summary>
    private const double Aside = 1e-3;

    /// <summary>What a controller must be told to keep to it: no more errors, energy and bytes than the point's, and the least latency within.</summary>
    public Objective Objective(ParetoFront front)
    {
        var (figures, ideal, nadir) = (Point.Figures, front.Ideal, front.Nadir);
        var latency = nadir.Latency.Value - ideal.Latency.Value;
        return new Objective
        {
            Name = Name,
            JouleWeight = Beside(latency, nadir.Energy.Value - ideal.Energy.Value),
            ErrorWeight = Beside(latency, nadir.Error - ideal.Error),
            AccuracyMin = Quantity.Rounded(Math.Max(0, 1 - figures.Error - AccuracySlack)),
            EnergyMax = Quantity.Rounded(figures.Energy * (1 + Slack)),
            SentMax = Quantity.Rounded(figures.Sent * (1 + Slack)),
            Accuracy = Quantity.Rounded(1 - figures.Error),
            Latency = Quantity.Rounded(figures.Latency),
            Energy = Quantity.Rounded(figures.Energy),
            Sent = Quantity.Rounded(figures.Sent),
        };
    }

    private static double Beside(double latency, double range) => range > 0 ? Quantity.Rounded(Aside * latency / range) : 0;

    /// <summary>The best in each figure, the knee, and some that lie far from all of these and from each other: p1, p2, ....</summary>
    /// <param name="most">Of all; fewer where the front has fewer.</param>
    public static IReadOnlyList<NamedPoint> Of(ParetoFront front, int most = 12)
    {
        if (front.Points.Count == 0) return [];
        var sorted = front.Sorted;
        var (ideal, nadir) = (front.Ideal, front.Nadir);
        var named = new List<NamedPoint>
        {
            new("accurate", sorted.MinBy(point => point.Figures.Error)!), new("fast", sorted.MinBy(point => point.Figures.Latency.Value)!), new("frugal", sorted.MinBy(point => point.Figures.Energy.Value)!),
            new("quiet", sorted.MinBy(point => point.Figures.Sent.Value)!), new("knee", front.Knee),
        };
        while (named.Count < most)
        {
            var next = sorted.MaxBy(point => named.Min(known => Apart(point, known.Point)))!;
            if (named.Min(known => Apart(next, known.Point)) <= 0) break;
            named.Add(new NamedPoint(string.Create(CultureInfo.InvariantCulture, $"p{named.Count - 4}"), next));
        }
        return named;

        double Apart(ParetoPoint a, ParetoPoint b) => Enumerable.Range(0, PlanFigures.Count).Sum(figure =>
        {
            var apart = (a.Figures[figure] - b.Figures[figure]) / Math.Max(1e-12, nadir[figure] - ideal[figure]);
            return apart * apart;
        });
    }
}
