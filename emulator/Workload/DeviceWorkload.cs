using Fleet.Contracts;
using Fleet.DeviceAgent.Sensing;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;
using Fleet.Models;

namespace Fleet.Emulator.Workload;

/// <summary>Where a device stands among those of its group.</summary>
/// <param name="Group">Number of the group in its site, from 0.</param>
/// <param name="Index">Of the device in the group, from 0.</param>
public readonly record struct Place(int Group, int Index);

/// <summary>What comes to one device in one life: when, and which image, drifted or not.</summary>
public sealed class DeviceWorkload
{
    private readonly ReplayImages images;
    private readonly SeededRandom choice;

    // Null where nothing ever drifts.
    private readonly SeededRandom? luck;
    private readonly Staged<IReadOnlyList<DriftSpec>> drifts;
    private readonly ArrivalProcess arrivals;
    private readonly bool isOwn;

    /// <param name="stages">The device's group as the scenario's stages have it, the first from 0 on.</param>
    /// <param name="place">Where the device stands.</param>
    /// <param name="images">What may be seen.</param>
    /// <param name="stream">A random stream of the device's own for a purpose.</param>
    /// <param name="placeStream">The stream of a place of its group, shared by all who draw from it.</param>
    /// <param name="recorded">Reads recorded arrivals.</param>
    public DeviceWorkload(
        IReadOnlyList<(Seconds From, DeviceGroup Group)> stages, Place place, ReplayImages images,
        Func<string, SeededRandom> stream, Func<string, SeededRandom> placeStream, Func<RecordedSpec, RecordedTimes> recorded)
    {
        this.images = images;
        choice = stream("inputs");
        luck = stages.Any(stage => stage.Group.Drift.Count > 0) ? stream("drift") : null;
        drifts = Staged.Of(stages, group => group.Drift);
        arrivals = Arrivals(stages, place, stream, placeStream, recorded);
        isOwn = stages.All(stage => stage.Group.Arrivals is Scenarios.Arrivals.Periodic);
    }

    /// <summary>A camera that sees it; to be asked for once.</summary>
    /// <param name="world">In whose time things happen.</param>
    /// <param name="own">The device's own clock, by which it takes periodic pictures.</param>
    public Camera Camera(TimeProvider world, TimeProvider own)
    {
        var inputs = new Inputs(this, world);
        return new Camera(inputs, inputs, isOwn ? own : world);
    }

    private Sample Choose(Seconds at)
    {
        var inForce = drifts.At(at);
        var image = choice.Next(images.CountOf(null));
        if (inForce.Count == 0) return images.Sample(image, null);
        var drift = Drawn(inForce.Where(drift => !drift.IsOfLabels), at) is { } drifted ? Drift.Parse(drifted.Kind) : (Drift?)null;
        image %= images.CountOf(drift);
        if (Drawn(inForce.Where(drift => drift.IsOfLabels), at) is { } shifted) image = Shifted(LabelShift.Parse(shifted.Kind), images.CountOf(drift));
        return images.Sample(image, drift);
    }

    /// <summary>The latest that has begun, by its share; else the one before it.</summary>
    private DriftSpec? Drawn(IEnumerable<DriftSpec> specs, Seconds at)
    {
        foreach (var spec in specs.OrderByDescending(spec => spec.At.Value))
            if (spec.Share(at) is > 0 and var share && (share >= 1 || luck!.NextDouble() < share)) return spec;
        return null;
    }

    private int Shifted(LabelShift shift, int among)
    {
        var pool = images.Pick(shift.Label, isOther: luck!.NextDouble() * 100 >= shift.Percent, among);
        return pool[luck.Next(pool.Length)];
    }

    private static ArrivalProcess Arrivals(
        IReadOnlyList<(Seconds From, DeviceGroup Group)> stages, Place place, Func<string, SeededRandom> stream, Func<string, SeededRandom> placeStream, Func<RecordedSpec, RecordedTimes> recorded)
    {
        if (stages.Count == 1) return Process(stages[0].Group, place, stream, placeStream, recorded);
        // A stage that changes something else leaves the arrivals as they are.
        var processes = new List<(Seconds From, ArrivalProcess Process)>();
        for (var i = 0; i < stages.Count; i++)
        {
            if (i > 0 && stages[i].Group.ArrivesAs(stages[i - 1].Group)) continue;
            var suffix = i == 0 ? "" : $"/stage-{i}";
            processes.Add((stages[i].From, Process(stages[i].Group, place, purpose => stream(purpose + suffix), purpose => placeStream(purpose + suffix), recorded)));
        }
        return processes.Count == 1 ? processes[0].Process : new StagedArrivals(processes);
    }

    private static ArrivalProcess Process(DeviceGroup group, Place place, Func<string, SeededRandom> own, Func<string, SeededRandom> places, Func<RecordedSpec, RecordedTimes> recorded) => group.Arrivals switch
    {
        Scenarios.Arrivals.Poisson => new PoissonArrivals(group.Rate, own("arrivals")),
        Scenarios.Arrivals.Periodic => new PeriodicArrivals(group.Rate, own("phase").NextDouble()),
        Scenarios.Arrivals.Bursty => Bursty(group.Rate, group.Bursty ?? new BurstySpec(), own("arrivals")),
        Scenarios.Arrivals.Diurnal => Diurnal(group.Rate, group.Diurnal ?? new DiurnalSpec(), own("arrivals")),
        Scenarios.Arrivals.Event => Event(group, place, group.Event ?? new EventSpec(), own("arrivals"), places),
        _ => new RecordedArrivals(recorded(group.Recorded!).Of(place.Index, group.Count), group.Recorded!.Repeat),
    };

    private static BurstyArrivals Bursty(Hertz rate, BurstySpec spec, SeededRandom random) =>
        new(spec.Calm(rate), spec.Calm(rate) * spec.Ratio, spec.CalmMean, spec.BurstMean, random);

    private static DiurnalArrivals Diurnal(Hertz rate, DiurnalSpec spec, SeededRandom random) => new(rate, spec.Depth, spec.Start, spec.Peak, spec.Day, random);

    private static EventArrivals Event(DeviceGroup group, Place place, EventSpec spec, SeededRandom random, Func<string, SeededRandom> places)
    {
        var around = Enumerable.Range(place.Index - spec.Reach, 2 * spec.Reach + 1).Select(i => (i + group.Count) % group.Count);
        return new EventArrivals(group.Rate, spec.Within, [.. around.Select(i => places($"_place/{place.Group}/{i}"))], random);
    }

    /// <summary>Each image is chosen for the time at which it comes. Written out, not an iterator: it is taken for every inference.</summary>
    private sealed class Inputs(DeviceWorkload workload, TimeProvider world) : Pace, IAsyncEnumerable<Sample>, IAsyncEnumerator<Sample>
    {
        private Seconds? at;
        private Seconds interval;

        public override Seconds Mean => workload.arrivals.Mean;

        public Sample Current { get; private set; }

        public IAsyncEnumerator<Sample> GetAsyncEnumerator(CancellationToken cancellationToken = default) => this;

        public ValueTask<bool> MoveNextAsync()
        {
            var now = at ?? world.Since(0);
            if (workload.arrivals.Next(now) is not { } next) return new(false);
            interval = next;
            at = now + next;
            Current = workload.Choose(now + next);
            return new(true);
        }

        public ValueTask DisposeAsync() => default;

        protected override Seconds Interval() => interval;
    }
}
