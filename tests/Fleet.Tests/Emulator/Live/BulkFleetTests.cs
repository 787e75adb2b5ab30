using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Broker;
using Fleet.Controller.Planning;
using Fleet.Emulator;
using Fleet.Emulator.Live;
using Fleet.Emulator.Scenarios;
using Fleet.Tests.Contracts;
using Fleet.Tests.Controller;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Live;

/// <summary>Bulk fleets on a real broker on loopback, with the production controller of every site.</summary>
public sealed class BulkFleetTests
{
    private static readonly Stock Stock = new();
    private static readonly Planned Planned = Planned.Of(Stock, "fmnist");

    [TestCase(3, TestName = "Run_OverGateways_EveryDeviceGetsItsOwnDesiredAndNothingIsLost")]
    [TestCase(4, TestName = "Run_OverMoreGatewaysThanSites_EveryDeviceGetsItsOwnDesiredAndNothingIsLost")]
    [TestCase(0, TestName = "Run_OverAConnectionEach_EveryDeviceGetsItsOwnDesiredAndNothingIsLost")]
    public void Run_NothingIsLost(int gateways) => OnBroker(async (broker, _) =>
    {
        var figures = await Run(Options(broker) with { Count = 60, PerSite = 25, Gateways = gateways, Edges = 1 }, until: fleet => fleet.Tally.Ready == 60 && fleet.Answered > 200 && fleet.Watch.Heard > 0);

        Assert.That(figures, Has.Property("Assigned").EqualTo(60).And.Property("Ready").EqualTo(60).And.Property("Misdirected").Zero);
        Assert.That(figures, Has.Property("Lost").Zero.And.Property("Dropped").Zero.And.Property("Unacknowledged").Zero);
        Assert.That(figures.Unheard, Is.Zero, "the controllers' summaries count every answer");
        Assert.That(figures.Connections, Is.EqualTo((gateways > 0 ? gateways : 60) + 3), "gateways or devices, and an edge server for each of three sites");
        Assert.That(broker.Counters.Dropped, Is.Zero);
        Assert.That(figures.IsWhole, figures.Stopped);
    });

    [Test]
    public void Run_BrokerThatStopsReading_StopsAndNamesTheBroker() => OnBroker(async (broker, _) =>
    {
        await using var deaf = new DeafBroker();
        var figures = await Run(Options(broker) with { Broker = MqttAddress.Loopback(deaf.Port), Count = 20, Gateways = 1, DriftMax = new Seconds(0.3) }, until: _ => false);

        Assert.That(figures.Stopped, Does.StartWith("the broker cannot keep up"));
        Assert.That(figures.IsWhole, Is.False);
    });

    [Test]
    public void Run_BrokerGone_StopsAndSaysHowManyAreNotConnected() => OnBroker(async (broker, _) =>
    {
        await using var cable = new Cable(broker.Port);
        var isPulled = false;
        var figures = await Run(Options(broker) with { Broker = MqttAddress.Loopback(cable.Port), Count = 20, Gateways = 2, DriftMax = new Seconds(0.3) }, until: fleet =>
        {
            if (fleet.Tally.Ready == 20 && !isPulled) cable.Pull();
            isPulled |= fleet.Tally.Ready == 20;
            return false;
        });

        Assert.That(isPulled, figures.Stopped);
        Assert.That(figures.Stopped, Does.Contain("the broker cannot keep up").And.Contain("2 not connected: "), "what was said since it went is not acknowledged");
    });

