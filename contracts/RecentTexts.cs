namespace Fleet.Contracts;

/// <summary>
/// The texts of the last messages that a thread has written, each found by the very record: in virtual time a message is weighed by a radio and goes
/// into the digest soon after.
/// </summary>
internal sealed class RecentTexts
{
    private const int Kept = 16;
    [ThreadStatic] private static RecentTexts? own;
    private readonly Message?[] messages = new Message?[Kept];
    private readonly byte[][] texts = [.. Enumerable.Range(0, Kept).Select(_ => new byte[Wire.FleetBytesMax])];
    private readonly int[] lengths = new int[Kept];
    private int last;

    /// <summary>Of this thread.</summary>
    public static RecentTexts Own => own ??= new RecentTexts();

    /// <summary>False when it is not among them.</summary>
    public bool TryFind(Message message, out ReadOnlySpan<byte> text)
    {
        for (var back = 0; back < Kept; back++)
        {
            var at = (last - back) & (Kept - 1);
            if (messages[at] != (object)message) continue;
            text = texts[at].AsSpan(0, lengths[at]);
            return true;
        }
        text = default;
        return false;
    }

    /// <summary>Writes it over the oldest; false when only the serializer can.</summary>
    public bool TryWrite(Message message, out ReadOnlySpan<byte> text)
    {
        var at = (last + 1) & (Kept - 1);
        messages[at] = null;
        text = default;
        if (!FlatJson.TryWrite(message, texts[at], out lengths[at])) return false;
        (messages[at], last) = (message, at);
        text = texts[at].AsSpan(0, lengths[at]);
        return true;
    }
}
