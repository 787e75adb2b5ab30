using Fleet.Contracts;

namespace Fleet.Emulator;

/// <summary>A device's way to the broker through all its lives.</summary>
public interface ILine
{
    /// <summary>The connection of the next life, as if there were no radio.</summary>
    IBus Connect();

    /// <summary>The present one is cut at a power loss: the broker notices.</summary>
    void Die();
}

/// <summary>A connection that is there before the device, and stays when it has gone.</summary>
public sealed class SharedLine(IBus bus) : ILine
{
    public IBus Connect() => bus;

    public void Die()
    {
    }
}
