namespace Fleet.Controller.Planning;

/// <summary>An edge server that a device can reach, and the time there and back.</summary>
public readonly record struct EdgeLink(short Edge, float RoundTrip);

/// <summary>What one device's runs cost it, to be multiplied with <see cref="OptionColumns"/>; filled anew for each device. Seconds and joules.</summary>
public sealed class DeviceTerms(OptionColumns columns)
{
    /// <summary>Inputs a second; 0 loads nobody.</summary>
    public float Rate { get; set; }

    /// <summary>How much the device counts in the objective: its rate, or a little when that is 0 or unknown.</summary>
    public float Weight { get; set; }

    /// <summary>Of one run of stage 1...</summary>
    public float[] StageTime { get; } = new float[columns.Stages];

    public float[] StageEnergy { get; } = new float[columns.Stages];

    /// <summary>Of one crossing, without the way there and back.</summary>
    public float[] CrossTime { get; } = new float[columns.Crossings.Count];

    public float[] CrossEnergy { get; } = new float[columns.Crossings.Count];

    /// <summary>What of a crossing keeps the processor from the next input.</summary>
    public float[] EncodeTime { get; } = new float[columns.Crossings.Count];

    /// <summary>How long one crossing keeps the air busy.</summary>
    public float[] AirTime { get; } = new float[columns.Crossings.Count];

    /// <summary>What one crossing puts on the network, headers included.</summary>
    public float[] CrossBytes { get; } = new float[columns.Crossings.Count];

    /// <summary>Whether the files and activations of each block fit.</summary>
    public bool[] Fits { get; } = new bool[columns.Blocks.Count];

    /// <summary>Joules that an inference may take in the mean.</summary>
    public float EnergyMax { get; set; } = float.PositiveInfinity;

    /// <summary>What taking up each block costs, in the objective's seconds an inference.</summary>
    public float[] SwitchCost { get; } = new float[columns.Blocks.Count];

    /// <summary>The option in force, whose switch is free; -1: none is.</summary>
    public int IncumbentOption { get; set; } = -1;

    public short IncumbentEdge { get; set; }

    /// <summary>The edge servers in reach.</summary>
    public EdgeLink[] Links { get; set; } = [];
}

/// <summary>What edge servers offer every device: seconds a frame for each tail (NaN: not held, or nobody knows), and the wait before it.</summary>
/// <param name="Served">[edges x tails].</param>
/// <param name="Queue">[edges].</param>
public sealed record EdgeTerms(float[] Served, float[] Queue)
{
    public int Count => Queue.Length;

    public float Of(int edge, int tail) => Served[edge * (Served.Length / Queue.Length) + tail];
}
