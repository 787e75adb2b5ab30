using Fleet.Contracts;
using Fleet.Models.Profiling;

namespace Fleet.Emulator.Fitting;

/// <summary>
/// Power while a network runs: the geometric mean of energy over latency. It hardly depends on the network (5 % on processors, 15 % on
/// accelerators), so a board that was measured on one network has it for all.
/// </summary>
public sealed record ActivePower(Watts Power, Evidence Confidence, string Source)
{
    /// <summary>Of the rise from idle to the stress of all cores, what the recipes of the Raspberry Pis take for one.</summary>
    private const double OneCoreShare = 0.40;

    /// <param name="tables">All systems: when this one's power was not measured, the same board with another stack is asked.</param>
    /// <param name="system">Null when nobody measured this board with this stack.</param>
    /// <param name="target">The board and its clock.</param>
    /// <param name="without">A network whose energy shall not be known.</param>
    /// <returns>Null when nobody published it.</returns>
    public static ActivePower? Of(MeasuredTables tables, MeasuredSystem? system, Target target, string? without = null)
    {
        if (system is not null && Mean(system, without) is { } own)
            return new ActivePower(own, Evidence.Computed, $"mean energy over latency of {string.Join(", ", Powers(system, without).Select(row => row.Network.Name))}");
        var others = tables.Systems
            .Where(other => other.Target.BoardKey == target.BoardKey && (target.Clock is null || other.Target.Clock == target.Clock))
            .Select(other => (other.Id, Power: Mean(other, without))).Where(other => other.Power is not null).OrderBy(other => other.Power!.Value.Value).ToList();
        if (others.Count == 0) return null;
        var (id, power) = others[others.Count / 2];
        return new ActivePower(power!.Value, Evidence.Computed, $"of the same board with another stack, {id}, the median of {others.Count}");
    }

    /// <summary>
    /// What a profile claims, with its tag: of this very system, or of a microcontroller's board with whatever stack; of a Raspberry Pi's with one busy core also
    /// what four draw. Null when there is no such profile.
    /// </summary>
    public static ActivePower? Of(IEnumerable<HardwareProfile> profiles, MeasuredTables tables, MeasuredSystem? system, Target target)
    {
        var known = profiles.ToList();
        bool IsOnBoard(HardwareProfile profile) => profile.Fit is { } fit && tables.System(fit.System).Target.BoardKey == target.BoardKey;
        bool IsOf(HardwareProfile profile) => profile.Fit is { } fit && fit.System == system?.Id || target.World == "microcontroller" && (IsOnBoard(profile) || SystemNames.Key(profile.Board) == target.BoardKey);
        if (known.FirstOrDefault(IsOf) is { } own) return new ActivePower(own.Power.Active.Value, own.Power.Active.Confidence, $"profile {own.Id}: {own.Power.Active.Source}");
        if (target.World != "ncnn" || target.IsGpu || known.FirstOrDefault(profile => IsOnBoard(profile) && profile is { Role: "device", Compute.Threads: 1 }) is not { } board) return null;
        var (active, idle) = (board.Power.Active, board.Power.Idle.Value);
        return tables.System(board.Fit!.System).Target.Version == target.Version
            ? new ActivePower(active.Value, active.Confidence, $"profile {board.Id}, another precision: {active.Source}")
            : new ActivePower(idle + (active.Value - idle) * (1 / OneCoreShare), active.Confidence, $"profile {board.Id}, all cores busy instead of one: {active.Source}");
    }

    /// <summary>As people read it; a power that nobody published bears its K.</summary>
    public string Note => $"power {ProfileText.Letter(Confidence)}: {Source}";

    private static Watts? Mean(MeasuredSystem system, string? without)
    {
        var powers = Powers(system, without).Select(row => Math.Log((row.Energy!.Value / row.Latency).Value)).ToList();
        return powers.Count == 0 ? null : new Watts(Math.Exp(powers.Average()));
    }

    private static IEnumerable<MeasuredRow> Powers(MeasuredSystem system, string? without) => system.Rows.Where(row => row.Energy is not null && row.Network.Name != without);
}
