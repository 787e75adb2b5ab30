namespace Fleet.Emulator.Experiments;

/// <summary>How a figure of a report stands to the literature.</summary>
public enum Standing
{
    /// <summary>A figure that was read in the source, with ours for the same quantity beside it; data, networks and machines may differ, which the row says.</summary>
    Published,

    /// <summary>Built as the source has it; its own figure could not be had, or only second-hand, or is of something that cannot be built here.</summary>
    SameConstruction,

    /// <summary>Nothing like it is published there.</summary>
    OurOwn,
}

/// <summary>One row of "published beside ours".</summary>
/// <param name="Published">"" where there is none.</param>
/// <param name="Source">Paper and section or file, and how far the figure can be trusted.</param>
public sealed record Finding(Standing Standing, string What, string Published, string Ours, string Source)
{
    public string Mark => Standing switch
    {
        Standing.Published => "published",
        Standing.SameConstruction => "same construction",
        _ => "our own",
    };
}
