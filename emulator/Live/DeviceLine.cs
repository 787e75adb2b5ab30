using Fleet.Contracts;

namespace Fleet.Emulator.Live;

/// <summary>
/// One device's (or edge server's) bus on an <see cref="Live.Uplink"/> that may carry many. It knows its handlers by the kind of topic, since
/// whatever comes to it is addressed to it. Owned by the world's thread.
/// </summary>
public sealed class DeviceLine(Uplink uplink, string site, string id) : IBus
{
    private (TopicKind Kind, Action<Topic, Message> Handler)[] handlers = [];
    private bool isClosed;

    public string Site => site;

    public string Id => id;

    public bool IsConnected => uplink.IsConnected && !isClosed;

    public event Action<bool>? ConnectionChanged;

    /// <summary>Whether it has last said that it is.</summary>
    public bool IsReady { get; set; }

    /// <summary>What it was last told to run: a later life of the device is told again, as a broker would.</summary>
    public Message? Desired { get; private set; }

    public void Publish(Topic topic, Message message)
    {
        if (!isClosed) uplink.Publish(topic, message);
    }

    public IDisposable Subscribe(string filter, Action<Topic, Message> handler)
    {
        var kind = Topic.KindOf(filter.Replace('+', 'x')) ?? throw new ArgumentException($"\"{filter}\" is no filter of the protocol", nameof(filter));
        var added = (kind, handler);
        handlers = [.. handlers, added];
        uplink.TakeHeld(this, kind);
        return new Ending(this, added);
    }

    /// <summary>Hands over what came for it.</summary>
    public void Receive(Topic topic, Message message)
    {
        if (topic.Kind is TopicKind.Desired or TopicKind.EdgeDesired) Desired = message;
        if (isClosed) return;
        foreach (var (kind, handler) in handlers)
            if (kind == topic.Kind) handler(topic, message);
    }

    /// <summary>Tells its owner that the connection went, or came back.</summary>
    public void Tell(bool connected) => ConnectionChanged?.Invoke(connected);

    /// <summary>Its device has lost its power: nothing comes or goes any more.</summary>
    public void Close()
    {
        isClosed = true;
        handlers = [];
    }

    private sealed class Ending(DeviceLine line, (TopicKind, Action<Topic, Message>) added) : IDisposable
    {
        public void Dispose() => line.handlers = Array.FindAll(line.handlers, other => other != added);
    }
}
