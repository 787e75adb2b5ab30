using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Fleet.Contracts;
using Fleet.Emulator.Commands;

namespace Fleet.Emulator.Live;

/// <summary>What would make a run fail half-way is told before it starts: file descriptors, ports and memory.</summary>
public static class Preflight
{
    private const int Reserve = 300;

    /// <summary>Measured: see tests/benchmarks. An agent with its board, radio and camera, and its connection where it has one.</summary>
    private static readonly Bytes Device = new(14_000), Connection = new(28_000);

    private const int LoopbackAddresses = 16;

    /// <summary>Throws <see cref="FaultsException"/> with everything that cannot be had; tells what may be tight.</summary>
    public static void Check(BulkOptions options, Action<string> tell)
    {
        var connections = (options.Gateways == 0 ? options.Count : options.Gateways) + new BulkNames(options).Sites.Count * options.Edges + 1;
        FaultsException.ThrowIfAny("this machine", Faults(options, connections, Read("/proc/self/limits"), Read("/proc/sys/net/ipv4/ip_local_port_range")));
        var needed = Device * options.Count + (options.Gateways == 0 ? Connection * options.Count : Bytes.Zero);
        if (ProcText.Memory(Read("/proc/meminfo"), "MemAvailable") is { } free && needed > free)
            tell(string.Create(CultureInfo.InvariantCulture, $"memory may be tight: {options.Count:N0} devices need about {needed.Value / (1 << 20):N0} MiB, {free.Value / (1 << 20):N0} MiB are available"));
    }

    /// <summary>What the limits do not allow, one sentence a fault.</summary>
    /// <param name="limits">The text of /proc/self/limits; empty where there is none.</param>
    /// <param name="ports">The text of ip_local_port_range; empty where there is none.</param>
    public static IEnumerable<string> Faults(BulkOptions options, int connections, string limits, string ports)
    {
        // .NET raises the soft limit to the hard one when it starts.
        if (ProcText.OpenFiles(limits) is { Hard: { } files } && files < connections + Reserve)
            yield return $"has {Count(files)} file descriptors a process; {Count(connections)} connections need {Count(connections + Reserve)}: raise the hard limit (LimitNOFILE, /etc/security/limits.conf), or start several processes with --first, or take --gateways";
        if (ProcText.PortRange(ports) is not var (first, last)) yield break;
        var isLocal = IPAddress.TryParse(options.Broker.Host, out var broker) && IPAddress.IsLoopback(broker);
        var available = (last - first + 1) * (isLocal ? LoopbackAddresses : 1);
        if (available < connections)
            yield return $"has {Count(last - first + 1)} outgoing ports to one broker address ({first} to {last}); {Count(connections)} connections are wanted: sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\", or take --gateways";
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