    [Test]
    public void Lost_AskedWhileDevicesRun_IsNothing() => OnBroker(async (broker, _) =>
    {
        await using var fleet = await BulkFleet.StartAsync(Options(broker) with { Count = 40, Gateways = 2, Rate = new Hertz(50) }, Stock, TimeProvider.System, default);
        fleet.Begin();
        for (var i = 0; i < 1500 && fleet.Answered < 100; i++) await TimeProvider.System.Delay(new Seconds(0.02));
        var before = fleet.Answered;
        for (var i = 0; i < 300; i++) Assert.That(await fleet.LostAsync(), Is.Zero);
        for (var i = 0; i < 1500 && fleet.Answered == before; i++) await TimeProvider.System.Delay(new Seconds(0.02));
        Assert.That(fleet.Answered, Is.GreaterThan(before).And.GreaterThan(100), "they ran meanwhile");
        await fleet.StopDevicesAsync(new Seconds(20));
        Assert.That(await fleet.LostAsync(), Is.Zero);
    });

    [Test]
    public void Run_EndingTakesLong_SaysHowFarItIs() => OnBroker(async (broker, _) =>
    {
        await using var cable = new Cable(broker.Port);
        var options = Options(broker) with { Broker = MqttAddress.Loopback(cable.Port), Count = 20, DriftMax = new Seconds(5) };
        await using var fleet = await BulkFleet.StartAsync(options, Stock, TimeProvider.System, default);
        var told = new List<string>();
        var running = new BulkRun(fleet, options, TimeProvider.System, told.Add).Run(null, default);
        for (var i = 0; i < 1500 && fleet.Tally.Ready < 20; i++) await TimeProvider.System.Delay(new Seconds(0.02));
        // The drift contract ends it, once something has waited for the broker too long: until then that may all be acknowledged.
        cable.Pull();
        await running.WaitAsync(TimeSpan.FromSeconds(120), TimeProvider.System);

        Assert.That(told.SkipWhile(line => line != "stopping the devices").Skip(1), Is.Not.Empty.And.All.Match("^stopping the devices: 20 of 20 have ended, [1-9][0-9,]* messages unacknowledged"));
    });

    /// <summary>Nothing that devices say last can be heard: waiting for it part by part would last as long as it would with a broker.</summary>
    [Test]
    public void StopDevices_BrokerGone_WaitsForItNoLongerThanDriftIsBorne() => OnBroker(async (broker, _) =>
    {
        await using var cable = new Cable(broker.Port);
        var options = Options(broker) with { Broker = MqttAddress.Loopback(cable.Port), Count = 20, Gateways = 1, DriftMax = new Seconds(0.5) };
        await using var fleet = await BulkFleet.StartAsync(options, Stock, TimeProvider.System, default);
        fleet.Begin();
        for (var i = 0; i < 1500 && fleet.Tally.Ready < 20; i++) await TimeProvider.System.Delay(new Seconds(0.02));
        Assert.That(fleet.Tally.Ready, Is.EqualTo(20));
        cable.Pull();
        var stopping = fleet.StopDevicesAsync(new Seconds(3600));
        Assert.That(await Task.WhenAny(stopping, TimeProvider.System.Delay(new Seconds(60)).AsTask()), Is.SameAs(stopping));
        Assert.That(await fleet.LostAsync(), Is.Zero);
    });

    [Test]
    public void StopDevices_DuringTheRamp_EndsThoseThatHaveBegunAndNobodyBeginsAnyMore() => OnBroker(async (broker, _) =>
    {
        await using var fleet = await BulkFleet.StartAsync(Options(broker) with { Count = 400, Gateways = 1, Phase = new Seconds(20) }, Stock, TimeProvider.System, default);
        fleet.Begin();
        for (var i = 0; i < 1500 && fleet.Begun < 5; i++) await TimeProvider.System.Delay(new Seconds(0.02));
        await fleet.StopDevicesAsync(new Seconds(20));
        var begun = fleet.Begun;
        Assert.That(begun, Is.InRange(5, 399));
        await TimeProvider.System.Delay(new Seconds(1));
        Assert.That(fleet.Begun, Is.EqualTo(begun), "some twenty would have in that second");
        Assert.That(await fleet.LostAsync(), Is.Zero);
    });

