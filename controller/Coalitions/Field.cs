using Fleet.Contracts;

namespace Fleet.Controller.Coalitions;

/// <summary>Devices and gateways on a plain, and who hears whom.</summary>
public static class Field
{
    /// <summary>Transmit power of a device, dBm. D: EU868's limit, 14 dBm ERP.</summary>
    private const double Power = 14;

    /// <summary>The seats of a device: at each gateway that hears it even at the greatest spreading factor. A device that nobody hears has none.</summary>
    /// <param name="distances">To each gateway, in metres.</param>
    /// <param name="shadowing">What hills and houses add to each path loss, in decibels.</param>
    /// <param name="slower">Spreading factors above the least that reaches which a device may choose: slower, but perhaps with fewer beside it.</param>
    public static IReadOnlyList<Seat> SeatsOf(IReadOnlyList<double> distances, IReadOnlyList<double> shadowing, int slower = 2)
    {
        var seats = new List<Seat>();
        for (var gateway = 0; gateway < distances.Count; gateway++)
        {
            var power = Power - LoraLink.PathLoss(distances[gateway]) - shadowing[gateway];
            if (power < LoraLink.Sensitivity(AirTime.SpreadingMax)) continue;
            var least = LoraLink.SpreadingFor(power);
            for (var spreading = least; spreading <= Math.Min(least + slower, AirTime.SpreadingMax); spreading++) seats.Add(new Seat(gateway, spreading));
        }
        return seats;
    }
}
