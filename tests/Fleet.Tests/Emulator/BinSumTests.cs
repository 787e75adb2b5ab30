using Fleet.Contracts;
using Fleet.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.Emulator;

/// <summary>Stretches of a run added up.</summary>
public sealed class BinSumTests
{
    private static readonly Batteries Half = new() { Devices = 2, Empty = 1, Sum = 1, Min = 0.25, Counts = [25, 1, 75, 1] };

    private static SiteBin Bin(double latency, IReadOnlyList<long> exits, string kind, Batteries? batteries = null)
    {
        var histogram = new Histogram();
        histogram.Add(new Seconds(latency));
        return new SiteBin
        {
            Started = 3,
            Exits = exits,
            Offloaded = 1,
            Fallback = 2,
            DeadlineMissed = 3,
            Labelled = 4,
            Correct = 5,
            LatencySum = histogram.Sum,
            LatencyCounts = histogram.Pairs(),
            Skipped = 6,
            Sent = new Bytes(7),
            Energy = new EnergyFlows { Idle = new Joules(8), Wake = new Joules(latency) },
            Stored = new Joules(9),
            Batteries = batteries,
            Messages = new MessageTable { ["state"] = [1, 0, 1, 0, 0], [kind] = [5, 4, 3, 2, 1] },
        };
    }

    [Test]
    public void NothingGivesAnEmptyStretch()
    {
        var nothing = SiteBin.Sum([]);
        Assert.That((nothing.Answered, nothing.Exits, nothing.LatencyCounts, nothing.Batteries, nothing.Messages), Is.EqualTo((0L, Array.Empty<long>(), Array.Empty<long>(), (Batteries?)null, new MessageTable())));
    }

    [Test]
    public void EveryCountIsAdded()
    {
        var sum = SiteBin.Sum([Bin(0.1, [1], "infer"), Bin(0.2, [2, 3], "budget", Half), Bin(0.1, [], "infer", Half)]);
        Assert.That((sum.Started, sum.Offloaded, sum.Fallback, sum.DeadlineMissed, sum.Labelled, sum.Correct, sum.Skipped), Is.EqualTo((9L, 3L, 6L, 9L, 12L, 15L, 18L)));
        Assert.That((sum.Sent.Value, sum.Stored.Value, sum.Energy.Idle.Value, sum.Energy.Wake.Value), Is.EqualTo((21.0, 27.0, 24.0, 0.1 + 0.2 + 0.1)));
        Assert.That(sum.Exits, Is.EqualTo(new long[] { 3, 3 }), "as many exits as the deepest that answered");
        Assert.That((sum.LatencySum.Value, sum.Latency.Count, sum.LatencyCounts.Count), Is.EqualTo((0.1 + 0.2 + 0.1, 3L, 4)), "two bins");
        Assert.That((sum.Batteries!.Devices, sum.Batteries.Empty, sum.Batteries.Min), Is.EqualTo((4L, 2L, 0.25)), "who has no battery counts as none");
        Assert.That(sum.Messages.Keys, Is.EqualTo(new[] { "budget", "infer", "state" }));
        Assert.That((sum.Messages.Counts("state").Due, sum.Messages.Counts("infer").Duplicated, sum.Messages.Counts("budget").Superseded), Is.EqualTo((3L, 8L, 1L)));
    }

    [Test]
    public void WhatWasAddedStaysAsItWas()
    {
        var first = Bin(0.1, [1], "infer", Half);
        SiteBin.Sum([first, Bin(0.2, [2], "infer", Half)]);
        Assert.That((first.Exits[0], first.Messages.Counts("infer").Due, first.Batteries!.Devices, first.LatencyCounts[1]), Is.EqualTo((1L, 5L, 2L, 1L)));
    }
}
