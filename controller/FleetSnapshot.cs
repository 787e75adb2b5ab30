using Fleet.Contracts;

namespace Fleet.Controller;

/// <summary>What is known of one device at one moment.</summary>
public sealed record DeviceView
{
    public required string Id { get; init; }

    public required bool IsOnline { get; init; }

    /// <summary>It sleeps between its inputs: waiting for an answer keeps it awake.</summary>
    public bool IsDutyCycled { get; init; }

    /// <summary>Stands in for what the device has not measured; null when its info names no profile we have.</summary>
    public HardwareProfile? Profile { get; init; }

    public Info? Info { get; init; }

    public Budget? Budget { get; init; }

    public Assignment? Desired { get; init; }

    public Assignment? Reported { get; init; }
}

/// <summary>What is known of one edge server at one moment.</summary>
public sealed record EdgeView
{
    public required string Id { get; init; }

    public required bool IsOnline { get; init; }

    /// <summary>It stands behind the others, far away: they may pass on to it.</summary>
    public bool IsCloud { get; init; }

    /// <summary>Time there and back beyond what it takes to the others; zero where nobody has said.</summary>
    public Seconds Distance { get; init; }

    public HardwareProfile? Profile { get; init; }

    public Info? Info { get; init; }

    /// <summary>Its process has begun anew and has not said yet that its tails are back; what it reported is of its last life.</summary>
    public bool IsStarting { get; init; }

    public EdgeLoad? Load { get; init; }

    public TailAssignment? Desired { get; init; }

    public TailAssignment? Reported { get; init; }
}

/// <summary>A site at one moment, ordered by id: all a planner may know.</summary>
public sealed record FleetSnapshot(string Site, IReadOnlyList<DeviceView> Devices, IReadOnlyList<EdgeView> Edges)
{
    public IEnumerable<EdgeView> OnlineEdges => Edges.Where(edge => edge.IsOnline);

    /// <summary>Edge servers that can finish something: online, with tails in place.</summary>
    public IEnumerable<EdgeView> LiveEdges => OnlineEdges.Where(edge => edge.Reported is not null && !edge.IsStarting);
}
