using CsCheck;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Emulator.Simulation;
using Fleet.Tests.Contracts;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

public sealed class FleetViewTests
{
    [Test]
    public void Fold_NewDevice_IsOnlineWithItsProfile()
    {
        var (_, view) = Make();
        Assert.That(Only(view), Is.EqualTo((true, "pi-5")));
        Assert.That(view.Snapshot().Site, Is.EqualTo("lab"));
    }

    [Test]
    public void Look_ThreeSilentPeriods_DeviceIsOffline()
    {
        var (clock, view) = Make();
        var before = view.Revision;
        clock.Run(TimeSpan.FromSeconds(15.9));
        view.Look();
        Assert.That((Only(view).IsOnline, view.Revision), Is.EqualTo((true, before)));
        clock.Run(TimeSpan.FromSeconds(16.1));
        view.Look();
        Assert.That((Only(view).IsOnline, view.Revision), Is.EqualTo((false, before + 1)));
        Say(view, TopicKind.Budget, Budget());
        view.Look();
        Assert.That(Only(view).IsOnline, Is.True);
    }

    [Test]
    public void Fold_LongerReportPeriod_IsGivenLonger()
    {
        var (clock, view) = Make();
        Say(view, TopicKind.Budget, Budget() with { ReportPeriod = new Seconds(60) });
        clock.Run(TimeSpan.FromSeconds(170));
        Assert.That(Only(view).IsOnline, Is.True);
        clock.Run(TimeSpan.FromSeconds(182));
        Assert.That(Only(view).IsOnline, Is.False);
    }

    [Test]
    public void Fold_BudgetsThatAreNoNews_WindowsAloneKeepItOnline()
    {
        var (clock, view) = Make();
        Say(view, TopicKind.Budget, Budget() with { BudgetPeriod = new Seconds(600) });
        for (var at = 5; at <= 100; at += 5)
        {
            clock.Run(TimeSpan.FromSeconds(at));
            Say(view, TopicKind.Infer, new InferWindow { Sequence = at, SentAt = new Seconds(at), Window = new Seconds(5), Count = 0 });
        }
        Assert.That(Only(view).IsOnline, Is.True);
        clock.Run(TimeSpan.FromSeconds(115));
        Assert.That(Only(view).IsOnline, Is.True);
        clock.Run(TimeSpan.FromSeconds(117));
        Assert.That(Only(view).IsOnline, Is.False, "three periods of its windows, not of its budgets");
    }

    [Test]
    public void Fold_FramesWaitLongerAtAnEdgeServer_MakesThePlanStale()
    {
        var (_, view) = Make();
        var calm = new EdgeLoad { Sequence = 0, SentAt = Seconds.Zero, Window = new Seconds(5), Workers = 1 };
        Say(view, TopicKind.EdgeLoad, calm);
        var before = view.Revision;
        Say(view, TopicKind.EdgeLoad, calm with { QueueMean = new Seconds(0.003) });
        Assert.That(view.Revision, Is.EqualTo(before));
        Say(view, TopicKind.EdgeLoad, calm with { QueueMean = new Seconds(0.05) });
        Assert.That(view.Revision, Is.EqualTo(before + 1));
        Say(view, TopicKind.EdgeLoad, calm with { QueueMean = new Seconds(0.05), TailSeconds = new PerExit([0.01]) });
        Assert.That(view.Revision, Is.EqualTo(before + 2));
    }

    [TestCase(Presence.Lost, false)]
    [TestCase(Presence.Disconnected, false)]
    [TestCase(Presence.Init, true)]
    [TestCase(Presence.Sleeping, true)]
    public void Fold_State_DecidesWhoIsOnline(Presence presence, bool isOnline)
    {
        var (_, view) = Make();
        Say(view, TopicKind.State, new State(presence));
        Assert.That(Only(view).IsOnline, Is.EqualTo(isOnline));
    }

