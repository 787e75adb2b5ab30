using MQTTnet.Packets;

namespace Fleet.Controller.Broker;

/// <summary>
/// Messages above at most once that a client was sent and has not answered (MQTT 5, section 4.9): as many as it can bear, and no more than the
/// broker keeps for it. Others are held back in their order. MQTTnet would send on without looking, and keep it all for ever.
/// </summary>
internal sealed class InFlight
{
    private readonly Lock gate = new();
    private readonly Queue<MqttPublishPacket> held = new();
    private int sent;

    public int Max { get; set; } = ushort.MaxValue;

    public int Held
    {
        get
        {
            lock (gate) return held.Count;
        }
    }

    /// <summary>True when it is to be sent now; if not, it comes out of <see cref="End"/>.</summary>
    public bool TryBegin(MqttPublishPacket packet)
    {
        lock (gate)
        {
            if (held.Count == 0 && sent < Max)
            {
                sent++;
                return true;
            }
            held.Enqueue(packet);
            return false;
        }
    }

    /// <summary>One was answered for good.</summary>
    /// <returns>What is to be sent in its place.</returns>
    public MqttPublishPacket? End()
    {
        lock (gate)
        {
            if (held.TryDequeue(out var next)) return next;
            sent = Math.Max(0, sent - 1);
            return null;
        }
    }
}
