using System.Runtime.CompilerServices;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.DeviceAgent.Sensing;

/// <summary>
/// Replays a data set as one of several cameras that are triggered together and see a part of the scene each: at every multiple of
/// the period of the common clock all of them take the same picture, and each keeps its view. The picture's place in the data set is
/// the sample's number, by which the devices of a group know it.
/// </summary>
/// <param name="images">The pictures.</param>
/// <param name="grid">How they are cut.</param>
/// <param name="view">Which view this camera sees, from 1.</param>
/// <param name="rate">Pictures a second.</param>
/// <param name="order">Of the pictures: equal for all cameras, so give equal seeds.</param>
/// <param name="clock">Its wall clock is the trigger: machines must agree about it to much less than a period.</param>
public sealed class TriggeredSource(LabelledImages images, ViewGrid grid, int view, Hertz rate, Random order, TimeProvider clock) : IAsyncEnumerable<Sample>
{
    public IAsyncEnumerator<Sample> GetAsyncEnumerator(CancellationToken cancellationToken = default) => Replay(cancellationToken).GetAsyncEnumerator(cancellationToken);

    private async IAsyncEnumerable<Sample> Replay([EnumeratorCancellation] CancellationToken cancel)
    {
        var pictures = Enumerable.Range(0, images.Count).ToArray();
        order.Shuffle(pictures);
        for (var trigger = (long)Math.Floor(clock.UnixTime() / rate.Period) + 1; ; trigger++)
        {
            var early = rate.Period * trigger - clock.UnixTime();
            // Whoever was busy has missed it: the others will not wait.
            if (early < rate.Period * -0.5) continue;
            await clock.Delay(early, cancel);
            var picture = pictures[trigger % pictures.Length];
            yield return new Sample(picture, images.Label(picture), grid.Cut(images.Image(picture).Span, view));
        }
    }
}
