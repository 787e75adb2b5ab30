using System.CommandLine;

namespace Fleet.Contracts;

/// <summary>The flags by which every executable reaches a broker.</summary>
public sealed class BrokerFlags
{
    private readonly Option<string> broker = new("--broker") { Description = "Broker: mqtt://[user:password@]host[:1883], or mqtts:// for TLS.", DefaultValueFactory = _ => "mqtt://127.0.0.1:1883" };
    private readonly Option<string> caFile = new("--ca-file") { Description = "PEM file of the authorities to trust instead of the system's.", DefaultValueFactory = _ => "" };
    private readonly Option<string> certificateFile = new("--cert-file") { Description = "PEM file of this client's certificate.", DefaultValueFactory = _ => "" };
    private readonly Option<string> keyFile = new("--key-file") { Description = "PEM file of its key, when the certificate file does not hold it.", DefaultValueFactory = _ => "" };
    private readonly Option<bool> insecure = new("--insecure") { Description = "Take any server certificate: for a bench, never for a site." };
    private readonly Option<bool> reliable = new("--telemetry-qos1") { Description = "Send budget and infer at least once instead of at most once." };

    public void AddTo(System.CommandLine.Command command)
    {
        foreach (Option option in (Option[])[broker, caFile, certificateFile, keyFile, insecure, reliable]) command.Options.Add(option);
    }

    /// <summary>Whether a broker was named, rather than left to the default.</summary>
    public bool IsGiven(ParseResult parsed) => parsed.GetResult(broker) is { Implicit: false };

    public MqttBusOptions Read(ParseResult parsed, string clientId, MqttWill? will) => new()
    {
        Broker = MqttAddress.Parse(parsed.GetValue(broker)!),
        ClientId = clientId,
        Will = will,
        TelemetryDelivery = parsed.GetValue(reliable) ? Delivery.AtLeastOnce : Delivery.AtMostOnce,
        Tls = new MqttTls { CaFile = parsed.GetValue(caFile)!, CertificateFile = parsed.GetValue(certificateFile)!, KeyFile = parsed.GetValue(keyFile)!, AllowUntrusted = parsed.GetValue(insecure) },
    };
}

/// <summary>Flags that more than one executable reads.</summary>
public static class Flags
{
    /// <summary>Null when not given; throws <see cref="FaultsException"/> on anything that is no duration.</summary>
    public static Seconds? Duration(string flag, string? text) =>
        text is null ? null : ProcessEdge.ParseDuration(text) ?? throw new FaultsException(flag, $"is \"{text}\"; allowed: a number above 0 with s, m or h, such as 30s, up to 1000h");

    public static T InRange<T>(string flag, T value, T least, T most) where T : IComparable<T> =>
        value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0 ? value : throw new FaultsException(flag, $"is {value}; allowed: {least} to {most}");

    public static string ValidName(string flag, string value) => Name.IsValid(value) ? value : throw new FaultsException(flag, Name.Fault("name", value));

    /// <summary>This machine's name in the protocol's letters.</summary>
    public static string HostName()
    {
        var letters = Environment.MachineName.ToLowerInvariant().Select(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') ? c : '-').ToArray();
        var name = new string(letters).Trim('-');
        return name.Length == 0 ? "device" : name[..Math.Min(name.Length, Name.LengthMax)];
    }

    /// <summary>What runs on it.</summary>
    public static string OsText() => $"{System.Runtime.InteropServices.RuntimeInformation.OSDescription} {System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture}";

    /// <summary>ONNX Runtime has no 32-bit builds: say so before it fails to load.</summary>
    public static void Require64Bit()
    {
        if (!Environment.Is64BitProcess) throw new FaultsException("operating system", "is 32-bit; ONNX Runtime needs a 64-bit one (64-bit Raspberry Pi OS)");
    }
}
