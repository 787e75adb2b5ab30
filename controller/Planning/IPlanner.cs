using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>What one device gets, and why.</summary>
public sealed record Choice(Option Option, string? Edge, Estimate Estimate, string Reason)
{
    /// <summary>What a second is better for it than for what the device runs now, in the objective's seconds; 0 where a policy does not say.</summary>
    public double Gain { get; init; }

    /// <summary>Who decides on the device, input by input, in the thresholds' stead; null: they do.</summary>
    public DecisionTerms? Decision { get; init; }
}

/// <summary>A decision for a whole site. Devices for which nothing fits are absent: they keep what they run.</summary>
public sealed record Plan(ChoiceTable Choices)
{
    public static readonly Plan Empty = new([]);

    public Plan(IEnumerable<KeyValuePair<string, Choice>> choices) : this(ChoiceTable.Of(choices))
    {
    }

    /// <summary>How good it is; null where a policy proves nothing.</summary>
    public Proof? Proof { get; init; }

    /// <summary>By which edge servers, too, decide what stops at their exits, where a cloud stands behind them; null: they finish everything.</summary>
    public DecisionTerms? Tiers { get; init; }
}

/// <summary>What a plan costs a request in the mean, the price of switching included, and what no plan within the limits can go below. Seconds, see <see cref="Weights"/>.</summary>
/// <param name="Prices">Of a second of each edge server, in the objective's seconds; 0 where there is enough.</param>
public sealed record Proof(double Objective, double Bound, double Gap, IReadOnlyDictionary<string, double> Prices)
{
    public static Proof Of(SiteProblem problem, SolvedChoice solved, IReadOnlyDictionary<string, double> prices)
    {
        var requests = Math.Max(1e-9, problem.Devices.Sum(SiteProblem.WeightOf));
        return new Proof(solved.Cost / requests, solved.Bound / requests, solved.Gap, prices) { Missed = solved.IsFeasible ? [] : [.. MissedBy(problem.Candidates, solved.Choice, requests)] };
    }

    /// <summary>The limits of the site that the plan does not keep, in words; empty when it keeps all.</summary>
    public IReadOnlyList<string> Missed { get; init; } = [];

    private static IEnumerable<string> MissedBy(Candidates candidates, int[] choice, double requests)
    {
        foreach (var (limit, resource) in candidates.Limits)
        {
            var (most, taken) = (candidates.Capacity[resource] / requests, choice.Select((j, device) => candidates.Taken(resource, device, j)).Sum() / requests);
            if (taken <= most * (1 + 1e-6)) continue;
            yield return limit switch
            {
                SiteLimit.Errors => string.Create(CultureInfo.InvariantCulture, $"accuracy {100 * (1 - taken):0.####} % instead of {100 * (1 - most):0.####} %"),
                SiteLimit.Energy => string.Create(CultureInfo.InvariantCulture, $"energy {1e3 * taken:G4} mJ instead of {1e3 * most:G4} mJ"),
                _ => string.Create(CultureInfo.InvariantCulture, $"bytes {taken:G4} instead of {most:G4}"),
            };
        }
    }
}

/// <summary>What a planner remembers from one plan to the next: its last choices, and what it learned on the way to them.</summary>
public sealed record PlannerState(IReadOnlyDictionary<string, Choice> Last)
{
    public static readonly PlannerState Empty = new(new Dictionary<string, Choice>());

    /// <summary>Of each edge server's time.</summary>
    public IReadOnlyDictionary<string, double> Prices { get; init; } = new Dictionary<string, double>();

    /// <summary>Of each cell's air.</summary>
    public IReadOnlyDictionary<string, double> AirPrices { get; init; } = new Dictionary<string, double>();

    /// <summary>Of a megabyte of each edge server that cannot hold all it offers.</summary>
    public IReadOnlyDictionary<string, double> MemoryPrices { get; init; } = new Dictionary<string, double>();

    /// <summary>Of what the site's limits limit: an error, a joule, a byte sent, each where it is limited, on top of their weights.</summary>
    public IReadOnlyList<double> LimitPrices { get; init; } = [];

    /// <summary>What the last plan was made of, by policies that ask each device for itself.</summary>
    public Asked? Asked { get; init; }

    /// <summary>Of devices, by policies that average.</summary>
    public IReadOnlyDictionary<string, MovingAverages> Averages { get; init; } = new Dictionary<string, MovingAverages>();
}

/// <summary>Whom a policy asked last, and what it chose for them: whoever is still the same, before the same edge servers, need not be asked again.</summary>
/// <param name="Devices">In order of their ids.</param>
/// <param name="Edges">Those that could finish something.</param>
public record Asked(IPlanner By, DeviceView[] Devices, IReadOnlyList<EdgeView> Edges, ChoiceTable Choices)
{
    /// <summary>Whether a policy asked the same devices, whatever they say now, before these very edge servers.</summary>
    public bool IsOf(IPlanner planner, DeviceView[] devices, IReadOnlyList<EdgeView> edges)
    {
        if (By != planner || Devices.Length != devices.Length || !Edges.SequenceEqual(edges, ReferenceEqualityComparer.Instance)) return false;
        for (var place = 0; place < devices.Length; place++)
            if (Devices[place] != (object)devices[place] && Devices[place].Id != devices[place].Id) return false;
        return true;
    }
}

/// <summary>
/// A placement policy: a pure function, without clock, bus, log or hidden state. The result does not depend on the order of devices
/// in the snapshot.
/// </summary>
public interface IPlanner
{
    /// <summary>The name users say.</summary>
    string Name { get; }

    (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random);
}
