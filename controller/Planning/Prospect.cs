using Fleet.Models.Offloading;

namespace Fleet.Controller.Planning;

/// <summary>What going on behind the exits of a head promises, counted on the calibration trace.</summary>
/// <param name="Outlook">For who works out what stopping and going on are worth.</param>
/// <param name="ErrorsADisagreement">Answers set right, less those spoilt, for each input about which the deepest exit and the network behind the route differ: who learns sees disagreements only.</param>
public sealed record Prospect(string Outlook, double ErrorsADisagreement)
{
    /// <summary>Where going on sets nothing right it is as good as free of use; a learner needs some price all the same.</summary>
    private const double Least = 0.01;

    /// <param name="confidences">For exit 1 to the deepest held, one a sample.</param>
    /// <param name="own">Whether the deepest exit is right about a sample.</param>
    /// <param name="behind">Whether the network behind the route is.</param>
    /// <param name="differ">Whether their answers differ.</param>
    public static Prospect Of(IReadOnlyList<float[]> confidences, bool[] own, bool[] behind, bool[] differ)
    {
        var won = behind.Count(right => right) - own.Count(right => right);
        return new Prospect(Models.Offloading.Outlook.Of(confidences, behind).ToString(), Math.Max(Least, (double)won / Math.Max(1, differ.Count(differs => differs))));
    }
}
