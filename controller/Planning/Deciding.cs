using System.Text.Json;
using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>What a device is told so that it can decide for itself, input by input, in the objective's own prices.</summary>
/// <param name="Kind">Who decides.</param>
/// <param name="Weights">Of the objective.</param>
/// <param name="Audits">Share of inputs answered by the device that are sent all the same.</param>
public sealed record DecisionTerms(DecisionKind Kind, Weights Weights, double Audits)
{
    /// <summary>As policies and the protocol call it.</summary>
    public static string NameOf(DecisionKind kind) => JsonSerializer.SerializeToElement(kind, Json.Wire).GetString()!;

    /// <summary>The assignment with all that its decider needs; the same where nothing crosses.</summary>
    public Assignment Told(Assignment assignment, Option option, OptionTable table)
    {
        if (option.Route is not { } route) return assignment;
        var prospect = table.Prospect(option.Head, route);
        var isWorkedOut = Kind is DecisionKind.Hierarchical;
        return assignment with
        {
            Decision = Kind,
            // Who learns sees where it and the tail differ: that is an error less often than not. Who works it out knows errors themselves.
            ErrorPrice = Quantity.Rounded(new Seconds(Weights.ErrorWeight * (isWorkedOut ? 1 : prospect.ErrorsADisagreement))),
            JoulePrice = Weights.JouleWeight,
            Outlook = isWorkedOut ? prospect.Outlook : null,
            AuditRatio = Kind is DecisionKind.H2t2 ? 0 : Audits,
        };
    }

    /// <summary>The assignment of an edge server that passes on what its own exits leave in doubt, after the last stage but one; the same where a network has no exit between.</summary>
    public TailAssignment Told(TailAssignment assignment, string cloud, OptionTable table)
    {
        var (cut, model) = (table.Model.Files.Card.StageCount - 1, table.Model);
        var route = new Route(cut, FeatureCodec.Int8);
        if (cut < 2 || !table.Knows(route)) return assignment;
        return assignment with
        {
            PassTo = cloud,
            PassCut = cut,
            Thresholds = new PerExit(Enumerable.Repeat(OptionTable.DefaultThreshold, cut)),
            Temperatures = model.Temperatures(cut),
            Decision = DecisionKind.Hierarchical,
            ErrorPrice = Quantity.Rounded(new Seconds(Weights.ErrorWeight)),
            Outlook = table.Prospect(cut, route).Outlook,
        };
    }

    /// <summary>
    /// The assignment of a device that goes on by its thresholds, and learns while no controller is there: at its deepest exit, below a threshold by which at most
    /// twice its planned share of inputs goes on, and a tenth of all more. Nobody else then minds what its edge server can take.
    /// </summary>
    public Assignment WhenAlone(Assignment assignment, Option option, OptionTable table)
    {
        if (option.Route is null || option.SendsAll || assignment.Decision is not null) return assignment;
        var most = table.ThresholdOf(option.Head, Math.Min(1, 2 * option.OffloadShare + 0.1));
        return Told(assignment, option, table) with
        {
            Decision = null,
            Alone = Kind,
            AuditRatio = assignment.AuditRatio,
            ThresholdsMost = new PerExit(Enumerable.Range(1, option.Head).Select(exit => exit == option.Head ? most : option.Thresholds.Of(exit))),
        };
    }
}

/// <summary>
/// Any policy's plan, carried out by devices that decide for themselves which inputs stop: the policy chooses head, route and edge server, its thresholds stand
/// where nobody decides. What it expects of them is the policy's own estimate.
/// </summary>
/// <param name="name">As it was asked for.</param>
/// <param name="inner">Plans.</param>
public sealed class Deciding(string name, IPlanner inner, CostModel costs, DecisionKind kind, double audits) : IPlanner
{
    public const string Audits = "audit_ratio";

    /// <summary>K: two in a hundred answers of its own are checked.</summary>
    public const double DefaultAudits = 0.02;

    private readonly DecisionTerms? terms = costs.Weights.ErrorWeight > 0 ? new DecisionTerms(kind, costs.Weights, audits) : null;

    public string Name => name;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random)
    {
        // A cloud behind edge servers is theirs to ask.
        var isTiered = kind is DecisionKind.Hierarchical && fleet.LiveEdges.Any(edge => edge.IsCloud) && fleet.LiveEdges.Any(edge => !edge.IsCloud);
        var (plan, state) = inner.Plan(isTiered ? fleet with { Edges = [.. fleet.Edges.Where(edge => !edge.IsCloud)] } : fleet, last, random);
        var choices = ChoiceTable.Of(plan.Choices.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Option.Route is null ? pair.Value : pair.Value with { Decision = terms })));
        return (plan with { Choices = choices, Tiers = isTiered ? terms : null }, state with { Last = choices });
    }
}
