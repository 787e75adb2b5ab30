using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <param name="Name">Of the early classifier.</param>
/// <param name="Work">Of the device, encoder and classifier.</param>
/// <param name="Learnt">Its answers to the training images: thresholds are quantiles of their confidences.</param>
/// <param name="Measured">Its answers to the images that are measured on.</param>
public sealed record EarlyOutcome(string Name, Macs Work, EarlyAnswers Learnt, EarlyAnswers Measured);

/// <summary>What a trained split comes to on a set of images.</summary>
/// <param name="Full">Through decoder and teacher's tail, latents crossing as fp32.</param>
/// <param name="FullInt8">The same as int8.</param>
/// <param name="Early">Each early classifier.</param>
/// <param name="Latent">Payload of an image that is offloaded.</param>
/// <param name="Encoder">Work of the device for an image that is offloaded.</param>
public sealed record SplitOutcomes(EarlyAnswers Full, EarlyAnswers FullInt8, IReadOnlyList<EarlyOutcome> Early, Bytes Latent, Macs Encoder)
{
    /// <summary>Shares of the images, surest first, over which early classifiers are compared at equal exit rate.</summary>
    public static readonly IReadOnlyList<double> ExitRates = [1, 0.75, 0.5, 0.25];

    /// <summary>Of the training confidences, at which thresholds are put.</summary>
    public static readonly IReadOnlyList<double> Quantiles = [0.1, 0.25, 0.5, 0.75, 0.9, 0.98];

    /// <summary>What trainings are chosen by: the mean of full accuracy and the better early classifier's (the authors' checkpoint metric).</summary>
    public double Score => (FullInt8.Accuracy + Early.Max(early => early.Measured.Accuracy)) / 2;

    /// <summary>A line for the log.</summary>
    public override string ToString() => Text($"full {Full.Accuracy:P2}  int8 {FullInt8.Accuracy:P2}") + string.Concat(Early.Select(early =>
        $"  {early.Name} {string.Join(' ', ExitRates.Select(rate => early.Measured.AccuracyOfSurest(rate).ToString("P2", CultureInfo.InvariantCulture)))}"));

    /// <summary>Rows of the table.</summary>
    /// <param name="name">Of the training.</param>
    public IEnumerable<ComparisonPoint> Points(string name)
    {
        yield return Point(name, "all offloaded, int8", FullInt8.Accuracy, early: 0, Encoder, Text($"{Full.Accuracy:P2} as fp32"));
        foreach (var early in Early)
        {
            foreach (var rate in ExitRates)
                yield return Point($"{name}, {early.Name}", Text($"surest {rate:P0}"), early.Measured.AccuracyOfSurest(rate), early: 1, early.Work, "accuracy of these early answers alone");
            foreach (var quantile in Quantiles)
            {
                var (share, accuracy) = early.Measured.Leaving(early.Learnt.Quantile(quantile), FullInt8.Right);
                yield return Point($"{name}, {early.Name}", Text($"threshold at quantile {quantile}"), accuracy, share, early.Work, Text($"{share:P1} answered early"));
            }
        }
    }

    private ComparisonPoint Point(string method, string variant, double accuracy, double early, Macs work, string note) => new()
    {
        Method = method,
        Variant = variant,
        Accuracy = accuracy,
        Wire = Quantity.Rounded(Latent * (1 - early)),
        Device = work,
        Note = note,
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