    [TestCase(InferenceKind.Trace, false, 1)]
    [TestCase(InferenceKind.Trace, true, 0)]
    [TestCase(InferenceKind.Onnx, false, 0)]
    public void TakeWarnings_ARealEdgeServerOfItsSite_IsNamedWhereAnswersComeFromTraces(InferenceKind inference, bool isEmulated, int warnings) => OnBroker(async (broker, loop) =>
    {
        using var bus = broker.ConnectInProcess(loop);
        bus.Publish(new Topic(TopicKind.EdgeInfo, "lab", "shelf"), RealBoard.Info(Stock) with { Emulated = isEmulated });
        await using var fleet = await BulkFleet.StartAsync(Options(broker) with { Count = 1, Inference = inference }, Stock, TimeProvider.System, default);
        fleet.Begin();
        for (var i = 0; i < 1500 && fleet.Tally.Ready < 1; i++) await TimeProvider.System.Delay(new Seconds(0.02));
        var told = fleet.TakeWarnings().ToList();
        Assert.That(told, Has.Count.EqualTo(warnings));
        Assert.That(told, Is.All.Contain("lab/shelf is a real edge server").And.All.Contain("--inference onnx"));
        Assert.That(fleet.TakeWarnings(), Is.Empty, "once");
        await fleet.StopDevicesAsync(new Seconds(20));
    });

    [Test]
    public void Start_NobodyListens_FaultNamesTheBroker() => BrokerFixture.OnLoop(async _ =>
    {
        var port = BrokerFixture.FreePort();
        var fault = await Assert.ThrowsAsync<FaultsException>(async () => await BulkFleet.StartAsync(new BulkOptions { Broker = MqttAddress.Loopback(port), Count = 1, Gateways = 1 }, Stock, TimeProvider.System, default));
        Assert.That(fault!.Message, Does.Contain($"{port}").And.Contain("refused"));
    });

