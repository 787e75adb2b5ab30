using System.Net;
using System.Net.Sockets;
using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>A reader that waits for company, over a real socket; how long it waits is decided here.</summary>
[CancelAfter(30_000)]
public sealed class LingeringStreamTests
{
    private readonly HeldTime time = new();
    private Socket far = null!;
    private LingeringStream stream = null!;

    [SetUp]
    public async Task ConnectAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var near = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await near.ConnectAsync(listener.LocalEndpoint);
        far = await listener.AcceptSocketAsync();
        far.NoDelay = true;
        stream = new LingeringStream(near, new Seconds(0.01), time);
    }

    [TearDown]
    public void Close()
    {
        stream.Dispose();
        far.Dispose();
    }

    [Test]
    public async Task Read_LittleComes_WaitsForCompanyAndIsNotWoken(CancellationToken cancel)
    {
        var read = ReadAsync(100, cancel);
        far.Send([1]);
        far.Send([2]);
        await UntilThereAreAsync(2, cancel);

        Assert.That(read.IsCompleted, Is.False);
        if (OperatingSystem.IsLinux()) Assert.That(LowWater, Is.GreaterThan(1000), "below it Linux wakes nobody");
        time.Fire();
        Assert.That(await read, Is.EqualTo(new byte[] { 1, 2 }));
    }

    [Test]
    public async Task Read_NothingCameMeanwhile_IsWokenByTheFirstByte(CancellationToken cancel)
    {
        far.Send([1]);
        await UntilThereAreAsync(1, cancel);
        var first = ReadAsync(100, cancel);
        time.Fire();
        await first;
        var second = ReadAsync(100, cancel);
        time.Fire();
        Assert.That(second.IsCompleted, Is.False);

        far.Send([2]);

        Assert.That(await second, Is.EqualTo(new byte[] { 2 }));
    }

    [Test]
    public async Task Read_AfterOneThatBroughtMuch_DoesNotWait(CancellationToken cancel)
    {
        const int much = 8 * 1024;
        var first = ReadAsync(much, cancel);
        far.Send(new byte[much + 1]);
        await UntilThereAreAsync(much + 1, cancel);
        time.Fire();
        Assert.That(await first, Has.Length.EqualTo(much));

        Assert.That(await ReadAsync(much, cancel), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task Read_OtherEndGoesMeanwhile_Ends(CancellationToken cancel)
    {
        var read = ReadAsync(100, cancel);
        far.Shutdown(SocketShutdown.Both);
        far.Dispose();
        time.Fire();

        Assert.That(await read, Is.Empty);
    }

    [Test]
    public void Read_CancelledMeanwhile_SaysSo()
    {
        using var stop = new CancellationTokenSource();
        var read = ReadAsync(100, stop.Token);

        stop.Cancel();

        Assert.That(() => read, Throws.InstanceOf<OperationCanceledException>());
    }

    private int LowWater => (int)stream.Socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveLowWater)!;

    private async Task<byte[]> ReadAsync(int max, CancellationToken cancel)
    {
        var buffer = new byte[max];
        return buffer[..await stream.ReadAsync(buffer, cancel)];
    }

    private async Task UntilThereAreAsync(int bytes, CancellationToken cancel)
    {
        while (stream.Socket.Available < bytes) await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, cancel);
    }

    /// <summary>Time in which a timer is due when the test says so.</summary>
    private sealed class HeldTime : TimeProvider
    {
        private Action? due;

        public void Fire() => due!();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            due = () => callback(state);
            return new HeldTimer();
        }

        private sealed class HeldTimer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
