using Fleet.Contracts;
using Fleet.Models.Profiling;

namespace Fleet.Emulator.Fitting;

/// <summary>What another system says of a network: its measured time where it has one, else what its own rates say.</summary>
public sealed class Donor
{
    private readonly Dictionary<string, Seconds> measured;

    /// <param name="system">Its rows are what it knows.</param>
    /// <param name="hidden">Networks it shall not have measured; null for none.</param>
    public Donor(MeasuredSystem system, IReadOnlyCollection<string>? hidden = null)
    {
        Id = system.Id;
        Target = system.Target;
        var rows = system.Times.Where(row => hidden?.Contains(row.Network.Name) is not true).ToList();
        measured = rows.ToDictionary(row => row.Network.Name, row => row.Time);
        var shape = StackTransfer.Shape(Target);
        Rates = rows.Count == 0 ? shape : RateFit.Near(shape * RateFit.Scale(rows, network => shape.Time(network.Work).Value), rows, StackTransfer.Shrinkage(Target));
    }

    public string Id { get; }

    public Target Target { get; }

    public Rates Rates { get; }

    public bool IsEmpty => measured.Count == 0;

    /// <summary>What it has measured, by network.</summary>
    public IReadOnlyDictionary<string, Seconds> Times => measured;

    public bool Measured(Network network) => measured.ContainsKey(network.Name);

    public Seconds Time(Network network) => measured.TryGetValue(network.Name, out var time) ? time : Rates.Time(network.Work);
}

/// <summary>A predicted time and whose measurements it rests on most.</summary>
/// <param name="Donor">Id of the donor with the largest weight; empty when there is none.</param>
/// <param name="Share">Its part of all weights, 0..1.</param>
/// <param name="IsByClock">Whether a clock alone says how far apart the boards are.</param>
public sealed record Transferred(Seconds Time, string Donor, double Share, bool IsByClock);

/// <summary>
/// Carries rates from measured systems to a target. Each donor is scaled to the target's known times, and a little to its clock where the core is the same; without any, by what
/// both boards took with other software that was measured on both, or else by their clocks. Donors are averaged with weights
/// that fall with their distance (other stack, release, core), with the spread of their quotients to the known times, and with each
/// network they have not measured, above all the one asked about. What donors measured of a network beyond their rates (a quotient of theirs) is carried over with them.
/// The target's own times then correct the averaged rates as far as their number allows (<see cref="RateFit.Near"/>).
/// </summary>
/// <remarks>All constants were chosen by leaving out networks and boards; halving or doubling any one changes the mean error by a point at most.</remarks>
public static class StackTransfer
{
    private const double OtherStack = 6;
    private const double OtherVariant = 3;
    private const double OtherRelease = 2;
    private const double PerRelease = 1;
    private const double MostReleases = 3;
    private const double OtherCore = 2;

    /// <summary>For one unit of standard deviation of the logarithms of a donor's quotients.</summary>
    private const double PerSpread = 20;

    /// <summary>A donor that did not run the network asked about can only guess; one that did not run a known one is scaled by the others.</summary>
    private const double AskedNotMeasured = 3;
    private const double KnownNotMeasured = 0.5;

    /// <summary>Of the clocks of two microcontrollers with one core, against one known time.</summary>
    private const double ClockWeight = 0.5;

    /// <summary>Of the bare shape among donors: it decides where nobody is near.</summary>
    private const double ShapeWeight = 1e-4;

    public static Rates Shape(Target target) => target.World == "ncnn" ? RateFit.ApplicationProcessorShape : RateFit.MicrocontrollerShape;

    public static double Shrinkage(Target target) => target.World == "ncnn" ? RateFit.LargeNetworkShrinkage : RateFit.Shrinkage;

    /// <summary>How little one system says of another; 0 for the same stack on the same core.</summary>
    public static double Distance(Target target, Target donor)
    {
        var core = target.IsOfCore(donor) ? 0 : OtherCore;
        if (target.Family != donor.Family) return core + (target.Root == donor.Root && target.Root != "accelerator" ? OtherVariant : OtherStack);
        return core + (target.Version == donor.Version ? 0 : OtherRelease + PerRelease * Math.Min(MostReleases, Math.Abs(target.Version - donor.Version)));
    }

    /// <param name="target">What is asked about.</param>
    /// <param name="asked">Which network.</param>
    /// <param name="known">The target's own times; possibly none.</param>
    /// <param name="donors">Of the target's world.</param>
    /// <returns>Null when nothing gives a scale.</returns>
    public static Transferred? Predict(Target target, Network asked, IReadOnlyList<KnownTime> known, IEnumerable<Donor> donors)
    {
        var voices = Listen(target, asked, known, donors);
        if (voices.Count == 0) return null;
        var prior = Average(voices);
        double Beyond(Network network) => voices.Sum(voice => voice.Share * voice.Time(network).Value) / prior.Time(network.Work).Value;
        var rates = RateFit.Near(prior, [.. known.Select(row => row with { Time = row.Time / Beyond(row.Network) })], Shrinkage(target));
        return new Transferred(rates.Time(asked.Work) * Beyond(asked), voices[0].Id, voices[0].Share, voices[0].IsByClock);
    }

