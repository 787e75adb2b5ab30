using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Emulator.Tables;

/// <summary>A task with the models for it and what training measured besides.</summary>
/// <param name="Models">The main one first; may be empty when there are comparisons only.</param>
public sealed record ZooTask(string Name, IReadOnlyList<StudiedModel> Models, IReadOnlyList<Comparison> Comparisons)
{
    /// <summary>Every way of the task: of its models, and of its comparisons where they finish on a server.</summary>
    public IReadOnlyList<Way> Ways { get; } =
    [
        .. Way.Sorted([
            .. Models.SelectMany((model, i) => new ModelWays(model, i == 0 ? "" : model.Card.Name).All),
            .. Comparisons.SelectMany(comparison => comparison.Points.Select(point => Way.Of(comparison, point)).OfType<Way>()),
        ]),
    ];

    /// <summary>
    /// Tasks by name. Models of the same input and classes are of one task, called after the one of them that comparisons name, or else
    /// after the one with most parameters.
    /// </summary>
    public static IReadOnlyList<ZooTask> Of(IEnumerable<StudiedModel> models, IReadOnlyList<Comparison> comparisons)
    {
        var named = comparisons.Select(comparison => comparison.Task).ToHashSet();
        var ofModels = models
            .GroupBy(model => $"{string.Join('x', model.Card.Cuts[0].Shape)} {string.Join(',', model.Card.Classes)}")
            .Select(same => same.OrderByDescending(model => named.Contains(model.Card.Name)).ThenByDescending(model => model.Card.Parameters).ThenBy(model => model.Card.Name, StringComparer.Ordinal).ToList())
            .ToDictionary(same => same[0].Card.Name);
        return
        [
            .. ofModels.Keys.Union(named).Order(StringComparer.Ordinal)
                .Select(task => new ZooTask(task, ofModels.GetValueOrDefault(task) ?? [], [.. comparisons.Where(comparison => comparison.Task == task)])),
        ];
    }
}
