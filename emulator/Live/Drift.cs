using System.Globalization;
using System.Text.Json.Serialization;
using Fleet.Contracts;

namespace Fleet.Emulator.Live;

/// <summary>
/// Who is behind, and by how much, at one moment. Timers are this process: real time x speed less virtual time. Acknowledgement is the
/// broker: the age of the oldest message that waits here or is not acknowledged, be the broker there or not. The
/// controller is behind when the last summary of some site is older than twice its period.
/// </summary>
/// <param name="Timers">In virtual time.</param>
/// <param name="Oldest">Since the oldest message was said that is not sent, or not acknowledged.</param>
/// <param name="Awaiting">At-least-once messages not acknowledged.</param>
/// <param name="Unsent">Messages that wait for the broker to take earlier ones.</param>
/// <param name="Controller">Null while none has been heard.</param>
/// <param name="WaitsForBroker">Whether timers are late since devices had to wait until the broker had taken what they had said.</param>
public sealed record Drift(
    [property: JsonPropertyName("timers_s")] Seconds Timers,
    [property: JsonPropertyName("oldest_unacknowledged_s")] Seconds Oldest,
    [property: JsonPropertyName("unacknowledged")] long Awaiting,
    [property: JsonPropertyName("unsent")] long Unsent,
    [property: JsonPropertyName("controller_s")] Seconds? Controller,
    [property: JsonPropertyName("waits_for_broker")] bool WaitsForBroker = false)
{
    [JsonIgnore] public Seconds Worst => Seconds.Max(Timers, Seconds.Max(Oldest, Controller ?? Seconds.Zero));

    /// <summary>Who cannot keep up, one sentence for each; empty when all can.</summary>
    public IReadOnlyList<string> Verdicts(Seconds max)
    {
        var verdicts = new List<string>();
        if (Timers > max && !WaitsForBroker) verdicts.Add($"this process cannot keep up: its timers fire {Text(Timers)} late (limit {Text(max)}); fewer devices, more --threads, a lower --speed or another machine");
        if (Oldest > max) verdicts.Add($"the broker cannot keep up: {Awaiting:N0} messages are not acknowledged, the oldest for {Text(Oldest)} (limit {Text(max)}), {Unsent:N0} more wait to be sent");
        else if (Timers > max && WaitsForBroker) verdicts.Add($"the broker cannot keep up: {Awaiting:N0} messages are not acknowledged, {Unsent:N0} more wait to be sent, and devices that wait for it are {Text(Timers)} late (limit {Text(max)})");
        if (Controller > max) verdicts.Add($"the controller cannot keep up: its last summary of a site is {Text(Controller.Value)} overdue (limit {Text(max)})");
        return verdicts;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"timers {Text(Timers)} late{(WaitsForBroker ? " (waiting for the broker)" : "")}, {Awaiting:N0} unacknowledged (oldest {Text(Oldest)}), {Unsent:N0} unsent{(Controller is { } late ? $", controller {Text(late)} late" : "")}");

    public static string Text(Seconds time) => time.Value < 1 ? (time.Value * 1e3).ToString("F1", CultureInfo.InvariantCulture) + " ms" : time.Value.ToString("F2", CultureInfo.InvariantCulture) + " s";
}

/// <summary>What a controller says of the sites of a run: how late it is, and how many answers it has heard of.</summary>
public sealed class ControllerWatch(TimeProvider time)
{
    private readonly Dictionary<string, (long At, Counts Latest, Counts Base)> sites = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    /// <summary>Set when devices begin to answer: what was counted before is not this run's.</summary>
    public bool HasBegun { get; set; }

    public void Hear(Topic topic, Message message)
    {
        if (topic.Kind is not TopicKind.Summary || message is not Summary summary) return;
        lock (gate)
        {
            var known = sites.TryGetValue(topic.Site, out var before);
            var latest = new Counts(summary.AnsweredTotal, summary.MalformedTotal, summary.BrokerDroppedTotal);
            sites[topic.Site] = (time.GetTimestamp(), latest, !HasBegun ? latest : known ? before.Base.Across(before.Latest, latest) : default);
        }
    }

    /// <summary>By how much the oldest summary is overdue; null before there is any, or the period is not known.</summary>
    public Seconds? Late(Seconds? period)
    {
        lock (gate)
        {
            if (period is not { } each || sites.Count == 0) return null;
            return Seconds.Max(Seconds.Zero, time.Since(sites.Values.Min(site => site.At)) - each * 2);
        }
    }

    /// <summary>Answers of this run that controllers have counted; null when none has said anything.</summary>
    public long? Heard
    {
        get
        {
            lock (gate) return sites.Count == 0 ? null : sites.Values.Sum(site => site.Latest.Answered - site.Base.Answered);
        }
    }

    /// <summary>Messages of this run's time that a controller could not read, and that its broker says it has lost.</summary>
    public (long Malformed, long Dropped) Faults
    {
        get
        {
            lock (gate) return sites.Count == 0 ? default : (sites.Values.Sum(site => site.Latest.Malformed - site.Base.Malformed), sites.Values.Max(site => site.Latest.Dropped - site.Base.Dropped));
        }
    }

    /// <summary>Totals of a controller's life.</summary>
    private readonly record struct Counts(long Answered, long Malformed, long Dropped)
    {
        /// <summary>What a summary retained by an earlier run has counted is not this run's; what a controller has counted that has begun anew since is.</summary>
        public Counts Across(Counts before, Counts latest) => new(
            Across(Answered, before.Answered, latest.Answered), Across(Malformed, before.Malformed, latest.Malformed), Across(Dropped, before.Dropped, latest.Dropped));

        private static long Across(long from, long before, long latest) => latest >= before ? from : from - before;
    }
}
