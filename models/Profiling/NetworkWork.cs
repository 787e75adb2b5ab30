using Fleet.Contracts;

namespace Fleet.Models.Profiling;

/// <summary>What a run is charged for. Profiles know all but the last two, which stand in for work that no kernel kind counts.</summary>
public enum Charge
{
    FirstConv,
    Conv,
    Pointwise,
    Depthwise,
    Dense,
    OutputElement,
    Layer,

    /// <summary>
    /// A multiply-accumulate of a convolution in narrow groups, of 2 to 15 channels. A group of 16 and more is a convolution like any other (stacks run it
    /// with the same kernels), and is counted by its kind: left out of the fits, this takes a third off the errors of the networks that have such groups.
    /// </summary>
    Grouped,

    /// <summary>An element written by pooling, addition, activation, concatenation or shuffling.</summary>
    OtherElement,
}

/// <summary>Work of one run of a network, counted layer by layer.</summary>
/// <param name="Kernels">MACs by kernel kind, elements written, layers.</param>
/// <param name="GroupedMacs">Not among the MACs of <paramref name="Kernels"/>.</param>
/// <param name="OtherElements">Not among the elements of <paramref name="Kernels"/>.</param>
public sealed record NetworkWork(KernelWork Kernels, double GroupedMacs = 0, double OtherElements = 0)
{
    /// <summary>Whether all kernels agree; what passes elements on is counted differently from file to file.</summary>
    public bool IsSameAs(NetworkWork other) => Kernels == other.Kernels && GroupedMacs == other.GroupedMacs;

    public double this[Charge charge] => charge switch
    {
        Charge.FirstConv => Kernels.FirstConv.Value,
        Charge.Conv => Kernels.Conv.Value,
        Charge.Pointwise => Kernels.Pointwise.Value,
        Charge.Depthwise => Kernels.Depthwise.Value,
        Charge.Dense => Kernels.Dense.Value,
        Charge.OutputElement => Kernels.OutputElements,
        Charge.Layer => Kernels.Layers,
        Charge.Grouped => GroupedMacs,
        _ => OtherElements,
    };
}

/// <summary>A network by its name, which rows of several boards share.</summary>
public sealed record Network(string Name, NetworkWork Work)
{
    /// <summary>The share of its MACs that its files compute in int8, 0..1; null for a network without files, which is whatever its rows are.</summary>
    public double? Int8Share { get; init; }

    /// <summary>What most of its MACs are computed in; null as above.</summary>
    public Precision? Precision => Int8Share is { } share ? share >= 0.5 ? Contracts.Precision.Int8 : Contracts.Precision.Float32 : null;
}

/// <summary>A network's time on some board.</summary>
public sealed record KnownTime(Network Network, Seconds Time);

/// <summary>Seconds for each thing charged; or, as a shape, only their ratios.</summary>
public sealed class Rates(IEnumerable<double> seconds)
{
    public static readonly IReadOnlyList<Charge> Charges = Enum.GetValues<Charge>();

    private readonly double[] seconds = [.. seconds];

    public double this[Charge charge] => seconds[(int)charge];

    public static Rates operator *(Rates rates, double factor) => new(rates.seconds.Select(rate => rate * factor));

    public static Rates operator +(Rates a, Rates b) => new(a.seconds.Zip(b.seconds, (x, y) => x + y));

    public Seconds Time(NetworkWork work) => new(Charges.Sum(charge => this[charge] * work[charge]));
}
