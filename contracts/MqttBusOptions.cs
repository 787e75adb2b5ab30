namespace Fleet.Contracts;

/// <summary>What the broker says for a client that went without a word.</summary>
public sealed record MqttWill(Topic Topic, State State);

/// <summary>Files are PEM. Revocation lists are not asked for: private authorities, which fleets use, seldom publish any.</summary>
public sealed record MqttTls
{
    /// <summary>Authorities to trust instead of the system's; empty = the system's.</summary>
    public string CaFile { get; init; } = "";

    public string CertificateFile { get; init; } = "";

    /// <summary>Empty when the certificate file holds the key as well.</summary>
    public string KeyFile { get; init; } = "";

    /// <summary>Takes any certificate: for a bench, never for a site.</summary>
    public bool AllowUntrusted { get; init; }
}

/// <summary>How a <see cref="MqttBus"/> connects, and the bounds of its queues.</summary>
public sealed record MqttBusOptions
{
    public required MqttAddress Broker { get; init; }

    /// <summary>Unique at the broker: of two clients with one id, each throws the other out.</summary>
    public required string ClientId { get; init; }

    /// <summary>True forgets what the broker kept for this client; false keeps messages that came during a reconnect.</summary>
    public bool CleanStart { get; init; }

    public Seconds SessionExpiry { get; init; } = new(3600);

    /// <summary>0 turns it off: MQTTnet polls four times a second for each client that has one.</summary>
    public Seconds KeepAlive { get; init; } = new(30);

    public MqttWill? Will { get; init; }

    /// <summary>Longer than a usual reconnect, so that a short gap is no death. Not every broker honours it.</summary>
    public Seconds WillDelay { get; init; } = new(15);

    public MqttTls Tls { get; init; } = new();

    /// <summary>MQTTnet's 8 KB stalls on TCP's persist timer under load.</summary>
    public int SocketBufferBytes { get; init; } = 256 * 1024;

    /// <summary>Of budget and infer, which are at most once by the protocol's table.</summary>
    public Delivery TelemetryDelivery { get; init; } = Delivery.AtMostOnce;

    /// <summary>
    /// Whether the broker leaves out what this connection itself published. Turn it off where several parties that talk
    /// to each other share one connection.
    /// </summary>
    public bool NoLocal { get; init; } = true;

    /// <summary>States, infos, desired, reported and commands that wait to be sent.</summary>
    public int KeptMax { get; init; } = 10_000;

    /// <summary>Budgets, windows, loads, summaries and plans that wait to be sent.</summary>
    public int TelemetryMax { get; init; } = 10_000;

    /// <summary>Offloads and replies that wait to be sent.</summary>
    public int DataMax { get; init; } = 1_000;

    public long DataBytesMax { get; init; } = 64 << 20;

    /// <summary>Received messages that wait for the event loop; beyond it the socket is not read.</summary>
    public int UndeliveredMax { get; init; } = 10_000;

    /// <summary>At-least-once messages sent and not yet acknowledged; the broker's own limit counts if it is lower.</summary>
    public int InFlightMax { get; init; } = 256;

    /// <summary>
    /// After a read what comes waits so long for company: a broker writes message by message, and a read costs more than what it brings. For
    /// those who hear many and answer none at once.
    /// </summary>
    public Seconds Linger { get; init; }

    public Backoff Backoff { get; init; } = Backoff.ToBroker;

    public Seconds ConnectTimeout { get; init; } = new(10);

    /// <summary>A broker that does not acknowledge within it is treated as gone.</summary>
    public Seconds AcknowledgeTimeout { get; init; } = new(30);

    /// <summary>How long disposing may send what is queued.</summary>
    public Seconds FlushTimeout { get; init; } = new(5);

    public IEnumerable<string> Faults()
    {
        if (ClientId.Length is 0 or > 256) yield return $"client id has {ClientId.Length} characters; allowed: 1 to 256";
        if (SocketBufferBytes < 256 * 1024) yield return $"socket buffer is {SocketBufferBytes} bytes; allowed: 262144 or more";
        foreach (var fault in Backoff.Faults()) yield return fault;
        if (!(Linger.Value is >= 0 and <= 1)) yield return $"linger is {Linger.Value} s; allowed: 0 to 1";
        foreach (var (what, value) in new[] { ("kept", KeptMax), ("telemetry", TelemetryMax), ("data", DataMax), ("undelivered", UndeliveredMax), ("in flight", InFlightMax) })
            if (value < 1) yield return $"limit of {what} messages is {value}; allowed: 1 or more";
        foreach (var file in new[] { Tls.CaFile, Tls.CertificateFile, Tls.KeyFile })
            if (file.Length > 0 && !File.Exists(file)) yield return $"TLS file {file} does not exist";
    }
}

/// <summary>What went through a bus since it was made.</summary>
/// <param name="Published">Handed to the broker; at-least-once messages when acknowledged.</param>
/// <param name="Received">From the broker, whatever they were.</param>
/// <param name="Dropped">Never sent: data while disconnected, past its deadline, too long, refused by the broker, or the oldest of a full queue.</param>
/// <param name="Superseded">Never sent because a newer one of the same topic was.</param>
/// <param name="Malformed">Received and delivered as <see cref="Fleet.Contracts.Malformed"/>.</param>
/// <param name="Unknown">Received on topics the protocol does not have, and ignored.</param>
/// <param name="Reconnects">Connections after the first.</param>
public sealed record BusCounters(long Published, long Received, long Dropped, long Superseded, long Malformed, long Unknown, long Reconnects);
