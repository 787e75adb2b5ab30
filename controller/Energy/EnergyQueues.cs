using Fleet.Contracts;
using Fleet.Controller.Planning;

namespace Fleet.Controller.Energy;

/// <summary>The virtual queues of a site: they bound what planners may let each device draw, and tell devices how far their charge may fall.</summary>
public sealed class EnergyQueues(EnergyOptions options)
{
    /// <summary>Relative change below which nobody is told anything new.</summary>
    private const double Meaningful = 0.15;
    private readonly SortedDictionary<string, Entry> entries = new(StringComparer.Ordinal);

    /// <summary>Grows when a plan would be bounded otherwise.</summary>
    public int Revision { get; private set; }

    /// <summary>Of all devices together.</summary>
    public Joules Backlog => entries.Values.Aggregate(Joules.Zero, (sum, entry) => sum + entry.Queue.Backlog);

    public void Hear(string device, Budget budget)
    {
        if (budget.Battery is null) return;
        if (!entries.TryGetValue(device, out var entry)) entries[device] = entry = new Entry(new EnergyQueue(options));
        entry.Queue.Hear(budget);
        if (entry.Queue.MayDraw(entry.Standing) is { } power && Differs(power.Value, entry.Bounded.Value, floor: 1e-5)) Revision++;
    }

    /// <summary>The fleet with its energy budgets: what the queues allow, in the stead of what a device reckons from one moment's light.</summary>
    public FleetSnapshot Bound(FleetSnapshot fleet) => fleet with { Devices = [.. fleet.Devices.Select(Bound)] };

    /// <summary>Tells a device how far its charge may fall under what is planned for it.</summary>
    public Assignment Apply(string device, Choice choice, Assignment assignment)
    {
        if (!entries.TryGetValue(device, out var entry)) return assignment;
        entry.Queue.Plan(choice.Estimate.Energy);
        if (entry.Queue.Band <= Joules.Zero) return assignment;
        if (Differs(entry.Queue.Reserve.Value, entry.Told.Reserve.Value, floor: 0) || Differs(entry.Queue.Band.Value, entry.Told.Band.Value, floor: 0))
            entry.Told = (Quantity.Rounded(entry.Queue.Reserve), Quantity.Rounded(entry.Queue.Band));
        return assignment with { ChargeReserve = entry.Told.Reserve, ChargeBand = entry.Told.Band };
    }

    private DeviceView Bound(DeviceView device)
    {
        if (device.Budget is not { } budget || device.Profile is not { } profile || !entries.TryGetValue(device.Id, out var entry)) return device;
        entry.Standing = device.IsDutyCycled && profile.Power.Sleep is { } sleep ? sleep.Value : profile.Power.Idle.Value;
        if (entry.Queue.MayDraw(entry.Standing) is not { } power) return device;
        entry.Bounded = power;
        return device with { Budget = budget with { EnergyBudget = Quantity.Rounded(power) } };
    }

    private static bool Differs(double now, double before, double floor) => Math.Abs(now - before) > Math.Max(floor, Meaningful * before);

    private sealed class Entry(EnergyQueue queue)
    {
        public EnergyQueue Queue { get; } = queue;

        public Watts Standing { get; set; }

        /// <summary>What the last plan was bounded by.</summary>
        public Watts Bounded { get; set; }

        public (Joules Reserve, Joules Band) Told { get; set; }
    }
}
