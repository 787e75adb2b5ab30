using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Emulator.Commands;

/// <summary>
/// What was measured when a model was exported and each piece's precision was chosen. A zoo ships the chosen file of a piece only, so that nobody can
/// time the two side by side any more; the figures stand in the comparison NAME-int8 beside the models.
/// </summary>
internal static class PrecisionRecord
{
    /// <summary>By file; empty where the zoo holds no such comparison.</summary>
    /// <exception cref="FaultsException">The comparison is damaged.</exception>
    public static IReadOnlyDictionary<string, string> Of(ModelFiles model)
    {
        var path = Path.Combine(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(model.Directory)))!, "comparison", model.Card.Name + "-int8.json");
        if (!File.Exists(path)) return new Dictionary<string, string>();
        return Comparison.Read(path).Points.Where(point => point.Variant.StartsWith("int8", StringComparison.Ordinal) && point.Note.Length > 0)
            .GroupBy(point => point.Method).ToDictionary(file => file.Key, file => file.First().Note);
    }
}