    [Test]
    public void Start_CertificateOfNobodyItTrusts_FaultSaysWhatOneMustBe() => BrokerFixture.OnLoop(async _ =>
    {
        var folder = Directory.CreateTempSubdirectory("fleet-tls-");
        try
        {
            var (certificate, key) = MqttBusConnectionTests.SelfSigned(folder.FullName);
            await using var broker = await BrokerFixture.StartAsync(new BrokerOptions { Port = 0, CertificateFile = certificate, KeyFile = key });
            var fault = await Assert.ThrowsAsync<FaultsException>(async () => await BulkFleet.StartAsync(new BulkOptions { Broker = broker.Address, Count = 1, Gateways = 1 }, Stock, TimeProvider.System, default));
            Assert.That(fault!.Message, Does.Contain("TLS: ").And.Contain("of an authority in --ca-file"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    });

    [Test]
    public void Gateway_CutOff_ItsDevicesAreLostAndThenComeBack() => OnBroker(async (broker, loop) =>
    {
        await using var cable = new Cable(broker.Port);
        using var bus = broker.ConnectInProcess(loop);
        var (states, seen) = (new Dictionary<string, Presence>(), new Inbox());
        bus.Subscribe(Topic.Filter(TopicKind.State, "lab"), (topic, message) =>
        {
            states[topic.Id] = ((State)message).Presence;
            seen.Add(topic, message);
        });
        await using var fleet = await BulkFleet.StartAsync(Options(broker) with { Broker = MqttAddress.Loopback(cable.Port), Count = 10, Gateways = 1 }, Stock, TimeProvider.System, default);
        fleet.Begin();
        await seen.UntilAsync(_ => states.Count == 10 && states.Values.All(state => state is Presence.Ready));

        cable.Pull();
        await seen.UntilAsync(_ => states.Values.All(state => state is Presence.Lost));
        cable.Plug();
        await seen.UntilAsync(_ => states.Values.All(state => state is Presence.Ready));
        Assert.That(fleet.Tally.Ready, Is.EqualTo(10), "who says so again counts once");

        await fleet.StopDevicesAsync(new Seconds(20));
        Assert.That(await fleet.LostAsync(), Is.Zero);
        Assert.That(fleet.Tally.Reconnects, Is.EqualTo(1));
    });

    [Test]
    public void Clones_OfARealBoard_TakeAsLongAsItMeasures() => OnBroker(async (broker, loop) =>
    {
        using var bus = broker.ConnectInProcess(loop);
        var card = Stock.Models["fmnist"].Card;
        var real = new RealBoard(bus, Stock, slower: 3);
        real.Say();
        var stageTimes = new Dictionary<string, double>();
        var seen = new Inbox();
        bus.Subscribe(Topic.Filter(TopicKind.Budget, "lab"), (topic, message) =>
        {
            if (topic.Id.StartsWith("clone-", StringComparison.Ordinal) && message is Budget { StageSeconds.Count: > 0 } budget) stageTimes[topic.Id] = budget.StageSeconds.Of(1);
            seen.Add(topic, message);
        });
        Prediction? told = null;
        bus.Subscribe(Topic.Filter(TopicKind.Prediction, "lab"), (topic, message) => told = message as Prediction);

        await using var fleet = await BulkFleet.StartAsync(Options(broker) with { Count = 20, Gateways = 1, IdPrefix = "clone-", CloneOf = ["real"] }, Stock, TimeProvider.System, default);
        fleet.Begin();
        await seen.UntilAsync(_ => stageTimes.Count == 20);

        var claim = Stock.Profiles["pi-4b"].NominalTime(card.Stages[0]).Value;
        Assert.That(stageTimes.Values.Average() / claim, Is.EqualTo(3).Within(0.2), "three times the profile's claim, as measured");
        Assert.That(stageTimes.Values.Distinct().Count(), Is.GreaterThan(10), "each clone has its own silicon");
        Assert.That(told?.Error, Is.EqualTo(2.0 / 3).Within(1e-3), "published: |claim - measured| / measured");

        stageTimes.Clear();
        real.Say(slower: 6);
        await seen.UntilAsync(_ => stageTimes.Count == 20 && stageTimes.Values.Average() / claim > 4);
        await fleet.StopDevicesAsync(new Seconds(20));
        Assert.That(await fleet.LostAsync(), Is.Zero);
    });

    [Test]
    public void Clones_OfABoardNobodyHears_FaultNamesIt() => OnBroker(async (broker, loop) =>
    {
        using var bus = broker.ConnectInProcess(loop);
        bus.Publish(new Topic(TopicKind.Info, "lab", "fake"), RealBoard.Info(Stock) with { Emulated = true });
        var fault = await Assert.ThrowsAsync<FaultsException>(async () => await BulkFleet.StartAsync(Options(broker) with { CloneOf = ["fake"] }, Stock, TimeProvider.System, default));
        Assert.That(fault!.Message, Does.Contain("fake").And.Contain("emulated itself"));
    });

    private static BulkOptions Options(EmbeddedBroker broker) => new() { Broker = broker.Address, Ramp = 500, Rate = new Hertz(20), Gateways = 1, DriftMax = new Seconds(60) };

    private static async Task<BulkFigures> Run(BulkOptions options, Func<BulkFleet, bool> until)
    {
        await using var fleet = await BulkFleet.StartAsync(options, Stock, TimeProvider.System, default);
        using var stop = new CancellationTokenSource();
        var run = new BulkRun(fleet, options, TimeProvider.System, _ =>
        {
        });
        var running = run.Run(null, stop.Token);
        for (var i = 0; i < 1500 && !running.IsCompleted && !until(fleet); i++) await TimeProvider.System.Delay(new Seconds(0.02));
        stop.Cancel();
        return await running.WaitAsync(TimeSpan.FromSeconds(120), TimeProvider.System);
    }

    private static void OnBroker(Func<EmbeddedBroker, EventLoop, Task> test) => BrokerFixture.OnLoop(async loop =>
    {
        await using var broker = await BrokerFixture.StartAsync();
        using var control = broker.ConnectInProcess(loop);
        using var stop = new CancellationTokenSource();
        var running = new List<Task>();
        var options = new ControllerOptions { ReportPeriod = new Seconds(0.5), PlanPeriod = new Seconds(0.2), Settle = new Seconds(0.1) };
        using var router = new SiteRouter(control, (site, bus) => running.Add(new SiteController(
            site, bus, TimeProvider.System, options, Planners.Create(Planners.Default, Planned.Table, new CostModel(new Weights())), Planned.Table, Planned.Model, Stock.Profiles, new Random(1)).Run(stop.Token)));
        router.Start();
        await test(broker, loop);
        stop.Cancel();
        await Task.WhenAll(running);
    });

    /// <summary>A board as its agent makes it heard, with stage times that its profile does not claim.</summary>
    private sealed class RealBoard(IBus bus, Stock stock, double slower)
    {
        private readonly double slowerAtFirst = slower;
        private long sequence;

        public static Info Info(Stock stock) => new()
        {
            Board = stock.Profiles["pi-4b"].Board,
            Stack = stock.Profiles["pi-4b"].Stack,
            Profile = "pi-4b",
            AgentVersion = "1",
            Os = "Linux",
            Emulated = false,
        };

        public void Say(double? slower = null)
        {
            var model = stock.Models["fmnist"];
            var factor = slower ?? slowerAtFirst;
            var runs = Planned.Table.All.First(option => option.Head == model.Card.StageCount).Assign(null, new ControllerOptions { ReportPeriod = new Seconds(0.5) }, "") with { Version = 1, Epoch = 1 };
            bus.Publish(new Topic(TopicKind.Info, "lab", "real"), Info(stock));
            bus.Publish(new Topic(TopicKind.Reported, "lab", "real"), runs);
            bus.Publish(new Topic(TopicKind.Budget, "lab", "real"), new Budget
            {
                Sequence = sequence++,
                SentAt = new Seconds(1_700_000_000),
                ReportPeriod = new Seconds(5),
                StageSeconds = new PerExit(model.Card.Stages.Select(stage => stock.Profiles["pi-4b"].NominalTime(stage).Value * factor)),
            });
        }
    }
}

/// <summary>A broker that accepts, grants and then reads nothing any more.</summary>
internal sealed class DeafBroker : IAsyncDisposable
{
    private readonly System.Net.Sockets.TcpListener listener = new(System.Net.IPAddress.Loopback, 0);
    private readonly List<System.Net.Sockets.TcpClient> clients = [];
    private readonly Task accepting;

    public DeafBroker()
    {
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        listener.Stop();
        await accepting;
        lock (clients) clients.ForEach(client => client.Dispose());
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync();
                lock (clients) clients.Add(client);
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    /// <summary>CONNACK to the CONNECT, a SUBACK to the first SUBSCRIBE, nothing from then on.</summary>
    private static async Task ServeAsync(System.Net.Sockets.TcpClient client)
    {
        var stream = client.GetStream();
        var buffer = new byte[64 * 1024];
        try
        {
            await stream.ReadAtLeastAsync(buffer, 2);
            await stream.WriteAsync(new byte[] { 0x20, 3, 0, 0, 0 });
            var read = await stream.ReadAtLeastAsync(buffer, 2);
            MqttPackets.FrameLength(buffer.AsSpan(0, read), out var header);
            var filters = Count(buffer.AsSpan(header, read - header));
            await stream.WriteAsync(new byte[] { 0x90, (byte)(3 + filters), buffer[header], buffer[header + 1], 0 }.Concat(Enumerable.Repeat((byte)1, filters)).ToArray());
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The client went first.
        }
    }

    private static int Count(ReadOnlySpan<byte> subscribe)
    {
        var (at, filters) = (3, 0);
        for (; at + 2 < subscribe.Length; filters++) at += 2 + (subscribe[at] << 8 | subscribe[at + 1]) + 1;
        return filters;
    }
}
