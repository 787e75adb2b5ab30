using Fleet.Contracts;

namespace Fleet.Emulator.Scenarios;

/// <summary>A value that changes at times known from the begin. Who asks, asks for times that do not decrease.</summary>
/// <param name="all">In the order of their times, the first from 0 on.</param>
public sealed class Staged<T>(IEnumerable<(Seconds From, T Value)> all)
{
    private readonly (Seconds From, T Value)[] stages = [.. all];
    private int at;

    public Staged(T only) : this([(Seconds.Zero, only)])
    {
    }

    public T At(Seconds now)
    {
        while (at + 1 < stages.Length && stages[at + 1].From <= now) at++;
        return stages[at].Value;
    }
}
