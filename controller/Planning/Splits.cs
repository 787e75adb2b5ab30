using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>
/// The ways to split a network that policies without confidence choose from: where it is cut, or the exit at which it ends on the device.
/// An exit that is not meant to answer has a threshold that nothing reaches.
/// </summary>
internal sealed class Splits
{
    public Splits(OptionTable options)
    {
        var card = options.Model.Files.Card;
        EndingAt = [.. Enumerable.Range(1, card.StageCount).Select(exit => options.Count(exit, Only(exit), route: null))];
        Cut = [.. options.All.Where(option => option.Route is { Bottleneck: 0 }).Select(option => (option.Head, Route: option.Route!.Value)).Distinct()
            .Where(way => way.Route.Cut == way.Head || way.Route.Cut == 0 && way.Head == 1)
            .Select(way => options.Count(way.Head, Enumerable.Repeat(OptionTable.Never, way.Head).ToArray(), way.Route))];
    }

    /// <summary>The network that ends at exit 1.. on the device: all its inputs are answered there.</summary>
    public IReadOnlyList<Option> EndingAt { get; }

    /// <summary>The whole network, cut at 0.. and finished by an edge server: all inputs cross.</summary>
    public IReadOnlyList<Option> Cut { get; }

    /// <summary>The whole network, wherever it runs.</summary>
    public IEnumerable<Option> Whole => Cut.Append(EndingAt[^1]);

    /// <summary>All ways of some options over all edge servers that are possible for a device.</summary>
    public static IEnumerable<Choice> Ways(IEnumerable<Option> options, CostModel costs, DeviceView device, IReadOnlyList<EdgeView> edges) =>
        from option in options
        from edge in option.Route is null ? [null] : edges.Cast<EdgeView?>()
        let choice = Choices.Try(costs, option, device, edge, "")
        where choice is not null
        select choice;

    private static double[] Only(int exit) => [.. Enumerable.Repeat(OptionTable.Never, exit - 1), 0];
}
