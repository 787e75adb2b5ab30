namespace Fleet.Emulator.Live;

/// <summary>
/// MQTT packets of one connection from the moment they are written until they have gone (at most once) or are acknowledged (at least
/// once), in one ring of bytes: a packet is encoded where it is sent from, kept where it was sent from, and sent again from there after
/// a reconnect. It grows by doubling up to its bound and allocates nothing else. Not thread-safe.
/// </summary>
public sealed class PacketRing
{
    /// <summary>At-least-once packets it can hold: identifiers are 1 to 65535, and one must not come round while it is in use.</summary>
    public const int AwaitingMax = 60_000;

    private readonly int bytesMax;
    private byte[] bytes;
    private Entry[] entries;
    private int first, count, unsent; // entries: the oldest, how many, and how many of them from the end have not been sent
    private int tail; // where the next packet is written
    private int awaiting, inFlight;
    private int writing; // of the sent ones, the last that are still being written to the socket
    private ushort lastId;

    private struct Entry
    {
        public int Start;
        public int Length;

        /// <summary>0: at most once.</summary>
        public ushort Id;
        public bool IsDone;
        public long PutAt;
        public long SentAt;
    }

    public PacketRing(int bytesInitial, int bytesMax)
    {
        this.bytesMax = bytesMax;
        bytes = new byte[bytesInitial];
        entries = new Entry[8];
    }

    /// <summary>At-least-once packets that are not acknowledged, sent or not.</summary>
    public int Awaiting => awaiting;

    /// <summary>At-least-once packets sent and not acknowledged.</summary>
    public int InFlight => inFlight;

    /// <summary>Packets that wait to be sent.</summary>
    public int Unsent => unsent;

    /// <summary>More than half full, by packets or by bytes.</summary>
    public bool IsCrowded => awaiting > AwaitingMax / 2 || Occupied > bytesMax / 2;

    /// <summary>Timestamp at which the oldest packet was put in that is neither gone nor acknowledged, be there a connection or not; null when there is none.</summary>
    public long? OldestPutAt
    {
        get
        {
            for (var i = 0; i < count; i++)
                if (entries[At(i)] is { IsDone: false } entry) return entry.PutAt;
            return null;
        }
    }

    /// <summary>Room for a packet of this length, to be written now; false when the ring is full. <paramref name="id"/>: 0 unless it is to be acknowledged.</summary>
    public bool TryReserve(int length, bool acknowledged, long now, out Span<byte> packet, out ushort id)
    {
        packet = default;
        id = 0;
        if (acknowledged && awaiting >= AwaitingMax || !TryPlace(length, out var start)) return false;
        if (acknowledged)
        {
            id = lastId = lastId == ushort.MaxValue ? (ushort)1 : (ushort)(lastId + 1);
            awaiting++;
        }
        if (count == entries.Length) GrowEntries();
        entries[At(count)] = new Entry { Start = start, Length = length, Id = id, PutAt = now };
        count++;
        unsent++;
        tail = start + length;
        packet = bytes.AsSpan(start, length);
        return true;
    }

    /// <summary>The next packets that lie side by side, of which at most <paramref name="window"/> may be in flight; they count as sent from now on.</summary>
    public bool TryTake(int window, int bytesAtOnce, long now, out ReadOnlyMemory<byte> run)
    {
        var (start, end) = (-1, 0);
        while (unsent > 0)
        {
            ref var entry = ref entries[At(count - unsent)];
            if (entry.Id > 0 && inFlight >= window) break;
            if (start >= 0 && (entry.Start != end || end - start + entry.Length > bytesAtOnce)) break;
            if (start < 0) start = entry.Start;
            end = entry.Start + entry.Length;
            unsent--;
            writing++;
            entry.SentAt = now;
            if (entry.Id > 0) inFlight++;
            else entry.IsDone = true;
        }
        run = start < 0 ? default : bytes.AsMemory(start, end - start);
        return start >= 0;
    }

    /// <summary>The run of <see cref="TryTake"/> has been written to the socket.</summary>
    public void Written()
    {
        writing = 0;
        Free();
    }

    /// <summary>False when no packet of that identifier waits for it. <paramref name="sentAt"/>: when it was sent.</summary>
    public bool TryAcknowledge(ushort id, out long sentAt)
    {
        for (var i = 0; i < count - unsent; i++)
        {
            ref var entry = ref entries[At(i)];
            if (entry.Id != id || entry.IsDone) continue;
            (entry.IsDone, sentAt) = (true, entry.SentAt);
            awaiting--;
            inFlight--;
            Free();
            return true;
        }
        sentAt = 0;
        return false;
    }

    /// <summary>The connection is a new one: what was not acknowledged is sent again, with the DUP flag.</summary>
    public void Rewind()
    {
        Written();
        for (var i = 0; i < count - unsent; i++)
        {
            ref var entry = ref entries[At(i)];
            if (entry is { Id: > 0, IsDone: false }) bytes[entry.Start] |= 0x08;
        }
        unsent = count;
        inFlight = 0;
        // What was done between packets that were not is skipped by a length of nothing.
        for (var i = 0; i < count; i++)
            if (entries[At(i)].IsDone) entries[At(i)] = entries[At(i)] with { Length = 0, Id = 0 };
    }

    private int Occupied => count == 0 ? 0 : tail > entries[first].Start ? tail - entries[first].Start : bytes.Length - entries[first].Start + tail;

    private void Free()
    {
        while (count > unsent + writing && entries[first].IsDone)
        {
            first = (first + 1) % entries.Length;
            count--;
        }
        if (count == 0) tail = 0;
    }

    /// <summary>Packets do not wrap: one that does not fit before the end of the ring begins at its start.</summary>
    private bool TryPlace(int length, out int start)
    {
        while (true)
        {
            var head = count == 0 ? 0 : entries[first].Start;
            start = tail;
            if (count == 0 ? length <= bytes.Length : tail > head && tail + length <= bytes.Length) return true;
            start = 0;
            if (count > 0 && tail > head && length < head) return true;
            start = tail;
            if (count > 0 && tail <= head && tail + length < head) return true;
            if (!TryGrow(length)) return false;
        }
    }

    private bool TryGrow(int length)
    {
        if (bytes.Length >= bytesMax) return false;
        // A send may still read the old array: it is left as it is.
        var larger = new byte[(int)Math.Min(bytesMax, Math.Max(bytes.Length * 2L, bytes.Length + (long)length))];
        var at = 0;
        for (var i = 0; i < count; i++)
        {
            ref var entry = ref entries[At(i)];
            bytes.AsSpan(entry.Start, entry.Length).CopyTo(larger.AsSpan(at));
            entry.Start = at;
            at += entry.Length;
        }
        (bytes, tail) = (larger, at);
        return true;
    }

    private void GrowEntries()
    {
        var larger = new Entry[entries.Length * 2];
        for (var i = 0; i < count; i++) larger[i] = entries[At(i)];
        (entries, first) = (larger, 0);
    }

    private int At(int i) => (first + i) % entries.Length;
}