    [Test]
    public void Fold_SleepingDevice_MayBeSilentForLong()
    {
        var (clock, view) = Make();
        Say(view, TopicKind.State, new State(Presence.Sleeping));
        clock.Run(TimeSpan.FromHours(5));
        view.Look();
        Assert.That(Only(view).IsOnline, Is.True);
    }

    [Test]
    public void Fold_GatewayLost_TakesItsDevicesAlong()
    {
        var (_, view) = Make(gateway: "gw");
        view.Fold(new Topic(TopicKind.GatewayState, "lab", "gw"), State.Lost);
        Assert.That(Only(view).IsOnline, Is.False);
        view.Fold(new Topic(TopicKind.GatewayState, "lab", "gw"), State.Ready);
        Assert.That(Only(view).IsOnline, Is.True);
    }

    [Test]
    public void Revision_TheSameAgain_DoesNotGrow()
    {
        var (_, view) = Make();
        view.Look();
        var before = view.Revision;
        Say(view, TopicKind.State, State.Ready);
        Say(view, TopicKind.Info, FleetBuilder.Info("pi-5"));
        Say(view, TopicKind.Budget, Budget() with { Sequence = 9, SentAt = new Seconds(5) });
        Say(view, TopicKind.Infer, new InferWindow { Sequence = 1, SentAt = Seconds.Zero, Window = new Seconds(5), Count = 0 });
        Say(view, TopicKind.Reported, TinyModel.Assign(1));
        view.Look();
        Assert.That(view.Revision, Is.EqualTo(before));
    }

    [TestCase(1.1, false)]
    [TestCase(1.2, true)]
    [TestCase(0.8, true)]
    public void Revision_RateChanges_GrowsWhenItMatters(double factor, bool grows)
    {
        var (_, view) = Make();
        var before = view.Revision;
        Say(view, TopicKind.Budget, Budget() with { RequestRate = new Hertz(10 * factor) });
        Assert.That(view.Revision > before, Is.EqualTo(grows));
    }

    [Test]
    public void Revision_RateDriftsSlowly_GrowsOnceItHasGoneFar()
    {
        var (_, view) = Make();
        var before = view.Revision;
        for (var rate = 10.0; rate < 13; rate += 0.1) Say(view, TopicKind.Budget, Budget() with { RequestRate = new Hertz(rate) });
        Assert.That(view.Revision, Is.EqualTo(before + 1));
    }

    [Test]
    public void Fold_Malformed_IsCountedAndChangesNothing()
    {
        var (_, view) = Make();
        var before = view.Revision;
        Say(view, TopicKind.Budget, new Malformed("report_s is -1", 10));
        Assert.That((view.MalformedTotal, view.Revision), Is.EqualTo((1L, before)));
    }

    [Test]
    public void Fold_WhatControllersSaid_RemembersTheLargestEpochAndVersion()
    {
        var (_, view) = Make();
        Say(view, TopicKind.Desired, TinyModel.Assign(1) with { Epoch = 4, Version = 7 });
        view.Fold(new Topic(TopicKind.EdgeDesired, "lab", "e"), new TailAssignment { Version = 9, Epoch = 3, Model = "tiny", CardSha256 = "", Tails = "1" });
        Assert.That((view.EpochSeen, view.VersionSeen), Is.EqualTo((4L, 9L)));
    }

    [Test]
    public void Snapshot_DeviceWithoutInfo_IsLeftOut()
    {
        var view = new FleetView("lab", World.Stock.Profiles, new SimClock());
        Say(view, TopicKind.State, State.Ready);
        Assert.That(view.Snapshot().Devices, Is.Empty);
    }

    [Test]
    public void Snapshot_NothingHasChanged_IsTheSameOne()
    {
        var (_, view) = Make();
        var before = view.Snapshot();
        Say(view, TopicKind.Infer, Samples.InferWindow);
        Assert.That(view.Snapshot(), Is.SameAs(before));
    }

