using System.Runtime.CompilerServices;
using Fleet.Contracts;

namespace Fleet.DeviceAgent;

/// <summary>Latency of each stage held, and of the encoder behind them: an exponential mean that follows the board as it heats up or shares its processor.</summary>
public sealed class StageTimes
{
    private const double Weight = 0.1;

    // Of each stage, side by side with the rest.
    private Stages seconds;

    public void Add(int stage, Seconds time) =>
        seconds[stage - 1] = seconds[stage - 1] == 0 ? time.Value : seconds[stage - 1] + Weight * (time.Value - seconds[stage - 1]);

    public void AddEncoder(Seconds time) => Encoder = Encoder is { } mean ? mean + (time - mean) * Weight : time;

    /// <summary>Starts all means anew, as after a change of files.</summary>
    public void Clear()
    {
        seconds = default;
        Encoder = null;
    }

    /// <summary>Of the bottleneck's encoder; null when none has run.</summary>
    public Seconds? Encoder { get; private set; }

    public Seconds Of(int stage) => new(seconds[stage - 1]);

    public PerExit Seconds(int depth) => Times(depth, 1);

    public PerExit Energies(int depth, Watts power) => Times(depth, power.Value);

    private PerExit Times(int depth, double factor)
    {
        Span<double> rounded = stackalloc double[PerExit.Max];
        for (var stage = 0; stage < depth; stage++) rounded[stage] = Quantity.Rounded(seconds[stage] * factor);
        return new PerExit(rounded[..depth]);
    }

    [InlineArray(PerExit.Max)]
    private struct Stages
    {
        private double first;
    }
}
