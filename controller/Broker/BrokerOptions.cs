using System.Net;
using Fleet.Contracts;

namespace Fleet.Controller.Broker;

/// <summary>Where the embedded broker listens, whom it lets in, and every bound it holds.</summary>
public sealed record BrokerOptions
{
    /// <summary>0 takes any free port; <see cref="EmbeddedBroker.Port"/> says which.</summary>
    public int Port { get; init; } = 1883;

    /// <summary>An address of this machine; anything but loopback needs a user.</summary>
    public string Listen { get; init; } = "127.0.0.1";

    /// <summary>Empty: anybody on this machine.</summary>
    public string User { get; init; } = "";

    public string Password { get; init; } = "";

    /// <summary>PEM, certificate and key: TLS.</summary>
    public string CertificateFile { get; init; } = "";

    public string KeyFile { get; init; } = "";

    /// <summary>Where retained messages outlive the process; empty: nowhere.</summary>
    public string StateDirectory { get; init; } = "";

    /// <summary>Messages that wait for one connected client. Beyond it retained topics are sent later, newest only; others are dropped.</summary>
    public int PendingMax { get; init; } = 20_000;

    /// <summary>From here on those who publish to the slow client wait.</summary>
    public int PendingPause { get; init; } = 5_000;

    /// <summary>A client that takes nothing for so long holds nobody back any more.</summary>
    public Seconds Patience { get; init; } = new(5);

    /// <summary>At-least-once messages that wait for one client that is away.</summary>
    public int OfflineMax { get; init; } = 1_000;

    /// <summary>Sessions of clients that are away are forgotten after this, whatever they asked for.</summary>
    public Seconds SessionExpiryMax { get; init; } = new(86_400);

    public int RetainedMax { get; init; } = 2_000_000;

    public int SubscriptionsPerClientMax { get; init; } = 100_000;

    public int PayloadBytesMax { get; init; } = TensorFrame.FrameBytesMax;

    public IEnumerable<string> Faults()
    {
        if (Port is < 0 or > 65535) yield return $"port is {Port}; allowed: 0 (any free one) to 65535";
        if (!IPAddress.TryParse(Listen, out var address)) yield return $"listens on \"{Listen}\"; allowed: an IP address of this machine, as 127.0.0.1 or 0.0.0.0";
        else if (!IPAddress.IsLoopback(address) && User.Length == 0) yield return $"listens on {Listen} and wants no password; set user and password, or listen on 127.0.0.1";
        if (User.Length == 0 && Password.Length > 0) yield return "has a password but no user";
        if (KeyFile.Length > 0 && CertificateFile.Length == 0) yield return $"has the key {KeyFile} but no certificate";
        foreach (var file in new[] { CertificateFile, KeyFile })
            if (file.Length > 0 && !File.Exists(file)) yield return $"TLS file {file} does not exist";
        if (PendingPause < 1 || PendingMax < PendingPause) yield return $"pending limits are {PendingPause} and {PendingMax}; allowed: 1 or more, and not decreasing";
    }
}

/// <summary>What the broker did since it started.</summary>
/// <param name="Clients">Connected now.</param>
/// <param name="Subscriptions">In the index now, of sessions that are away as well.</param>
/// <param name="Retained">Retained messages now.</param>
/// <param name="Received">Messages that clients published, wills included.</param>
/// <param name="Delivered">Messages put into clients' queues.</param>
/// <param name="Dropped">Messages some client did not get, because its queue was full or gone.</param>
/// <param name="Coalesced">Retained values a slow or absent client will not see because a newer one of the same topic replaced them.</param>
/// <param name="Refused">Messages too long, on topics of too many levels or none, and retained ones beyond the limit.</param>
/// <param name="Pauses">How often a publisher had to wait for a slow client.</param>
/// <param name="Unsaved">Retained messages that wait because the state directory cannot be written.</param>
public sealed record BrokerCounters(
    int Clients, int Subscriptions, int Retained, long Received, long Delivered, long Dropped, long Coalesced, long Refused, long Pauses, long Unsaved);

/// <summary>The counters while they are counted.</summary>
internal sealed class BrokerTally
{
    public long Clients;
    public long Received;
    public long Delivered;
    public long Dropped;
    public long Coalesced;
    public long Refused;
    public long Pauses;
}
