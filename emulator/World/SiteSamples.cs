using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>A site's running totals at one moment.</summary>
/// <param name="Energy">Of the devices.</param>
/// <param name="Messages">By kind, in the order of <see cref="MessageBooks.Kinds"/>.</param>
/// <param name="Batteries">How full they are now.</param>
/// <param name="Edges">In the order of the ledger.</param>
public sealed record SiteSample(EnergyFlows Energy, Joules Stored, Bytes Sent, long Skipped, IReadOnlyList<MessageCounts> Messages, Batteries Batteries, IReadOnlyList<EdgeCounts> Edges);

/// <summary>Looks at a site between two events and changes nothing by it.</summary>
public sealed class SiteSamples(Ledger ledger, IReadOnlyList<EmulatedDevice> devices)
{
    private readonly List<SiteSample> taken = [];

    public IReadOnlyList<SiteSample> Taken => taken;

    public void Take()
    {
        var (energy, stored, sent, skipped) = (new EnergyBooks(), Joules.Zero, Bytes.Zero, 0L);
        var charges = new ChargeCount();
        foreach (var device in devices)
        {
            var held = device.Battery.Peek(energy);
            stored += held;
            sent += device.BytesSent;
            skipped += device.Skipped;
            if (!device.Battery.IsMains) charges.Add(held / device.Battery.Capacity, device.Battery.IsDown);
        }
        taken.Add(new SiteSample(EnergyFlows.Of(energy), stored, sent, skipped, [.. MessageBooks.Kinds.Select(ledger.Messages.Of)], charges.Total(), [.. ledger.Edges.Select(edge => edge.Now())]));
    }
}
