using System.Runtime.CompilerServices;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.DeviceAgent.Sensing;

/// <summary>Replays a data set without end: every image once, then all of them again.</summary>
public sealed class DataSetSource : IAsyncEnumerable<Sample>
{
    private readonly LabelledImages images;
    private readonly Random? random;
    private readonly int offset;

    private DataSetSource(LabelledImages images, int offset, Random? random)
    {
        if (images.Count == 0) throw new FaultsException("data set", "has no images; at least 1 is needed");
        if (offset < 0 || offset >= images.Count) throw new FaultsException("data set", $"offset is {offset}; allowed: 0 to {images.Count - 1}");
        (this.images, this.offset, this.random) = (images, offset, random);
    }

    /// <summary>In the order of the file, starting at <paramref name="offset"/>.</summary>
    public static DataSetSource Sequential(LabelledImages images, int offset = 0) => new(images, offset, null);

    /// <summary>In a new random order each time round; the same seed gives the same orders.</summary>
    public static DataSetSource Shuffled(LabelledImages images, Random random) => new(images, 0, random);

    public IAsyncEnumerator<Sample> GetAsyncEnumerator(CancellationToken cancellationToken = default) => Replay(cancellationToken).GetAsyncEnumerator(cancellationToken);

    /// <summary>Nothing is awaited: asynchronous only to be a source like the others.</summary>
#pragma warning disable CS1998
    private async IAsyncEnumerable<Sample> Replay([EnumeratorCancellation] CancellationToken cancel)
#pragma warning restore CS1998
    {
        var order = new int[images.Count];
        for (var i = 0; i < order.Length; i++) order[i] = (offset + i) % order.Length;
        while (true)
        {
            random?.Shuffle(order);
            foreach (var i in order)
            {
                cancel.ThrowIfCancellationRequested();
                yield return images.Sample(i);
            }
        }
    }
}
