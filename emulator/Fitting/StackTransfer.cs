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

    public bool Measured(Network network) => measured.ContainsKey(network.Name);

    public Seconds Time(Network network) => measured.TryGetValue(network.Name, out var time) ? time : Rates.Time(network.Work);
}

/// <summary>A predicted time and whose measurements it rests on most.</summary>
/// <param name="Donor">Id of the donor with the largest weight; empty when there is none.</param>
/// <param name="Share">Its part of all weights, 0..1.</param>
public sealed record Transferred(Seconds Time, string Donor, double Share);

/// <summary>
/// Carries rates from measured systems to a target. Each donor is scaled to the target's known times; donors are averaged with weights
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

    /// <summary>Of the bare shape among donors: it decides where nobody is near.</summary>
    private const double ShapeWeight = 1e-4;

    public static Rates Shape(Target target) => target.World == "ncnn" ? RateFit.ApplicationProcessorShape : RateFit.MicrocontrollerShape;

    public static double Shrinkage(Target target) => target.World == "ncnn" ? RateFit.LargeNetworkShrinkage : RateFit.Shrinkage;

    /// <summary>How little one system says of another; 0 for the same stack on the same core.</summary>
    public static double Distance(Target target, Target donor)
    {
        var core = target.Core.Length > 0 && target.Core == donor.Core ? 0 : OtherCore;
        if (target.Family != donor.Family) return core + (target.Root == donor.Root && target.Root != "accelerator" ? OtherVariant : OtherStack);
        return core + (target.Version == donor.Version ? 0 : OtherRelease + PerRelease * Math.Min(MostReleases, Math.Abs(target.Version - donor.Version)));
    }

    /// <param name="target">What is asked about.</param>
    /// <param name="asked">Which network.</param>
    /// <param name="known">The target's own times. None: cycles carry over, and both clocks must be known.</param>
    /// <param name="donors">Of the target's world.</param>
    /// <returns>Null when nothing gives a scale.</returns>
    public static Transferred? Predict(Target target, Network asked, IReadOnlyList<KnownTime> known, IEnumerable<Donor> donors)
    {
        var voices = Listen(target, asked, known, donors);
        if (voices.Count == 0) return null;
        var prior = Average(voices);
        double Beyond(Network network) => voices.Sum(voice => voice.Share * voice.Time(network).Value) / prior.Time(network.Work).Value;
        var rates = RateFit.Near(prior, [.. known.Select(row => row with { Time = row.Time / Beyond(row.Network) })], Shrinkage(target));
        return new Transferred(rates.Time(asked.Work) * Beyond(asked), voices[0].Id, voices[0].Share);
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
        var voices = donors.Where(donor => !donor.IsEmpty).Select(donor => Listen(target, donor, known, asked)).OfType<Voice>().ToList();
        if (known.Count > 0)
        {
            var shape = Shape(target);
            voices.Add(new Voice("", ShapeWeight, shape * RateFit.Scale(known, network => shape.Time(network.Work).Value), null, 1));
        }
        var total = voices.Sum(voice => voice.Share);
        return [.. voices.Select(voice => voice with { Share = voice.Share / total }).OrderByDescending(voice => voice.Share)];
    }

    private static Voice? Listen(Target target, Donor donor, IReadOnlyList<KnownTime> known, Network? asked)
    {
        if (known.Count == 0 && (target.Clock is null || donor.Target.Clock is null)) return null;
        var scale = known.Count > 0 ? RateFit.Scale(known, network => donor.Time(network).Value) : donor.Target.Clock!.Value.Value / target.Clock!.Value.Value;
        var spread = known.Count == 0 ? 0 : Math.Sqrt(known.Average(row => Math.Pow(Math.Log(row.Time.Value / (scale * donor.Time(row.Network).Value)), 2)));
        var unmeasured = KnownNotMeasured * known.Count(row => !donor.Measured(row.Network)) + (asked is null || donor.Measured(asked) ? 0 : AskedNotMeasured);
        return new Voice(donor.Id, Math.Exp(-Distance(target, donor.Target) - PerSpread * spread - unmeasured), donor.Rates * scale, donor, scale);
    }

    /// <summary>A donor brought to the target's scale, or the bare shape, with its share of all weights.</summary>
    private sealed record Voice(string Id, double Share, Rates Rates, Donor? Donor, double Scale)
    {
        public Seconds Time(Network network) => Donor is null ? Rates.Time(network.Work) : Donor.Time(network) * Scale;
    }
}
