using System.Numerics.Tensors;
using Fleet.Contracts;
using Fleet.Emulator.Simulation;
using Fleet.Models;

namespace Fleet.Emulator.Experiments.Deciding;

/// <summary>One recorded input before a decision.</summary>
/// <param name="Confidence">Calibrated, of the first exit.</param>
/// <param name="Own">Its answer.</param>
/// <param name="Behind">The answer of the network behind the first cut, which stands for the truth as in the papers.</param>
/// <param name="Alarm">Probability that the exit gives all alarm classes together.</param>
public readonly record struct RecordedInput(double Confidence, int Own, int Behind, double Alarm)
{
    public bool Agrees => Own == Behind;
}

/// <summary>Inputs drawn from a recorded trace, as often as wanted: independent, each as probable as the other.</summary>
public sealed class RecordedStream
{
    private readonly RecordedInput[] inputs;

    public RecordedStream(ModelFiles model, Trace trace, Models.Offloading.AlarmCosts alarms)
    {
        var (route, temperature) = (new Route(1, FeatureCodec.Int8), model.Card.Exit(1).Temperature);
        var (own, behind) = (new float[trace.Classes], new float[trace.Classes]);
        inputs = new RecordedInput[trace.Samples];
        for (var sample = 0; sample < inputs.Length; sample++)
        {
            TensorPrimitives.ConvertToSingle(trace.ExitLogits(1, sample), own);
            TensorPrimitives.ConvertToSingle(trace.RouteLogits(route, sample), behind);
            var confidence = Confidence.MaxProbability(own, temperature, out var label);
            inputs[sample] = new RecordedInput(confidence, label, Confidence.ArgMax(behind), alarms.HasAlarms ? alarms.Score(own, temperature) : confidence);
        }
    }

    public IReadOnlyList<RecordedInput> All => inputs;

    public RecordedInput Next(SeededRandom random) => inputs[(int)(random.NextDouble() * inputs.Length)];
}