    [Test]
    public void Snapshot_OneDeviceReports_OthersAreTheSameAndTheOldOneStays()
    {
        var (_, view) = Make();
        view.Fold(new Topic(TopicKind.Info, "lab", "cam-2"), FleetBuilder.Info("pi-4b"));
        var before = view.Snapshot();
        view.Fold(new Topic(TopicKind.Budget, "lab", "cam-2"), Budget() with { Sequence = 8 });
        var after = view.Snapshot();
        Assert.That(after.Devices[0], Is.SameAs(before.Devices[0]));
        Assert.That((before.Devices[1].Budget, after.Devices[1].Budget?.Sequence), Is.EqualTo(((Budget?)null, 8L)));
    }

    /// <summary>One that is looked at all the time, and one that is looked at once, at the end.</summary>
    [Test]
    public void Snapshot_AfterAnything_IsAsIfMadeAnew() => Gen.Select(Gen.Int[0, 7], Gen.Int[1, 6], Gen.Double[0, 4]).Array[1, 60].Sample(
        said =>
        {
            var clock = new SimClock();
            var (watched, other) = (new FleetView("lab", World.Stock.Profiles, clock), new FleetView("lab", World.Stock.Profiles, clock));
            foreach (var (what, number, wait) in said)
            {
                var id = $"cam-{number}";
                (Topic Topic, Message Message)? message = what switch
                {
                    0 => (new Topic(TopicKind.State, "lab", id), number % 3 == 0 ? State.Lost : State.Ready),
                    1 => (new Topic(TopicKind.Info, "lab", id), FleetBuilder.Info("pi-5") with { Gateway = number % 2 == 0 ? "gw" : "" }),
                    2 => (new Topic(TopicKind.Budget, "lab", id), Budget() with { ReportPeriod = new Seconds(wait + 0.1) }),
                    3 => (new Topic(TopicKind.Infer, "lab", id), Samples.InferWindow),
                    4 => (new Topic(TopicKind.GatewayState, "lab", "gw"), number > 3 ? State.Lost : State.Ready),
                    5 => (new Topic(TopicKind.EdgeInfo, "lab", id), FleetBuilder.Info("n5105-mini-pc")),
                    6 => (new Topic(TopicKind.EdgeState, "lab", id), State.Ready),
                    _ => null,
                };
                if (message is { } one)
                {
                    watched.Fold(one.Topic, one.Message);
                    other.Fold(one.Topic, one.Message);
                }
                clock.Run(TimeSpan.FromSeconds(clock.Since(0).Value + wait));
                if (number % 2 == 0) watched.Look();
                if (number % 3 > 0) watched.Snapshot();
            }
            var (kept, anew) = (watched.Snapshot(), other.Snapshot());
            Assert.That(kept.Devices, Is.EqualTo(anew.Devices));
            Assert.That(kept.Edges, Is.EqualTo(anew.Edges));
        },
        iter: 300, threads: 1);

    private static (SimClock Clock, FleetView View) Make(string gateway = "")
    {
        var clock = new SimClock();
        var view = new FleetView("lab", World.Stock.Profiles, clock);
        Say(view, TopicKind.State, State.Ready);
        Say(view, TopicKind.Info, FleetBuilder.Info("pi-5") with { Gateway = gateway });
        Say(view, TopicKind.Budget, Budget());
        view.Look();
        return (clock, view);
    }

    private static (bool IsOnline, string Profile) Only(FleetView view)
    {
        var device = view.Snapshot().Devices.Single();
        return (device.IsOnline, device.Profile!.Id);
    }

    private static Budget Budget() => new() { Sequence = 1, SentAt = Seconds.Zero, ReportPeriod = new Seconds(5), RequestRate = new Hertz(10) };

    private static void Say(FleetView view, TopicKind kind, Message message) => view.Fold(new Topic(kind, "lab", "cam-1"), message);
}
