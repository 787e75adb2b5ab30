namespace Fleet.Contracts;

/// <summary>
/// One connection to the broker. Everything that acts is written against it: <see cref="MqttBus"/> carries messages over MQTT,
/// the emulator's bus carries them in virtual time. All calls and all call-backs happen on the owner's event loop.
/// </summary>
public interface IBus
{
    bool IsConnected { get; }

    /// <summary>Raised with the new <see cref="IsConnected"/>. After a reconnect subscriptions are in place again; owners publish their retained state anew.</summary>
    event Action<bool>? ConnectionChanged;

    /// <summary>
    /// Hands a message over; never waits. While disconnected commands and states are kept (bounded) and sent on reconnect,
    /// of telemetry the newest per topic is kept, and data (offloads, replies) are dropped: a deadline covers them.
    /// </summary>
    void Publish(Topic topic, Message message);

    /// <summary>Calls the handler for each message whose topic matches the MQTT filter, retained ones first. Dispose to stop.</summary>
    IDisposable Subscribe(string filter, Action<Topic, Message> handler);
}

/// <summary>MQTT topic filters: + matches one level, # the rest.</summary>
public static class TopicFilter
{
    public static bool IsExact(string filter) => filter.AsSpan().IndexOfAny('+', '#') < 0;

    public static bool Matches(ReadOnlySpan<char> filter, ReadOnlySpan<char> path)
    {
        while (true)
        {
            if (filter is "#") return true;
            var filterEnd = filter.IndexOf('/');
            var pathEnd = path.IndexOf('/');
            var level = filterEnd < 0 ? filter : filter[..filterEnd];
            if (level is not "+" && !level.SequenceEqual(pathEnd < 0 ? path : path[..pathEnd])) return false;
            if (filterEnd < 0 || pathEnd < 0) return filterEnd < 0 == pathEnd < 0 || pathEnd < 0 && filter[(filterEnd + 1)..] is "#";
            filter = filter[(filterEnd + 1)..];
            path = path[(pathEnd + 1)..];
        }
    }
}
