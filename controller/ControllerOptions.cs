using Fleet.Contracts;
using Fleet.Controller.Energy;
using Fleet.Controller.Quality;
using Fleet.Controller.Tails;

namespace Fleet.Controller;

/// <summary>How a site is steered.</summary>
public sealed record ControllerOptions
{
    /// <summary>By which a controller knows its own plans from those of another that steers the same site; null: it has none.</summary>
    public string? Name { get; init; }

    /// <summary>How long a device waits for an edge server.</summary>
    public Seconds Deadline { get; init; } = new(0.5);

    /// <summary>How often devices, edge servers and the summary report.</summary>
    public Seconds ReportPeriod { get; init; } = new(5);

    /// <summary>Of it, in seconds.</summary>
    public static Bounds ReportPeriodBounds { get; } = new(0.1, 86_400);

    /// <summary>So long a device need not say again what it can spare when that has not changed; null: it says so with each report.</summary>
    public Seconds? BudgetPeriod { get; init; }

    /// <summary>Pause between looks at the fleet; a plan is made only when something has changed.</summary>
    public Seconds PlanPeriod { get; init; } = new(1);

    /// <summary>Of it, in seconds.</summary>
    public static Bounds PlanPeriodBounds { get; } = new(0.1, 3600);

    /// <summary>What all sites on one loop share of its time; null: they plan whenever they want.</summary>
    public PlanningShare? PlanningShare { get; init; }

    /// <summary>Time in which retained messages come in after a start, before anything is decided.</summary>
    public Seconds Settle { get; init; } = new(1);

    /// <summary>Devices and edge servers that are not planned but work together.</summary>
    public IReadOnlyList<ViewGroup> Groups { get; init; } = [];

    /// <summary>Servers that stand behind the others, far away. Where devices decide hierarchically, edge servers pass on to them what their own exits leave in doubt.</summary>
    public IReadOnlyList<string> Clouds { get; init; } = [];

    /// <summary>How much farther away they are than the others, there and back, as far as somebody knows.</summary>
    public Seconds CloudDistance { get; init; }

    /// <summary>Of that distance, in seconds.</summary>
    public static Bounds CloudDistanceBounds { get; } = new(0, 60);

    /// <summary>Which tails servers hold that have not memory for all.</summary>
    public PlacementOptions Placement { get; init; } = new();

    /// <summary>Who decides on devices while no controller is there; null: their thresholds, as ever.</summary>
    public DecisionKind? Alone { get; init; }

    /// <summary>Prices by which devices decide while no controller is there.</summary>
    public Planning.Weights Weights { get; init; } = new();

    /// <summary>Name of the point of a front that the weights are of; empty: they are of none.</summary>
    public string Objective { get; init; } = "";

    /// <summary>Assignments that may change in a minute, first ones and those whose edge server is gone aside; null: as many as plans change.</summary>
    public double? ChangesPerMinute { get; init; }

    /// <summary>Keeps devices on batteries alive; null: energy over time is no concern.</summary>
    public EnergyOptions? Energy { get; init; }

    /// <summary>Watches how good answers are; null: nobody audits.</summary>
    public QualityOptions? Quality { get; init; }

    /// <summary>Where devices and edge servers fetch model files over HTTP; empty when they have them.</summary>
    public string ArtifactsUrl { get; init; } = "";
}
