namespace Fleet.Models.Replaying;

/// <summary>A run of labelled images out of a set.</summary>
/// <param name="Images">The set.</param>
/// <param name="First">Place in the set of the first image.</param>
/// <param name="Count">How many.</param>
public sealed record ImageRun(LabelledImages Images, int First, int Count)
{
    public ImageRun(LabelledImages images) : this(images, 0, images.Count)
    {
    }

    public int Label(int index) => Images.Label(First + index);

    public Sample Sample(int index) => Images.Sample(First + index);

    /// <summary>At most so many, from the first on.</summary>
    public ImageRun Take(int count) => this with { Count = Math.Min(count, Count) };

    /// <summary>The same images, drifted; what is random follows from the drift and each image's place in its set.</summary>
    public ImageRun Drifted(Drift drift) => new(drift.Of(Images, First, Count));

    /// <summary>[count].</summary>
    public byte[] Labels() => [.. Enumerable.Range(0, Count).Select(index => (byte)Label(index))];
}
