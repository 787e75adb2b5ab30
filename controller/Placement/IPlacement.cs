namespace Fleet.Controller.Placement;

/// <summary>Decides what is held where, slot after slot.</summary>
public interface IPlacement
{
    /// <summary>As tables call it.</summary>
    string Name { get; }

    /// <summary>x of the coming slot: 0 or 1 for each holding, 1 for what is pinned.</summary>
    ReadOnlySpan<double> Held { get; }

    /// <summary>The slot is over: what was asked for.</summary>
    void Learn(Batch batch);
}

/// <summary>A placement that was decided once and does not change.</summary>
public sealed class FixedPlacement(string name, double[] held) : IPlacement
{
    public string Name => name;

    public ReadOnlySpan<double> Held => held;

    public void Learn(Batch batch)
    {
    }
}
