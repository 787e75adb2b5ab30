using Fleet.Contracts;

namespace Fleet.Controller.Energy;

/// <summary>
/// The virtual queue of a device on a battery, in joules: how far its charge B lies below where it would serve everything. It grows by what is drawn beyond
/// harvest, and by that alone. Source: Huang and Neely, "Utility optimal scheduling in energy-harvesting networks", IEEE/ACM Trans. Netw. 21(4), 2013, where a
/// battery's distance to a perturbed level is the queue.
/// <code>
/// Q = [R + V - B]+,   share served s = argmax V (s - s^2 / 2) - Q s = [1 - Q / V] clipped to 0..1
/// R = standing draw x dark time,   V = a few report periods of serving everything
/// may draw = [mean harvest - standing draw + (B - R) / horizon]+
/// </code>
/// The utility is concave, so that a device serves less before it serves nothing. At B = R nothing is served, and V is more than can be drawn between two looks: what
/// is below R is for waiting in the dark, and the battery is never emptied by inferences. A small V leaves room for the sun and wastes none at the end.
/// </summary>
public sealed class EnergyQueue(EnergyOptions options)
{
    /// <summary>Sunlight is averaged over a day.</summary>
    private static readonly Seconds Day = new(86_400);

    /// <summary>Reports in which a device may draw the whole band at most. K.</summary>
    private const double BandReports = 6;

    /// <summary>The band is never shorter than this at full service. K.</summary>
    private static readonly Seconds BandMin = new(1800);

    /// <summary>What an inference draws beside what is estimated: waking, receiving, its board's own silicon. K.</summary>
    private const double Aside = 1.5;

    /// <summary>The reserve and the band may take so much of a battery: a device whose battery is too small for its nights serves by day all the same.</summary>
    private const double ShareMax = 0.4;

    private Budget? last;
    private Seconds heardFor;

    public Watts MeanHarvest { get; private set; }

    /// <summary>R.</summary>
    public Joules Reserve { get; private set; }

    /// <summary>V; 0 before it was bounded for the first time.</summary>
    public Joules Band { get; private set; }

    /// <summary>Q.</summary>
    public Joules Backlog => last?.Battery is { } charge ? Joules.Max(Joules.Zero, Reserve + Band - charge) : Joules.Zero;

    /// <summary>Takes a report. A device without a battery has no queue.</summary>
    public void Hear(Budget budget)
    {
        if (last is { } before && budget.SentAt > before.SentAt)
        {
            // The light may have changed since the last report: the mean of both stands for the time between.
            var elapsed = budget.SentAt - before.SentAt;
            heardFor += elapsed;
            var light = ((before.Harvest ?? Watts.Zero) + (budget.Harvest ?? Watts.Zero)) * 0.5;
            MeanHarvest += (light - MeanHarvest) * Math.Min(1, elapsed / Seconds.Min(heardFor, Day));
        }
        last = budget;
    }

    /// <summary>Mean power that inferences may take; null when its battery is unknown.</summary>
    /// <param name="standing">Drawn whatever is served.</param>
    public Watts? MayDraw(Watts standing)
    {
        if (last is not { Battery: { } charge, BatteryRatio: > 0 and var ratio }) return null;
        Reserve = Joules.Min(standing * options.Dark, charge / ratio * ShareMax);
        var sustained = MeanHarvest - standing + Joules.Max(Joules.Zero, charge - Reserve) / options.Horizon;
        return sustained > Watts.Zero ? sustained : Watts.Zero;
    }

    /// <summary>Sets the band for what is planned.</summary>
    /// <param name="each">Estimated for an inference.</param>
    public void Plan(Joules each)
    {
        if (last is not { Battery: { } charge, BatteryRatio: > 0 and var ratio }) return;
        var full = last.RequestRate * each * Aside;
        Band = Joules.Max(new Joules(1e-3), Joules.Min(full * Seconds.Max(BandMin, last.Spacing * BandReports), charge / ratio * ShareMax));
    }
}
