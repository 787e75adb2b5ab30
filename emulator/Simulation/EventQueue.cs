using System.Diagnostics.CodeAnalysis;

namespace Fleet.Emulator.Simulation;

/// <summary>
/// What is due, in the order (due, sequence). A heap of four children a node, whose entries are two numbers and refer to no object: ordering touches nothing else, four children
/// fill a cache line, and moving one tells the garbage collector nothing. Several times faster than a PriorityQueue of pairs.
/// </summary>
public sealed class EventQueue<T> where T : class
{
    /// <summary>Of what may wait at once; the rest of an entry's second number is its sequence.</summary>
    private const int SlotBits = 24;

    private const int Children = 4;
    private Entry[] heap = new Entry[64];

    // Where items lie while they wait, and which of these places are free.
    private T?[] items = new T?[64];
    private int[] free = new int[64];
    private int freeCount, used;

    public int Count { get; private set; }

    /// <param name="due">When, in ticks.</param>
    /// <param name="sequence">Not negative, below 2^39; unique.</param>
    /// <exception cref="InvalidOperationException">2^24 wait already.</exception>
    public void Add(T item, long due, long sequence)
    {
        if (Count == heap.Length) Array.Resize(ref heap, 2 * Count);
        var slot = freeCount > 0 ? free[--freeCount] : NewSlot();
        items[slot] = item;
        Rise(Count++, new Entry(due, sequence << SlotBits | (long)slot));
    }

    /// <summary>The first item and its key; false when nothing waits.</summary>
    public bool TryPeek([NotNullWhen(true)] out T? item, out long due, out long sequence)
    {
        var first = heap[0];
        (due, sequence, item) = (first.Due, first.Sequence, Count == 0 ? null : items[first.Slot]);
        return item is not null;
    }

    /// <summary>Takes the first item away.</summary>
    /// <exception cref="InvalidOperationException">Nothing waits.</exception>
    public void RemoveFirst()
    {
        if (Count == 0) throw new InvalidOperationException("nothing waits");
        var slot = heap[0].Slot;
        items[slot] = null;
        free[freeCount++] = slot;
        var last = heap[--Count];
        if (Count > 0) Sink(last);
    }

    private int NewSlot()
    {
        if (used == items.Length)
        {
            if (used == 1 << SlotBits) throw new InvalidOperationException($"{used} wait already: no clock takes more");
            Array.Resize(ref items, 2 * used);
            Array.Resize(ref free, 2 * used);
        }
        return used++;
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

    private readonly record struct Entry(long Due, long Order)
    {
        public long Sequence => Order >> SlotBits;

        public int Slot => (int)(Order & ((1L << SlotBits) - 1));

        public bool IsBefore(in Entry other) => Due < other.Due || Due == other.Due && Order < other.Order;
    }
}
