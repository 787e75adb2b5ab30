using Fleet.Contracts;
using Fleet.Onnx;

namespace Fleet.Training;

/// <summary>An eight-bit copy of a piece, and how its ranges were chosen: "min-max" or the percentile kept, in percent.</summary>
public sealed record QuantisedPiece(string Ranges, ModelProto Model);

/// <summary>
/// The eight-bit copies of an fp32 piece that are worth comparing: wide ranges clip nothing, narrow ones resolve more finely. Which
/// is best, and whether it beats fp32, only accuracy and time on the spot can say, on images that are neither trained on nor tested with.
/// </summary>
public static class QuantisedPieces
{
    /// <summary>In the order of preference among equals: the one that clips least first.</summary>
    private static readonly double[] Percentiles = [0.9999, 0.999];

    /// <param name="file">The fp32 ONNX file.</param>
    /// <param name="inputs">Calibration inputs: [row, element], flattened, a few hundred rows.</param>
    /// <param name="shape">The shape of a row.</param>
    /// <exception cref="FaultsException">The file cannot be read, quantised or run.</exception>
    public static IReadOnlyList<QuantisedPiece> Candidates(string file, ReadOnlySpan<float> inputs, IReadOnlyList<int> shape)
    {
        ModelProto model;
        try
        {
            model = OnnxFile.Read(file);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new FaultsException(file, e.Message);
        }
        var ranges = ActivationRanges.Observe(model, inputs, shape);
        return
        [
            new QuantisedPiece("min-max", Quantiser.Quantise(model, ranges.MinMax())),
            .. Percentiles.Select(ratio => new QuantisedPiece($"{ratio * 100:0.##} %", Quantiser.Quantise(model, ranges.Percentile(ratio)))),
        ];
    }
}
