using Fleet.Controller;
using Fleet.Controller.Placement;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>INFIDA's learner as nodes that talk over a bus in virtual time: <see cref="InfidaNode"/> on each node, one slot a step.</summary>
public sealed class DistributedInfida : ILearner
{
    /// <summary>Longer than any message takes: each step waits for those of the one before.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(1);

    private readonly SimClock clock = new();
    private readonly MessageBooks books = new();
    private readonly List<InfidaNode> nodes = [];
    private readonly double[] held;
    private long slot;

    /// <param name="throughWire">Whether every message is put through its encoding.</param>
    public DistributedInfida(Idn idn, AscentOptions options, bool throughWire = false)
    {
        Idn = idn;
        held = idn.Minimal();
        var bus = new SimBus(clock, new EventHash(), books, throughWire);
        for (var node = 0; node < idn.Nodes; node++) nodes.Add(new InfidaNode(bus.Connect($"node-{node}"), "idn", idn, node, options));
        Gather();
    }

    public Idn Idn { get; }

    public ReadOnlySpan<double> Fractional => held;

    /// <summary>Control messages so far.</summary>
    public long Messages => books.DueTotal;

    public void Learn(Batch batch)
    {
        slot++;
        After(node => node.Announce(slot, batch.Count));
        After(node => node.Probe());
        After(node => node.Step());
        Gather();
    }

    private void After(Action<InfidaNode> step)
    {
        clock.Soon(() => nodes.ForEach(step));
        clock.Run(TimeSpan.FromTicks(clock.GetTimestamp()) + Settling);
    }

    private void Gather()
    {
        for (var node = 0; node < Idn.Nodes; node++)
        {
            var free = Idn.FreeOf(node);
            var parts = nodes[node].Parts;
            for (var i = 0; i < free.Length; i++) held[node * Idn.Pieces + free[i]] = parts[i];
        }
    }
}
