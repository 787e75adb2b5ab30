using System.IO.Pipelines;

namespace Fleet.Controller.Broker;

/// <summary>What a connection brings. MQTTnet waits for whole packets however long they say they are, 256 MB each, also before anybody has shown a password; here it ends.
/// And of a packet whose end will never come it asks for the rest again and again, on a whole processor; here, once.</summary>
/// <param name="unreadMax">Bytes that may wait for the rest of their packet.</param>
internal sealed class BoundedInput(PipeReader inner, long unreadMax) : PipeReader
{
    private long last; // bytes shown when no more would come

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => Checked(await inner.ReadAsync(cancellationToken));

    public override bool TryRead(out ReadResult result)
    {
        if (!inner.TryRead(out result)) return false;
        Checked(result);
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    private ReadResult Checked(ReadResult result)
    {
        var isCutOff = result.IsCompleted && result.Buffer.Length > 0 && result.Buffer.Length == last;
        last = result.IsCompleted ? result.Buffer.Length : 0;
        if (result.Buffer.Length <= unreadMax && !isCutOff) return result;
        inner.AdvanceTo(result.Buffer.End);
        throw new IOException(isCutOff ? "the connection ended within a packet" : $"a packet is longer than {unreadMax} bytes");
    }
}

/// <summary>A connection's two directions.</summary>
internal sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
