using Fleet.Contracts;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Workload;

/// <summary>
/// What one device sees of what happens at the places around it. At each place things happen as a Poisson process with a stream that bears the place's
/// name: all devices within reach draw the same times from it, and each its own delay. So devices share events without sharing anything else.
/// </summary>
public sealed class EventArrivals : ArrivalProcess
{
    private readonly Hertz perPlace;
    private readonly Seconds within;
    private readonly IReadOnlyList<SeededRandom> places;
    private readonly SeededRandom delays;
    private readonly Seconds[] coming;

    // Seen later than what happened after it, perhaps.
    private readonly PriorityQueue<Seconds, Seconds> seen = new();

    /// <param name="rate">Mean rate of what the device sees.</param>
    /// <param name="within">The longest delay until it sees something.</param>
    /// <param name="places">A stream for each place within its reach.</param>
    /// <param name="delays">The device's own.</param>
    public EventArrivals(Hertz rate, Seconds within, IReadOnlyList<SeededRandom> places, SeededRandom delays)
    {
        (perPlace, this.within, this.places, this.delays) = (rate * (1.0 / places.Count), within, places, delays);
        coming = [.. places.Select(place => Exponential(perPlace.Period, place))];
    }

    public override Seconds Mean => perPlace.Period / places.Count;

    public override Seconds? Next(Seconds now)
    {
        while (true)
        {
            var place = Soonest();
            if (!seen.TryPeek(out var first, out _) || coming[place] <= first)
            {
                var at = coming[place] + within * delays.NextDouble();
                seen.Enqueue(at, at);
                coming[place] += Exponential(perPlace.Period, places[place]);
            }
            else
            {
                seen.Dequeue();
                // What was seen before the device began to look is gone.
                if (first >= now) return first - now;
            }
        }
    }

    private int Soonest()
    {
        var place = 0;
        for (var other = 1; other < coming.Length; other++)
            if (coming[other] < coming[place]) place = other;
        return place;
    }
}
