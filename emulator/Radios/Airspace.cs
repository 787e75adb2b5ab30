using Fleet.Emulator.Physics;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Radios;

/// <summary>Everything on the air of one site: each cell once, whoever asks first. All devices that name it contend there.</summary>
public sealed class Airspace(string site, long seed, RadioParts parts, TimeProvider clock)
{
    private readonly SortedDictionary<string, Medium> media = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, LoraGateway> gateways = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, Medium> Media => media;

    public IReadOnlyDictionary<string, LoraGateway> Gateways => gateways;

    /// <summary>A device's radio for one life.</summary>
    /// <param name="place">The same in every life: a device that reboots has not moved.</param>
    public Radio Radio(RadioSpec spec, Board board, SeededRandom place, SeededRandom random)
    {
        var part = parts.Find(spec.Part)!;
        return part.Kind switch
        {
            RadioKind.Cellular => new CellularRadio(spec, part, board, clock, random),
            RadioKind.Lorawan => new LoraRadio(spec.Lora!, part.Lora!, Gateway(spec.Cell), board, clock, place, random),
            var kind => new CellRadio(spec, part, Medium(kind, spec.Cell), board, clock, random),
        };
    }

    private LoraGateway Gateway(string cell) => gateways.TryGetValue(cell, out var gateway) ? gateway : gateways[cell] = new LoraGateway(clock);

    private Medium Medium(RadioKind kind, string cell)
    {
        if (media.TryGetValue(cell, out var known)) return known;
        var random = new SeededRandom(seed, $"{site}/_cell/{cell}");
        return media[cell] = kind switch
        {
            RadioKind.Wifi => new WifiCell(clock, random),
            RadioKind.Ieee802154 => new UnslottedCsma(clock, random),
            _ => new Line(clock),
        };
    }
}
