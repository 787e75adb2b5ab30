using System.Diagnostics.CodeAnalysis;

namespace Fleet.Emulator.Simulation;

/// <summary>
/// What is due, in the order (due, sequence). A heap of four children a node whose keys lie beside the items, so that ordering touches
/// no object: several times faster than a PriorityQueue of pairs.
/// </summary>
public sealed class EventQueue<T> where T : class
{
    private const int Children = 4;
    private Entry[] heap = new Entry[64];

    public int Count { get; private set; }

    public void Add(T item, long due, long sequence)
    {
        if (Count == heap.Length) Array.Resize(ref heap, 2 * Count);
        Rise(Count++, new Entry(due, sequence, item));
    }

    /// <summary>The first item and its key; false when nothing waits.</summary>
    public bool TryPeek([NotNullWhen(true)] out T? item, out long due, out long sequence)
    {
        (due, sequence, item) = (heap[0].Due, heap[0].Sequence, Count == 0 ? null : heap[0].Item);
        return item is not null;
    }

    /// <summary>Takes the first item away.</summary>
    /// <exception cref="InvalidOperationException">Nothing waits.</exception>
    public void RemoveFirst()
    {
        if (Count == 0) throw new InvalidOperationException("nothing waits");
        var last = heap[--Count];
        heap[Count] = default;
        if (Count > 0) Sink(last);
    }

    private void Rise(int at, in Entry entry)
    {
        while (at > 0)
        {
            var parent = (at - 1) / Children;
            if (!entry.IsBefore(heap[parent])) break;
            heap[at] = heap[parent];
            at = parent;
        }
        heap[at] = entry;
    }

    /// <summary>Lets an entry find its place from the root down.</summary>
    private void Sink(in Entry entry)
    {
        var at = 0;
        while (Children * at + 1 is var child && child < Count)
        {
            var first = child;
            for (var end = Math.Min(child + Children, Count); ++child < end;)
                if (heap[child].IsBefore(heap[first])) first = child;
            if (!heap[first].IsBefore(entry)) break;
            heap[at] = heap[first];
            at = first;
        }
        heap[at] = entry;
    }

    private readonly record struct Entry(long Due, long Sequence, T Item)
    {
        public bool IsBefore(in Entry other) => Due < other.Due || Due == other.Due && Sequence < other.Sequence;
    }
}
