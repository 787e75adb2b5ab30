using Fleet.Contracts;

namespace Fleet.Models.Offloading;

/// <summary>The way to the next server as a device, or a server, has met it: moving averages that outlive assignments, and when they were last told anything.</summary>
public sealed class Way(TimeProvider clock)
{
    /// <summary>As often as a server that rests is probed.</summary>
    private static readonly Seconds StaleAfter = new(5);

    /// <summary>Beyond the air; assumed until it is known.</summary>
    private static readonly Seconds Claimed = new(0.001);

    private Topic? to;
    private Seconds air;
    private long askedAt = clock.GetTimestamp();

    public WayCosts Costs { get; private set; } = new(Claimed);

    /// <summary>Whether nobody has gone it for so long that it may have changed.</summary>
    public bool IsStale => clock.Since(askedAt) > StaleAfter;

    /// <summary>Another server's queue is not known yet; one's own link stays, for longer or shorter frames by the radio's claim.</summary>
    /// <param name="claimed">What a frame takes on the air, by that claim.</param>
    public void Turn(Topic? server, Seconds claimed)
    {
        if (server != to) Costs = new WayCosts(Costs.Way);
        Costs.Shift(claimed - air);
        (to, air) = (server, claimed);
    }

    /// <summary>Something is sent; gives what <see cref="End"/> wants to know.</summary>
    public long Begin() => askedAt = clock.GetTimestamp();

    public void End(long asked, Reply? reply)
    {
        if (reply is { Status: OffloadStatus.Ok }) Costs.Answered(clock.Since(asked), reply.Queue, reply.Compute);
        else Costs.Failed(clock.Since(asked));
    }

    /// <summary>Length of what an assignment sends, its header included: of images that are compressed, as if they were not.</summary>
    public static int FrameBytes(Assignment assignment, ModelCard card)
    {
        var route = assignment.RouteIn(card);
        var elements = card.Crossing(route.Tail).Elements;
        return TensorFrame.HeaderBytes + (int)(TensorFrame.PayloadBytes(route.Codec, elements) ?? elements);
    }
}
