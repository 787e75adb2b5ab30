using Fleet.Contracts;

namespace Fleet.Emulator.Radios;

/// <summary>How a device's messages cross to its gateway and back: how long it takes, what it costs the device, and whether they arrive.</summary>
public abstract class Radio
{
    /// <summary>Bytes that the device has put on the air, headers and repetitions included.</summary>
    public Bytes Sent { get; protected set; }

    /// <summary>Whether a message may wait so long that of reports only the newest is worth sending.</summary>
    public virtual bool IsSlow => false;

    /// <summary>Whether it works only while its board is awake; one that runs by itself wakes its board when something has come.</summary>
    public virtual bool NeedsBoard => true;

    /// <summary>Completes when it is the next message's turn; <see cref="Up"/> must follow.</summary>
    public virtual ValueTask Await() => ValueTask.CompletedTask;

    /// <summary>Carries a message of the device to the broker; completes when it is there, with false when it is lost.</summary>
    /// <param name="messageBytes">Topic, payload and MQTT's own few bytes.</param>
    public abstract ValueTask<bool> Up(int messageBytes, Delivery delivery);

    /// <summary>Carries a message of the broker to the device; as <see cref="Up"/>.</summary>
    public abstract ValueTask<bool> Down(int messageBytes);

    /// <summary>Takes what it costs to fetch a file, and waits for it.</summary>
    public abstract ValueTask Download(Bytes bytes);

    /// <summary>The device has lost its power: what waits for it is lost.</summary>
    public virtual void Close()
    {
    }
}
