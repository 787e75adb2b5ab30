using CsCheck;
using Fleet.Emulator.Live;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Live;

public sealed class PacketRingTests
{
    [Test]
    public void Ring_AnyOrderOfWritingSendingAndAcknowledging_SendsEveryPacketOnceAndWhole()
    {
        Gen.Select(Gen.Int[2, 40], Gen.Bool, Gen.Int[0, 3]).Array[1, 200].Sample(steps =>
        {
            var ring = new PacketRing(16, 512);
            var sent = new List<byte>();
            var written = new List<byte>();
            var open = new Queue<ushort>();
            byte next = 0;
            foreach (var (length, acknowledged, after) in steps)
            {
                if (ring.TryReserve(length, acknowledged, now: 0, out var packet, out var id))
                {
                    next++;
                    packet.Fill(next);
                    written.AddRange(packet.ToArray());
                    if (acknowledged) open.Enqueue(id);
                }
                if (after > 0) Send(ring, sent);
                // Only what was sent is acknowledged: the rest waits its turn.
                if (after > 1 && open.Count > 0 && ring.InFlight > 0) Assert.That(ring.TryAcknowledge(open.Dequeue(), out _));
            }
            while (ring.Unsent > 0 || ring.InFlight > 0)
            {
                Send(ring, sent);
                while (ring.InFlight > 0) Assert.That(ring.TryAcknowledge(open.Dequeue(), out _));
            }
            Assert.That(sent, Is.EqualTo(written));
            Assert.That(ring, Has.Property("Awaiting").Zero.And.Property("InFlight").Zero);
        }, iter: 200);
    }

    [Test]
    public void TryTake_WindowOfTwo_HoldsTheThirdBackUntilOneIsAcknowledged()
    {
        var ring = new PacketRing(64, 64);
        var ids = Enumerable.Range(0, 3).Select(_ => Put(ring, 5)).ToList();

        Assert.That(ring.TryTake(2, 1000, now: 7, out var run) ? run.Length : 0, Is.EqualTo(10));
        ring.Written();
        Assert.That(ring.TryTake(2, 1000, 8, out _), Is.False);
        Assert.That(ring.TryAcknowledge(ids[0], out var sentAt) ? sentAt : 0, Is.EqualTo(7));
        Assert.That(ring.TryTake(2, 1000, 8, out run) ? run.Length : 0, Is.EqualTo(5));
        Assert.That(ring.TryAcknowledge(ids[0], out _), Is.False, "it was acknowledged before");
    }

    [Test]
    public void TryReserve_BeyondTheBound_IsRefusedUntilSomethingIsFreed()
    {
        var ring = new PacketRing(16, 32);
        var first = Put(ring, 20);
        Assert.That(ring.TryReserve(20, true, now: 0, out _, out _), Is.False);

        Send(ring, []);
        ring.TryAcknowledge(first, out _);

        Assert.That(ring.TryReserve(20, true, now: 0, out _, out _));
    }

    [Test]
    public void Rewind_SomeAcknowledged_SendsTheOthersAgainMarkedAsDuplicates()
    {
        var ring = new PacketRing(64, 64);
        var ids = Enumerable.Range(0, 3).Select(_ => Put(ring, 4)).ToList();
        Send(ring, []);
        ring.TryAcknowledge(ids[1], out _);

        ring.Rewind();

        var again = new List<byte>();
        while (ring.TryTake(10, 1000, 0, out var run))
        {
            again.AddRange(run.ToArray());
            ring.Written();
        }
        Assert.That(again, Is.EqualTo(new byte[] { 0x3A, 0, 0, 0, 0x3A, 0, 0, 0 }));
        Assert.That(ring.TryAcknowledge(ids[0], out _) && ring.TryAcknowledge(ids[2], out _));
        Assert.That(ring.Awaiting, Is.Zero);
    }

    [Test]
    public void OldestPutAt_SentOrNotAndOverReconnects_IsOfTheFirstThatIsNotAcknowledged()
    {
        var ring = new PacketRing(64, 64);
        Assert.That(ring.OldestPutAt, Is.Null);
        var first = Put(ring, 4, now: 3);
        Assert.That(ring.OldestPutAt, Is.EqualTo(3), "nobody has taken it: there may be no connection");
        Send(ring, []);
        var second = Put(ring, 4, now: 5);
        Assert.That(ring.OldestPutAt, Is.EqualTo(3), "sent is not acknowledged");

        ring.Rewind();
        Assert.That(ring.OldestPutAt, Is.EqualTo(3), "a new connection makes nothing younger");
        Send(ring, []);
        ring.TryAcknowledge(first, out _);
        Assert.That(ring.OldestPutAt, Is.EqualTo(5));
        ring.TryAcknowledge(second, out _);
        Assert.That(ring.OldestPutAt, Is.Null);
    }

    [Test]
    public void OldestPutAt_WhatIsSentAtMostOnce_CountsUntilItIsSent()
    {
        var ring = new PacketRing(64, 64);
        ring.TryReserve(4, acknowledged: false, now: 3, out _, out _);
        Assert.That(ring.OldestPutAt, Is.EqualTo(3));
        Send(ring, []);
        Assert.That(ring.OldestPutAt, Is.Null);
    }

    [Test]
    public void Ring_InSteadyState_AllocatesNothing()
    {
        var ring = new PacketRing(4096, 4096);
        void Round()
        {
            for (var i = 0; i < 10; i++) ring.TryReserve(100, i % 2 == 0, now: 0, out _, out _);
            while (ring.TryTake(100, 32_768, 1, out _)) ring.Written();
        }
        Round();
        for (ushort id = 1; id <= 5; id++) ring.TryAcknowledge(id, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 100; round++)
        {
            Round();
            for (var id = 6 + 5 * round; id < 11 + 5 * round; id++) ring.TryAcknowledge((ushort)id, out _);
        }
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(ring.Awaiting, Is.Zero);
    }

    private static ushort Put(PacketRing ring, int length, long now = 0)
    {
        Assert.That(ring.TryReserve(length, true, now, out var packet, out var id));
        packet.Clear();
        packet[0] = 0x32;
        return id;
    }

    private static void Send(PacketRing ring, List<byte> sent)
    {
        while (ring.TryTake(1000, 32_768, 0, out var run))
        {
            sent.AddRange(run.ToArray());
            ring.Written();
        }
    }
}
