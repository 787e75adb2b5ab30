namespace Fleet.Models.Deciding;

/// <summary>Devices of a fleet that run a model alike.</summary>
/// <param name="Requests">Inferences they start, in any unit common to the fleet, such as requests per second.</param>
/// <param name="Head">Stages they hold, 1..N.</param>
/// <param name="Offloads">Whether what no exit of the head takes goes on to the last exit; else the deepest exit held answers.</param>
/// <param name="Thresholds">One for each exit 1..head; that of the deepest is not asked when nothing is sent.</param>
public sealed record FleetShare(double Requests, int Head, bool Offloads, IReadOnlyList<double> Thresholds);

/// <summary>
/// How often each exit answers in a fleet, and what its training loss should weigh for that. Source: Kaplan et al., "Federated learning
/// for collaborative inference systems: the case of early exit networks", arXiv 2405.04249: an exit's loss weighs as much as it serves.
/// </summary>
public static class ServingRates
{
    /// <summary>Share of all answers that exit 1..N gives; they sum to 1.</summary>
    /// <exception cref="ArgumentException">A head the model has not, thresholds that do not fit it, or a fleet that asks nothing.</exception>
    public static double[] Of(Cascade cascade, IReadOnlyList<FleetShare> fleet)
    {
        var rates = new double[cascade.Exits];
        var requests = Requests(fleet);
        foreach (var share in fleet)
        {
            var shares = cascade.Evaluate(Thresholds(cascade, share)).ExitShares;
            for (var exit = 0; exit < rates.Length; exit++) rates[exit] += share.Requests / requests * shares[exit];
        }
        return rates;
    }

    /// <summary>Accuracy of all answers in the fleet, by whichever exit.</summary>
    /// <inheritdoc cref="Of"/>
    public static double Accuracy(Cascade cascade, IReadOnlyList<FleetShare> fleet)
    {
        var requests = Requests(fleet);
        return fleet.Sum(share => share.Requests / requests * cascade.Evaluate(Thresholds(cascade, share)).Accuracy);
    }

    /// <summary>
    /// Loss weights of mean 1: N (rate + floor) / (1 + N floor). A floor above 0 keeps an exit alive that the fleet does not use today, and
    /// the trunk below it supervised.
    /// </summary>
    public static double[] LossWeights(IReadOnlyList<double> rates, double floor = 0)
    {
        var sum = rates.Sum() + rates.Count * floor;
        return [.. rates.Select(rate => rates.Count * (rate + floor) / sum)];
    }

    private static double Requests(IReadOnlyList<FleetShare> fleet)
    {
        var requests = fleet.Sum(share => share.Requests);
        return requests > 0 && fleet.All(share => share.Requests >= 0)
            ? requests
            : throw new ArgumentException("requests must not be negative, nor all of them 0", nameof(fleet));
    }

    /// <summary>Thresholds of the whole cascade that make it answer as the device does.</summary>
    private static double[] Thresholds(Cascade cascade, FleetShare share)
    {
        if (share.Head < 1 || share.Head > cascade.Exits) throw new ArgumentException($"a head of {share.Head} stages; the model has 1..{cascade.Exits}", nameof(share));
        if (share.Thresholds.Count != share.Head) throw new ArgumentException($"{share.Thresholds.Count} thresholds for a head of {share.Head} stages; each exit held has one", nameof(share));
        var thresholds = Enumerable.Repeat(ExitRule.Never(cascade.Score).Threshold, cascade.Exits).ToArray();
        for (var exit = 0; exit < share.Head; exit++) thresholds[exit] = share.Thresholds[exit];
        if (!share.Offloads) thresholds[share.Head - 1] = ExitRule.Always(cascade.Score).Threshold;
        return thresholds[..^1];
    }
}
