using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Emulator.Experiments;

/// <summary>What only training can measure: the comparisons that it left beside the zoo, each with the command that writes it again. One that is not there yet is no error.</summary>
public sealed class Trained(IReadOnlyList<Comparison> comparisons)
{
    public static Trained Read() => new(Comparison.ReadAll(Path.Combine(ProjectFiles.Find("models/zoo"), "comparison")));

    /// <summary>By its name; null when training has not written it.</summary>
    public Comparison? Find(string name) => comparisons.FirstOrDefault(comparison => comparison.Name == name);

    /// <summary>The points of one method; none when the comparison is not there.</summary>
    public IReadOnlyList<ComparisonPoint> Points(string name, string method) => [.. Find(name)?.Points.Where(point => point.Method == method) ?? []];
}
