using Fleet.Contracts;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

public sealed class OffloadsTests
{
    private static readonly Topic Edge = new(TopicKind.Offload, "lab", "edge-1");

    [Test]
    public void Receive_AfterTheDeadline_IsCountedLateAndEndsNothing()
    {
        var (world, offloads) = Make();
        Reply? got = null;
        var ended = 0;
        world.Clock.Start(async () =>
        {
            got = await offloads.Send(Edge, TinyModel.Frame(1, offloads.NewRequestId(), deadline: 0.2), Bytes.Zero);
            ended++;
        });
        world.Run(0.1);
        Assert.That(offloads.Waiting, Is.EqualTo(1));
        world.Run(1);
        offloads.Receive(new Reply { RequestId = 1, Status = OffloadStatus.Ok, Label = 1, Confidence = 1 });
        world.Run(2);
        Assert.That((got, ended, offloads.Late, offloads.Waiting), Is.EqualTo(((Reply?)null, 1, 1L, 0)));
    }

    [Test]
    public void Receive_Twice_TheSecondIsNobodys()
    {
        var (world, offloads) = Make();
        world.Clock.Start(() => offloads.Send(Edge, TinyModel.Frame(1, offloads.NewRequestId()), Bytes.Zero).AsTask());
        world.Run(0.1);
        var reply = new Reply { RequestId = 1, Status = OffloadStatus.Ok, Label = 1, Confidence = 1 };
        offloads.Receive(reply);
        offloads.Receive(reply);
        Assert.That(offloads.Late, Is.EqualTo(1));
    }

    [Test]
    public void RoundTrip_OfAReply_LeavesOutQueueAndComputing()
    {
        var (world, offloads) = Make();
        world.Clock.Start(() => offloads.Send(Edge, TinyModel.Frame(1, offloads.NewRequestId()), Bytes.Zero).AsTask());
        world.Run(0.3);
        offloads.Receive(new Reply { RequestId = 1, Status = OffloadStatus.Ok, Label = 1, Confidence = 1, Queue = new Seconds(0.1), Compute = new Seconds(0.15) });
        Assert.That(offloads.Link.RoundTrip!.Value.Value, Is.EqualTo(0.05).Within(1e-6));
    }

    [Test]
    public void MayTry_LineDownOrEnoughWaiting_IsFalse()
    {
        var (world, offloads) = Make(pendingMax: 1);
        Assert.That(offloads.MayTry(), Is.True);
        world.Clock.Start(() => offloads.Send(Edge, TinyModel.Frame(1, offloads.NewRequestId()), Bytes.Zero).AsTask());
        world.Run(0.1);
        Assert.That(offloads.MayTry(), Is.False);
        world.Run(5);
        Assert.That(offloads.MayTry(), Is.True);
    }

    private static (BusWorld World, Offloads Offloads) Make(int pendingMax = 8)
    {
        var world = new BusWorld();
        return (world, new Offloads(world.Bus.Connect("cam-1"), world.Clock, pendingMax, new LinkEstimate(new BytesPerSecond(1e6))));
    }
}
