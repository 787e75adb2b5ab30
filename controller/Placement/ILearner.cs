namespace Fleet.Controller.Placement;

/// <summary>Learns fractional allocations of an inference delivery network from one batch after the other, without knowing what comes.</summary>
public interface ILearner
{
    Idn Idn { get; }

    /// <summary>y: how much of each holding; 1 for what is pinned. Sizes times parts sum to each node's budget.</summary>
    ReadOnlySpan<double> Fractional { get; }

    /// <summary>Sees what has been asked for, and moves.</summary>
    void Learn(Batch batch);
}