    /// <summary>Rates for any network, without what donors measured beyond theirs.</summary>
    /// <param name="target">The system to fit.</param>
    /// <param name="known">Its times, at least one.</param>
    /// <param name="donors">Of the target's world.</param>
    /// <returns>Seconds, and the donors by weight.</returns>
    public static (Rates Rates, IReadOnlyList<string> Donors) Fit(Target target, IReadOnlyList<KnownTime> known, IEnumerable<Donor> donors)
    {
        var voices = Listen(target, null, known, donors);
        return (RateFit.Near(Average(voices), known, Shrinkage(target)), [.. voices.Select(voice => voice.Id).Where(id => id.Length > 0)]);
    }

    private static Rates Average(IReadOnlyList<Voice> voices) => voices.Select(voice => voice.Rates * voice.Share).Aggregate((a, b) => a + b);

    /// <summary>All donors at the target's scale, heaviest first; the bare shape among them when there are times to scale it with.</summary>
    private static List<Voice> Listen(Target target, Network? asked, IReadOnlyList<KnownTime> known, IEnumerable<Donor> donors)
    {
        var speaking = donors.Where(donor => !donor.IsEmpty).ToList();
        var sameBoard = known.Count > 0 ? [] : speaking.Where(donor => donor.Target.BoardKey == target.BoardKey).ToList();
        var voices = (known.Count > 0 ? speaking.Select(donor => ByTimes(target, donor, known, asked)) : speaking.Select(donor => Uncalibrated(target, donor, sameBoard, speaking, asked)).OfType<Voice>()).ToList();
        if (known.Count > 0)
        {
            var shape = Shape(target);
            voices.Add(new Voice("", ShapeWeight, shape * RateFit.Scale(known, network => shape.Time(network.Work).Value), null, 1));
        }
        var total = voices.Sum(voice => voice.Share);
        return [.. voices.Select(voice => voice with { Share = voice.Share / total }).OrderByDescending(voice => voice.Share)];
    }

    private static Voice ByTimes(Target target, Donor donor, IReadOnlyList<KnownTime> known, Network? asked)
    {
        var scale = RateFit.Scale(known, network => donor.Time(network).Value);
        // Without caches and memory that differ, a core takes the cycles that it takes elsewhere. A profile is of its own rows alone.
        if (asked is not null && target.World == "microcontroller" && target.IsOfCore(donor.Target) && CyclesCarried(target, donor) is { } cycles)
            scale = Math.Exp((known.Count * Math.Log(scale) + ClockWeight * Math.Log(cycles)) / (known.Count + ClockWeight));
        var spread = Math.Sqrt(known.Average(row => Math.Pow(Math.Log(row.Time.Value / (scale * donor.Time(row.Network).Value)), 2)));
        var unmeasured = KnownNotMeasured * known.Count(row => !donor.Measured(row.Network)) + Guessing(donor, asked);
        return new Voice(donor.Id, Math.Exp(-Distance(target, donor.Target) - PerSpread * spread - unmeasured), donor.Rates * scale, donor, scale);
    }

    /// <summary>By what both boards took with the same software, whatever their cores; else cycles carry over. Null when neither is known.</summary>
    private static Voice? Uncalibrated(Target target, Donor donor, IReadOnlyList<Donor> sameBoard, IReadOnlyList<Donor> donors, Network? asked)
    {
        var (ratio, distance) = (sameBoard.Contains(donor) ? null : BoardRatio(sameBoard, donor.Target, donors), Distance(target, donor.Target));
        if (ratio is not null) distance = Distance(target with { Core = donor.Target.Core }, donor.Target);
        if ((ratio ?? CyclesCarried(target, donor)) is not { } scale) return null;
        return new Voice(donor.Id, Math.Exp(-distance - Guessing(donor, asked)), donor.Rates * scale, donor, scale) { IsByClock = ratio is null };
    }

    /// <summary>How many times as long the target takes when it needs as many cycles; null when a clock is not known.</summary>
    private static double? CyclesCarried(Target target, Donor donor) => donor.Target.Clock?.Value / target.Clock?.Value;

    private static double Guessing(Donor donor, Network? asked) => asked is null || donor.Measured(asked) ? 0 : AskedNotMeasured;

    /// <summary>How many times as long one board takes as another, in the geometric mean over networks and software that were measured on both; null when nothing was.</summary>
    private static double? BoardRatio(IReadOnlyList<Donor> board, Target other, IReadOnlyList<Donor> donors)
    {
        var quotients =
            from mine in board
            from theirs in donors
            where theirs.Target.IsSameStackAs(mine.Target) && theirs.Target.Clock == other.Clock && theirs.Target.BoardKey == other.BoardKey
            from network in mine.Times.Keys.Intersect(theirs.Times.Keys)
            select Math.Log(mine.Times[network] / theirs.Times[network]);
        var logs = quotients.ToList();
        return logs.Count == 0 ? null : Math.Exp(logs.Average());
    }

    /// <summary>A donor brought to the target's scale, or the bare shape, with its share of all weights.</summary>
    private sealed record Voice(string Id, double Share, Rates Rates, Donor? Donor, double Scale)
    {
        /// <summary>Whether only clocks say how far the boards are apart.</summary>
        public bool IsByClock { get; init; }

        public Seconds Time(Network network) => Donor is null ? Rates.Time(network.Work) : Donor.Time(network) * Scale;
    }
}
