namespace Fleet.Contracts;

/// <summary>Where the broker is: mqtt://[user:password@]host[:1883], or mqtts:// (TLS, 8883).</summary>
public sealed record MqttAddress
{
    public const string Allowed = "allowed: mqtt://[user:password@]host[:1883] or mqtts://[user:password@]host[:8883]";

    public required string Host { get; init; }

    public required int Port { get; init; }

    public bool Tls { get; init; }

    public string User { get; init; } = "";

    public string Password { get; init; } = "";

    public static MqttAddress Loopback(int port) => new() { Host = "127.0.0.1", Port = port };

    /// <summary>Reads what a person typed; a <see cref="FaultsException"/> names what is wrong with it, never the password.</summary>
    public static MqttAddress Parse(string text)
    {
        var faults = new List<string>();
        if (!Uri.TryCreate(text.Trim(), UriKind.Absolute, out var uri) || uri.Host.Length == 0)
            throw new FaultsException(Subject(text), "is not an address; " + Allowed);
        if (uri.Scheme is not ("mqtt" or "mqtts")) faults.Add($"scheme is \"{uri.Scheme}\"; {Allowed}");
        if (uri.AbsolutePath is not ("" or "/")) faults.Add($"has the path \"{uri.AbsolutePath}\"; {Allowed}");
        if (uri.Query.Length > 0 || uri.Fragment.Length > 0) faults.Add($"has a query or fragment; {Allowed}");
        if (uri.Port == 0) faults.Add("port is 0; allowed: 1 to 65535");
        var user = uri.UserInfo.Split(':', 2);
        if (uri.UserInfo.Length > 0 && user[0].Length == 0) faults.Add($"has a password but no user; {Allowed}");
        FaultsException.ThrowIfAny(Subject(text), faults);
        var tls = uri.Scheme == "mqtts";
        return new MqttAddress
        {
            Host = uri.HostNameType is UriHostNameType.IPv6 ? uri.DnsSafeHost : uri.Host,
            Port = uri.Port > 0 ? uri.Port : tls ? 8883 : 1883,
            Tls = tls,
            User = Uri.UnescapeDataString(user[0]),
            Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : "",
        };
    }

    /// <summary>Without user and password, since it is printed.</summary>
    public override string ToString()
    {
        var host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;
        return $"{(Tls ? "mqtts" : "mqtt")}://{host}:{Port}";
    }

    private static string Subject(string text)
    {
        var at = text.LastIndexOf('@');
        var start = text.IndexOf("://", StringComparison.Ordinal);
        var shown = at < 0 ? text : (start < 0 || start > at ? "" : text[..(start + 3)]) + "..." + text[at..];
        return $"broker \"{shown}\"";
    }
}
