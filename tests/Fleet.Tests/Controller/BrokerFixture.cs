using System.Net;
using System.Net.Sockets;
using Fleet.Contracts;
using Fleet.Controller.Broker;

namespace Fleet.Tests.Controller;

/// <summary>What the tests of bus and broker share.</summary>
internal static class BrokerFixture
{
    /// <summary>Every wait ends here: only a hanging test ever gets this far.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static readonly Topic Summary = new(TopicKind.Summary, "lab");

    public static Topic StateOf(string device) => new(TopicKind.State, "lab", device);

    public static Topic BudgetOf(string device) => new(TopicKind.Budget, "lab", device);

    public static Topic ReplyTo(string device) => new(TopicKind.Reply, "lab", device);

    public static Budget Budget(long sequence) => new() { Sequence = sequence, SentAt = new Seconds(1), ReportPeriod = new Seconds(5) };

    public static Command Command(string status) => new() { Verb = "measure", Status = status };

    public static Reply Reply(ulong request) => new() { RequestId = request, Status = OffloadStatus.Ok, Label = 3 };

    public static void OnLoop(Func<EventLoop, Task> test) => EventLoop.Run(async loop =>
    {
        await test(loop);
        return true;
    });

    public static Task<EmbeddedBroker> StartAsync(BrokerOptions? options = null) =>
        EmbeddedBroker.StartAsync(options ?? new BrokerOptions { Port = 0 }, TimeProvider.System);

    public static MqttBusOptions Options(EmbeddedBroker broker, string client = "tester") => Options(broker.Address, client);

    public static MqttBusOptions Options(MqttAddress address, string client = "tester") => new()
    {
        Broker = address,
        ClientId = client,
        Backoff = new Backoff(new Seconds(0.01), new Seconds(0.1)),
    };

    public static Task<MqttBus> ConnectAsync(MqttBusOptions options, EventLoop loop, bool failFast = true) =>
        MqttBus.ConnectAsync(options, loop, TimeProvider.System, new Random(1), failFast);

    /// <summary>A port that was free a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>What came to a handler; a test awaits it instead of sleeping.</summary>
internal sealed class Inbox
{
    private readonly List<(Topic Topic, Message Message)> all = [];
    private TaskCompletionSource came = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<(Topic Topic, Message Message)> All => all;

    public IEnumerable<Message> Messages => all.Select(entry => entry.Message);

    public void Add(Topic topic, Message message)
    {
        all.Add((topic, message));
        var before = came;
        came = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        before.SetResult();
    }

    public async Task UntilAsync(Func<IReadOnlyList<(Topic Topic, Message Message)>, bool> enough)
    {
        while (!enough(all)) await came.Task.WaitAsync(BrokerFixture.Patience);
    }

    public Task UntilAsync(int count) => UntilAsync(entries => entries.Count >= count);

    public Task UntilAsync(Message message) => UntilAsync(entries => entries.Any(entry => entry.Message.Equals(message)));
}

/// <summary>Connections of a bus, as it reports them.</summary>
internal sealed class Connections
{
    private readonly List<bool> changes = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Connections(IBus bus) => bus.ConnectionChanged += connected =>
    {
        changes.Add(connected);
        var before = changed;
        changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        before.SetResult();
    };

    public IReadOnlyList<bool> Changes => changes;

    public async Task UntilAsync(params bool[] wanted)
    {
        while (!changes.SequenceEqual(wanted)) await changed.Task.WaitAsync(BrokerFixture.Patience);
    }
}

/// <summary>A network cable between a client and a broker, which can be pulled: the broker then hears no goodbye.</summary>
internal sealed class Cable : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly List<TcpClient> ends = [];
    private readonly int target;
    private readonly Task accepting;
    private bool pulled;

    public Cable(int target)
    {
        this.target = target;
        listener.Start();
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        accepting = AcceptAsync();
    }

    public int Port { get; }

    public void Pull()
    {
        lock (ends)
        {
            pulled = true;
            foreach (var end in ends) Cut(end);
            ends.Clear();
        }
    }

    public void Plug()
    {
        lock (ends) pulled = false;
    }

    public async ValueTask DisposeAsync()
    {
        Pull();
        listener.Stop();
        await accepting;
        listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var near = await listener.AcceptTcpClientAsync();
                var far = new TcpClient();
                await far.ConnectAsync(IPAddress.Loopback, target);
                lock (ends)
                {
                    ends.AddRange([near, far]);
                    if (pulled)
                    {
                        Cut(near);
                        Cut(far);
                        continue;
                    }
                }
                _ = CopyAsync(near, far);
                _ = CopyAsync(far, near);
            }
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            // Stopped or disposed, whether it was waiting or about to, or the broker is gone.
        }
    }

    /// <summary>A reset, not a goodbye.</summary>
    private static void Cut(TcpClient end)
    {
        if (end.Client is { } socket) socket.LingerState = new LingerOption(true, 0);
        end.Dispose();
    }

    private static async Task CopyAsync(TcpClient from, TcpClient to)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream());
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException or SocketException)
        {
            // Pulled.
        }
        to.Dispose();
    }
}
