using Fleet.Contracts;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Faults;

/// <summary>What goes wrong on a site, fault by fault, and how soon its devices are back in service.</summary>
public sealed class SiteFaults(
    SiteSpec site, long seed, SimClock clock, Ledger ledger, SimBus bus, Disturbances disturbances,
    IReadOnlyList<EmulatedDevice> devices, IReadOnlyDictionary<string, Line> lines, SiteServers servers, SiteControl control)
{
    /// <summary>Within this time clients connect again after a fault, one after another.</summary>
    private static readonly Seconds ReconnectSpread = new(2);

    private readonly RecoveryWatch watch = new(site, clock, bus, lines, control);

    /// <summary>How soon devices were back in service after faults that struck them.</summary>
    public IReadOnlyList<Recovery> Recoveries => watch.Recoveries;

    /// <summary>Waits for a fault's time, lets it strike, and ends it.</summary>
    public async Task Suffer(FaultSpec fault)
    {
        await clock.Delay(fault.At);
        ledger.Hash.Event(clock.GetTimestamp(), fault.Kind.ToString(), 0, 0);
        // Whoever is dark already is not struck, and not waited for.
        var struck = devices.Where(device => !device.IsOut && (!fault.IsOfDevices || fault.Strikes(device.Id, device.Board, device.Group))).ToList();
        await Strike(fault, struck);
        if (fault.Kind is not FaultKind.DeviceCrash) watch.End(fault.Kind, struck);
    }

    private Task Strike(FaultSpec fault, List<EmulatedDevice> struck) => fault.Kind switch
    {
        FaultKind.EdgeCrash => CrashServer(fault),
        FaultKind.LinkLoss => LoseLinks(fault, struck),
        FaultKind.ReconnectStorm => Storm(fault, struck),
        FaultKind.BrokerRestart => RestartBroker(fault),
        FaultKind.ControllerRestart => RestartController(fault),
        FaultKind.Partition => Divide(fault, struck),
        FaultKind.ClockDrift => DriftClocks(fault, struck),
        FaultKind.BrownOut => BrownOut(fault, struck),
        FaultKind.SlowConsumer => SlowDown(fault),
        FaultKind.Duplicate => Duplicate(fault),
        FaultKind.Reorder => Reorder(fault),
        _ => Crash(struck),
    };

    private async Task CrashServer(FaultSpec fault)
    {
        servers.Crash(fault.Target!);
        await clock.Delay(fault.For);
        servers.Restart(fault.Target!);
    }

    private static Task Crash(List<EmulatedDevice> struck)
    {
        foreach (var device in struck) device.Crash();
        return Task.CompletedTask;
    }

    private async Task LoseLinks(FaultSpec fault, List<EmulatedDevice> struck)
    {
        var cut = struck.ConvertAll(device => lines[device.Id]);
        foreach (var line in cut) line.Lose();
        await clock.Delay(fault.For);
        await Reconnect(cut);
    }

    private async Task Storm(FaultSpec fault, List<EmulatedDevice> struck)
    {
        foreach (var device in struck) lines[device.Id].Lose();
        await clock.Delay(fault.For);
        foreach (var device in struck) lines[device.Id].Restore();
    }

    private async Task RestartBroker(FaultSpec fault)
    {
        var all = lines.Values.Concat(servers.Lines).Append(control.Line).ToList();
        foreach (var line in all) line.LoseBroker();
        if (fault.Retained is RetainedMemory.Lost) bus.ForgetRetained();
        await clock.Delay(fault.For);
        await Reconnect(all);
    }

    private async Task Reconnect(IReadOnlyList<Line> cut)
    {
        var random = new SeededRandom(seed, $"{site.Name}/reconnect");
        foreach (var line in cut)
        {
            await clock.Delay(ReconnectSpread / cut.Count * random.NextDouble());
            line.Restore();
        }
    }

    private async Task RestartController(FaultSpec fault)
    {
        control.Crash();
        await clock.Delay(fault.For);
        control.Start();
    }

    /// <summary>When the bridge is up again it subscribes anew, so that what is retained crosses it.</summary>
    private async Task Divide(FaultSpec fault, List<EmulatedDevice> struck)
    {
        var cut = disturbances.Divide(struck.Select(device => device.Id), ClientOf(fault.From!));
        await clock.Delay(fault.For);
        disturbances.Heal(cut);
        bus.RepeatRetained(cut.Divides);
    }

    private async Task DriftClocks(FaultSpec fault, List<EmulatedDevice> struck)
    {
        foreach (var device in struck) device.OwnClock!.Drift(fault.DriftInForce, fault.OffsetInForce);
        await clock.Delay(fault.For);
        foreach (var device in struck) device.OwnClock!.SetRight();
    }

    private async Task BrownOut(FaultSpec fault, List<EmulatedDevice> struck)
    {
        foreach (var device in struck) device.BrownOut(fault.BootInForce);
        await clock.Delay(fault.For);
        foreach (var device in struck) device.EndBrownOut();
    }

    private async Task SlowDown(FaultSpec fault)
    {
        disturbances.Slow(ClientOf(fault.Target!), fault.RateInForce, fault.QueueInForce);
        await clock.Delay(fault.For);
        disturbances.Hurry(ClientOf(fault.Target!));
    }

    private async Task Duplicate(FaultSpec fault)
    {
        disturbances.DuplicateRatio = fault.RatioInForce;
        await clock.Delay(fault.For);
        disturbances.DuplicateRatio = 0;
    }

    private async Task Reorder(FaultSpec fault)
    {
        (disturbances.ReorderRatio, disturbances.ReorderDelay) = (fault.RatioInForce, fault.DelayInForce);
        await clock.Delay(fault.For);
        disturbances.ReorderRatio = 0;
    }

    private static string ClientOf(string target) => target == FaultSpec.Controller ? target : SiteServers.ClientOf(target);
}
