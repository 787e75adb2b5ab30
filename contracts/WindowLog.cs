namespace Fleet.Contracts;

/// <summary>
/// Which windows of one device have been heard, so that one that comes again (sent anew after a lost acknowledgement, or twice by a broker) counts once.
/// Windows may come late and in another order. An agent that began anew numbers from 0 again: it is known by its later time, or, where a board's clock has fallen back, by numbers far
/// behind; there a life shorter than <see cref="Reach"/> windows is taken for repetitions.
/// </summary>
public sealed class WindowLog
{
    /// <summary>So far behind the newest one a window may come.</summary>
    private const int Reach = 64;

    private long newest = -1;
    private Seconds newestSent = new(double.NegativeInfinity);

    // Bit n: the window n behind the newest has been heard.
    private ulong heard;

    /// <summary>Notes a window; false when it has been heard before, or is an earlier life's.</summary>
    /// <param name="window">Told by its number and the time it was sent at.</param>
    /// <param name="beganAnew">Whether it is the first that is heard of an agent's next life.</param>
    public bool Take(InferWindow window, out bool beganAnew)
    {
        beganAnew = window.Sequence <= newest && (window.SentAt > newestSent || newest - window.Sequence >= Reach);
        if (beganAnew) (newest, newestSent, heard) = (-1, window.SentAt, 0);
        var ahead = window.Sequence - newest;
        // An earlier life's, overtaken by this one.
        if (newest >= 0 && ahead >= Reach && window.SentAt < newestSent) return false;
        if (ahead <= 0) return TakeLate(-ahead);
        heard = ahead >= Reach ? 1 : heard << (int)ahead | 1;
        newest = window.Sequence;
        newestSent = Seconds.Max(newestSent, window.SentAt);
        return true;
    }

    private bool TakeLate(long behind)
    {
        if ((heard >> (int)behind & 1) == 1) return false;
        heard |= 1UL << (int)behind;
        return true;
    }
}
