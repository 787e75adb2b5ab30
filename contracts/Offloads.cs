namespace Fleet.Contracts;

/// <summary>
/// Offloads that wait for their answers: each ends with a reply or with its deadline, never later. When an edge server fails three
/// times in a row it is left alone but for one probe every few seconds, so that a dead server costs neither energy nor waiting.
/// </summary>
/// <param name="link">Told how long answers took.</param>
public sealed class Offloads(IBus bus, TimeProvider clock, int pendingMax, LinkEstimate link)
{
    private const int FailuresToRest = 3;

    private static readonly Seconds ProbePeriod = new(5);

    // A device has a few dozen at most, and answers come mostly in the order of asking: no table finds them faster.
    private readonly List<Pending> pending = [];
    private ulong nextRequest = 1;
    private int failures, generation;
    private long restSince;

    /// <summary>Replies that came for no waiting request: too late, or nobody's.</summary>
    public long Late { get; private set; }

    public LinkEstimate Link => link;

    public int Waiting => pending.Count;

    /// <summary>Whether an offload may be tried now. While the server rests, one probe every few seconds may.</summary>
    public bool MayTry()
    {
        if (!bus.IsConnected || pending.Count >= pendingMax) return false;
        if (failures < FailuresToRest) return true;
        if (clock.Since(restSince) < ProbePeriod) return false;
        restSince = clock.GetTimestamp();
        return true;
    }

    /// <summary>Whether an answer to this request is still awaited.</summary>
    public bool Awaits(ulong requestId) => IndexOf(requestId) >= 0;

    public ulong NewRequestId() => nextRequest++;

    /// <summary>Publishes a frame; the reply, or null when the deadline passed without one.</summary>
    /// <param name="onAir">What the frame puts on the air.</param>
    public ValueTask<Reply?> Send(Topic edge, TensorFrame frame, Bytes onAir)
    {
        var waiting = new Pending(this, frame.RequestId, clock.GetTimestamp(), onAir, generation);
        pending.Add(waiting);
        waiting.Start(clock, frame.Deadline);
        bus.Publish(edge, frame);
        return waiting.Outcome;
    }

    /// <summary>Takes a reply from the bus.</summary>
    public void Receive(Reply reply)
    {
        if (IndexOf(reply.RequestId) is not (>= 0 and var at))
        {
            Late++;
            return;
        }
        var waiting = pending[at];
        pending.RemoveAt(at);
        if (reply.Status is OffloadStatus.Ok or OffloadStatus.BitsWanted)
        {
            if (waiting.Generation == generation) failures = 0;
            link.Answered(waiting.OnAir, Seconds.Max(Seconds.Zero, clock.Since(waiting.SentAt) - reply.Queue - reply.Compute));
        }
        else
        {
            Failed(waiting);
        }
        waiting.Answer(reply);
    }

    /// <summary>
    /// Another edge server, or none: the failures of the last one no longer count, nor does what is still to come of it. The link's
    /// estimate stays: it is mostly this device's own, and a planner that forgot it would try offloading again and again.
    /// </summary>
    public void Forget() => (failures, generation) = (0, generation + 1);

    private int IndexOf(ulong requestId)
    {
        for (var i = 0; i < pending.Count; i++)
            if (pending[i].RequestId == requestId) return i;
        return -1;
    }

    private void Failed(Pending waiting)
    {
        if (waiting.Generation == generation && ++failures == FailuresToRest) restSince = clock.GetTimestamp();
    }

    private void Expire(Pending waiting)
    {
        if (!pending.Remove(waiting)) return;
        Failed(waiting);
        waiting.Answer(null);
    }

    private sealed class Pending(Offloads owner, ulong requestId, long sentAt, Bytes onAir, int generation) : Awaited<Reply?>
    {
        private readonly SynchronizationContext? loop = SynchronizationContext.Current;
        private ITimer? timer;

        public ulong RequestId => requestId;

        public long SentAt => sentAt;

        public Bytes OnAir => onAir;

        /// <summary>Which edge server was asked, counted by <see cref="Forget"/>.</summary>
        public int Generation => generation;

        public void Start(TimeProvider clock, Seconds deadline) =>
            timer = clock.CreateTimer(static state => ((Pending)state!).Ring(), this, deadline.Span, Timeout.InfiniteTimeSpan);

        /// <summary>On the loop, and once: whoever ends it has taken it from those that wait.</summary>
        public void Answer(Reply? reply)
        {
            timer?.Dispose();
            End(reply);
        }

        private void Ring()
        {
            if (loop is null || loop == SynchronizationContext.Current) owner.Expire(this);
            else loop.Post(static state => ((Pending)state!).Expire(), this);
        }

        private void Expire() => owner.Expire(this);
    }
}
