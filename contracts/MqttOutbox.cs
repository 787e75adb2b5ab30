using MQTTnet;

namespace Fleet.Contracts;

/// <summary>
/// Messages on their way to the broker: three bounded lanes, sent in the order they were handed over. While disconnected, and
/// whenever its lane is full, a message replaces the one that waits for the same topic if the newest is what matters there; otherwise
/// a full lane loses its oldest. Filled by the event loop, emptied by the sender.
/// </summary>
internal sealed class MqttOutbox(MqttBusOptions options, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Lane kept = new(options.KeptMax, long.MaxValue);
    private readonly Lane telemetry = new(options.TelemetryMax, long.MaxValue);
    private readonly Lane data = new(options.DataMax, options.DataBytesMax);
    private readonly SemaphoreSlim arrived = new(0, 1);
    private TaskCompletionSource? idle;
    private long lastSequence;
    private int taken;
    private long dropped;
    private long superseded;

    public long Dropped => Interlocked.Read(ref dropped);

    public long Superseded => Interlocked.Read(ref superseded);

    /// <summary>One message. <paramref name="Expires"/>: when nobody waits for it any more, in the clock's timestamps.</summary>
    internal sealed record Item(long Sequence, TopicKind Kind, MqttApplicationMessage Message, long? Expires)
    {
        public string Path => Message.Topic;

        public long Bytes => Message.Payload.Length;

        /// <summary>The last state says it all; windows carry totals from the start, so a lost one breaks no books.</summary>
        public bool NewestWins => TopicRule.Of(Kind).Retained || Kind is TopicKind.Infer;
    }

    public void Drop() => Interlocked.Increment(ref dropped);

    public void Add(TopicKind kind, MqttApplicationMessage message, Seconds? lifetime, bool connected)
    {
        lock (gate)
        {
            var lane = LaneOf(kind);
            if (lane == data && !connected)
            {
                Drop();
                return;
            }
            var expires = lifetime is { } seconds ? time.GetTimestamp() + (long)(seconds.Value * time.TimestampFrequency) : (long?)null;
            var item = new Item(++lastSequence, kind, message, expires);
            if ((!connected || lane.IsFull(item)) && lane.TryReplace(item)) Interlocked.Increment(ref superseded);
            else Interlocked.Add(ref dropped, lane.Append(item));
        }
        Signal();
    }

    /// <summary>The oldest message of all lanes; the sender says later what became of it.</summary>
    public bool TryTake(out Item item)
    {
        lock (gate)
        {
            while (true)
            {
                var lane = kept;
                if (telemetry.FirstSequence < lane.FirstSequence) lane = telemetry;
                if (data.FirstSequence < lane.FirstSequence) lane = data;
                if (!lane.TryRemoveFirst(out item)) break;
                if (item.Expires > time.GetTimestamp() || item.Expires is null)
                {
                    taken++;
                    return true;
                }
                Drop();
            }
        }
        CompleteIfIdle();
        return false;
    }

    public Task WhenAddedAsync(CancellationToken cancel) => arrived.WaitAsync(cancel);

    /// <summary>It was sent, or will never be.</summary>
    public void Done()
    {
        lock (gate) taken--;
        CompleteIfIdle();
    }

    /// <summary>The connection broke before it was sent or acknowledged.</summary>
    public void PutBack(Item item)
    {
        lock (gate)
        {
            taken--;
            var lane = LaneOf(item.Kind);
            if (lane == data) Drop();
            else if (!lane.TryPutBack(item)) Interlocked.Increment(ref superseded);
        }
        CompleteIfIdle();
        Signal();
    }

    /// <summary>Completes when everything was sent.</summary>
    public Task WhenIdleAsync()
    {
        Task task;
        lock (gate) task = (idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        CompleteIfIdle();
        return task;
    }

    private Lane LaneOf(TopicKind kind) => kind switch
    {
        TopicKind.Offload or TopicKind.Reply or TopicKind.EdgeReply => data,
        TopicKind.Budget or TopicKind.Infer or TopicKind.EdgeLoad or TopicKind.Summary or TopicKind.Plan => telemetry,
        _ => kept,
    };

    private void Signal()
    {
        lock (arrived)
            if (arrived.CurrentCount == 0) arrived.Release();
    }

    private void CompleteIfIdle()
    {
        lock (gate)
        {
            if (idle is null || taken > 0 || kept.Count + telemetry.Count + data.Count > 0) return;
            idle.TrySetResult();
            idle = null;
        }
    }

    private sealed class Lane(int countMax, long bytesMax)
    {
        private readonly LinkedList<Item> items = [];
        private readonly Dictionary<string, LinkedListNode<Item>> newest = new(StringComparer.Ordinal);
        private long bytes;

        public int Count => items.Count;

        public long FirstSequence => items.First?.Value.Sequence ?? long.MaxValue;

        public bool IsFull(Item item) => items.Count >= countMax || items.Count > 0 && bytes + item.Bytes > bytesMax;

        public bool TryReplace(Item item)
        {
            if (!item.NewestWins || !newest.TryGetValue(item.Path, out var waiting)) return false;
            bytes += item.Bytes - waiting.Value.Bytes;
            // It keeps the place of what it replaces: a busy topic must not push itself back for ever.
            waiting.Value = item with { Sequence = waiting.Value.Sequence };
            return true;
        }

        /// <summary>Returns how many had to go.</summary>
        public int Append(Item item)
        {
            var gone = 0;
            for (; IsFull(item); gone++) Remove(items.First!);
            Insert(items.AddLast(item));
            return gone;
        }

        /// <summary>False when a newer one waits already, or the lane has filled up meanwhile.</summary>
        public bool TryPutBack(Item item)
        {
            if (IsFull(item) || item.NewestWins && newest.ContainsKey(item.Path)) return false;
            var after = items.First;
            while (after is not null && after.Value.Sequence < item.Sequence) after = after.Next;
            Insert(after is null ? items.AddLast(item) : items.AddBefore(after, item));
            return true;
        }

        public bool TryRemoveFirst(out Item item)
        {
            item = items.First?.Value!;
            if (item is null) return false;
            Remove(items.First!);
            return true;
        }

        private void Insert(LinkedListNode<Item> node)
        {
            bytes += node.Value.Bytes;
            if (node.Value.NewestWins) newest[node.Value.Path] = node;
        }

        private void Remove(LinkedListNode<Item> node)
        {
            bytes -= node.Value.Bytes;
            if (newest.TryGetValue(node.Value.Path, out var last) && last == node) newest.Remove(node.Value.Path);
            items.Remove(node);
        }
    }
}
