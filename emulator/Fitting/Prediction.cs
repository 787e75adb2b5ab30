using Fleet.Contracts;
using Fleet.Models.Profiling;

namespace Fleet.Emulator.Fitting;

/// <summary>A predicted run.</summary>
/// <param name="Energy">Null when nobody published the board's power.</param>
/// <param name="Note">How it was predicted, from whom, and what had to be chosen.</param>
public sealed record Prediction(Seconds Latency, Joules? Energy, string Note);

/// <summary>Predicts any network on any measured board and stack, and on boards nobody measured when one benchmark is known.</summary>
/// <param name="profiles">Their power stands in where no energy was measured.</param>
public sealed class Predictor(MeasuredTables tables, IReadOnlyDictionary<string, HardwareProfile> profiles)
{
    private readonly Dictionary<string, Donor> donors = tables.Systems.ToDictionary(system => system.Id, system => new Donor(system));

    /// <param name="found">The board and the stack.</param>
    /// <param name="asked">The network.</param>
    /// <param name="calibration">The only times of this board that may be used; null to use all that are known.</param>
    /// <returns>Null when neither rows nor clocks give a scale.</returns>
    public Prediction? Predict(FoundSystem found, Network asked, IReadOnlyList<KnownTime>? calibration)
    {
        var (system, target) = (found.System, found.Target);
        asked = tables.NamedAs(asked, target.World);
        if (Measured(system, asked, calibration) is { } row) return new Prediction(row.Latency, row.Energy ?? Energy(system, target, row.Latency), Join("measured on this board and stack", found.Remark, row.Energy is null ? PowerNote(system, target) : "energy measured"));
        var known = calibration ?? system?.Times ?? [];
        var others = donors.Values.Where(donor => donor.Id != system?.Id && donor.Target.World == target.World);
        if (StackTransfer.Predict(target, asked, known, others) is not { } transferred) return null;
        var how = calibration is { Count: > 0 }
            ? $"stack transfer, calibrated with {string.Join(", ", calibration.Select(time => time.Network.Name))}"
            : known.Count > 0 ? $"rates fitted to this system's {known.Count} rows" : transferred.IsByClock ? "stack transfer by clock, not calibrated"
            : "stack transfer by what both boards took with other stacks, not calibrated";
        var whom = transferred.Donor.Length == 0 ? "; no donor: ratios between kernel kinds" : FormattableString.Invariant($"; donor {transferred.Donor} ({transferred.Share:P0})");
        return new Prediction(transferred.Time, Energy(system, target, transferred.Time), Join(how + whom, found.Remark, PowerNote(system, target)));
    }

    private static MeasuredRow? Measured(MeasuredSystem? system, Network asked, IReadOnlyList<KnownTime>? calibration) => calibration is null ? system?.Row(asked) : null;

    private ActivePower? Power(MeasuredSystem? system, Target target) => ActivePower.Of(tables, system, target) ?? ActivePower.Of(profiles.Values, tables, system, target);

    private Joules? Energy(MeasuredSystem? system, Target target, Seconds time) => Power(system, target)?.Power * time;

    private string PowerNote(MeasuredSystem? system, Target target) => Power(system, target)?.Note ?? "no power published";

    private static string Join(params string[] parts) => string.Join("; ", parts.Where(part => part.Length > 0));
}
