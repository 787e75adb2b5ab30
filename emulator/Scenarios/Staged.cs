using Fleet.Contracts;

namespace Fleet.Emulator.Scenarios;

/// <summary>A value that changes at times known from the begin. Who asks, asks for times that do not decrease.</summary>
public sealed class Staged<T>(T first, (Seconds From, T Value)[] later)
{
    private T present = first;
    private int passed;

    public Staged(T only) : this(only, [])
    {
    }

    public T At(Seconds now)
    {
        while (passed < later.Length && later[passed].From <= now) present = later[passed++].Value;
        return present;
    }
}

/// <summary>Makes them of a device's group as the stages of its scenario have it.</summary>
public static class Staged
{
    /// <param name="stages">In the order of their times, the first from 0 on.</param>
    public static Staged<T> Of<T>(IReadOnlyList<(Seconds From, DeviceGroup Group)> stages, Func<DeviceGroup, T> value)
    {
        var first = value(stages[0].Group);
        return stages.Count == 1 ? new Staged<T>(first) : new Staged<T>(first, [.. stages.Skip(1).Select(stage => (stage.From, value(stage.Group)))]);
    }
}
