using Fleet.Emulator.Simulation;
using Fleet.Models;

namespace Fleet.Emulator;

/// <summary>Test images drawn one by one without end: no order to remember for each of a million devices. To be enumerated once.</summary>
public sealed class RandomReplay(LabelledImages images, SeededRandom random) : IAsyncEnumerable<Sample>, IAsyncEnumerator<Sample>
{
    public Sample Current { get; private set; }

    public IAsyncEnumerator<Sample> GetAsyncEnumerator(CancellationToken cancellationToken = default) => this;

    public ValueTask<bool> MoveNextAsync()
    {
        Current = images.Sample(random.Next(images.Count));
        return new(true);
    }

    public ValueTask DisposeAsync() => default;
}
