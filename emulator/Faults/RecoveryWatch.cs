using Fleet.Contracts;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Faults;

/// <summary>A device that a fault had struck.</summary>
/// <param name="Kind">Of the fault.</param>
/// <param name="Ended">When it ended.</param>
/// <param name="After">How long after that the device was in service again; null when it was not before the run's end, or before its battery's.</param>
public sealed record Recovery(string Device, FaultKind Kind, Seconds Ended, Seconds? After);

/// <summary>
/// Watches devices come back: in service is one that is connected, is said to be ready by the broker, and reports without error that it runs what is
/// desired, while a controller runs that could want something else. A device under several faults is watched from the end of each: what the
/// others hold it back is in the time after those that ended before.
/// </summary>
public sealed class RecoveryWatch(SiteSpec site, SimClock clock, SimBus bus, IReadOnlyDictionary<string, Line> lines, SiteControl control)
{
    /// <summary>Pause between looks: the error of what is measured.</summary>
    private static readonly Seconds Look = new(0.1);

    private readonly List<Waiting> waiting = [];
    private readonly List<Recovery> recovered = [];
    private bool isLooking;

    /// <summary>In the order of the devices' return; those that were not back at the end come last.</summary>
    public IReadOnlyList<Recovery> Recoveries => [.. recovered, .. waiting.Select(one => new Recovery(one.Device.Id, one.Kind, one.Ended, After: null))];

    /// <summary>A fault is over.</summary>
    public void End(FaultKind kind, IEnumerable<EmulatedDevice> struck)
    {
        waiting.AddRange(struck.Select(device => new Waiting(device, kind, clock.Since(0))));
        if (isLooking) return;
        isLooking = true;
        clock.Start(Watch);
    }

    private async Task Watch()
    {
        while (waiting.Count > 0)
        {
            waiting.RemoveAll(one => one.Device.IsOut || HasReturned(one));
            await clock.Delay(Look);
        }
        isLooking = false;
    }

    /// <summary>Notes it, if so.</summary>
    private bool HasReturned(Waiting one)
    {
        if (!IsInService(one.Device)) return false;
        recovered.Add(new Recovery(one.Device.Id, one.Kind, one.Ended, clock.Since(0) - one.Ended));
        return true;
    }

    private bool IsInService(EmulatedDevice device) => !device.Battery.IsDown && lines[device.Id].IsUp && control.IsUp
        && Said(TopicKind.State, device) is State { Presence: Presence.Ready or Presence.Sleeping }
        && Said(TopicKind.Desired, device) is Assignment desired && Said(TopicKind.Reported, device) is Assignment { Error: "" } reported && reported.RunsAs(desired);

    private Message? Said(TopicKind kind, EmulatedDevice device) => bus.RetainedOn(new Topic(kind, site.Name, device.Id).Path);

    private sealed record Waiting(EmulatedDevice Device, FaultKind Kind, Seconds Ended);
}
