using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Fleet.Contracts;

namespace Fleet.Emulator.Commands;

/// <summary>What Linux says of itself in /proc, read from its text.</summary>
public static class ProcText
{
    /// <summary>The soft and hard "Max open files" of /proc/PID/limits (proc(5)); null stands for unlimited, and for a text without the line.</summary>
    public static (long? Soft, long? Hard) OpenFiles(string limits)
    {
        const string Name = "Max open files";
        var line = limits.Split('\n').FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal));
        var columns = (line ?? Name)[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        long? Column(int i) => columns.Length > i && long.TryParse(columns[i], NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
        return (Column(0), Column(1));
    }

    /// <summary>How many ports /proc/sys/net/ipv4/ip_local_port_range (ip(7)) offers to outgoing connections; null when it cannot be read.</summary>
    public static (int First, int Last)? PortRange(string text)
    {
        var parts = text.Split((char[])[' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries);
        return parts.Length == 2 && int.TryParse(parts[0], out var first) && int.TryParse(parts[1], out var last) && first <= last ? (first, last) : null;
    }

    /// <summary>A size of /proc/meminfo, such as "MemAvailable" (proc(5): in kB of 1024 bytes).</summary>
    public static Bytes? Memory(string meminfo, string name)
    {
        var line = meminfo.Split('\n').FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.Ordinal));
        var columns = (line ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return columns.Length > 1 && long.TryParse(columns[1], out var kilobytes) ? new Bytes(kilobytes * 1024.0) : null;
    }

    /// <summary>Inode of the socket that listens on a port, from /proc/net/tcp or tcp6 (proc(5)): state 0A is LISTEN; null when none does.</summary>
    public static string? Listener(string table, int port)
    {
        foreach (var line in table.Split('\n').Skip(1))
        {
            var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length > 9 && columns[3] == "0A" && columns[1].EndsWith(":" + port.ToString("X4", CultureInfo.InvariantCulture), StringComparison.Ordinal)) return columns[9];
        }
        return null;
    }
}

/// <summary>Processor, runtime and operating system.</summary>
internal static class SystemChecks
{
    /// <summary>Descriptors a process needs besides its connections: files, sessions, pipes.</summary>
    private const int Reserve = 200;

    /// <summary>Devices that should fit on one machine, each with its connection and, where broker and devices share a process, the broker's end of it.</summary>
    private const int Devices = 1000;

    private const double Mebibyte = 1 << 20;

    public static IEnumerable<Check> All()
    {
        var (system, process) = (RuntimeInformation.OSArchitecture, RuntimeInformation.ProcessArchitecture);
        yield return Check.That(Environment.Is64BitOperatingSystem && Environment.Is64BitProcess, Verdict.Fail, "64 bits",
            $"{RuntimeInformation.OSDescription}: {Bits(Environment.Is64BitOperatingSystem)} system, {Bits(Environment.Is64BitProcess)} process",
            "64-bit system and process: ONNX Runtime has no 32-bit ARM build", Environment.Is64BitOperatingSystem ? "run the build for linux-arm64 or linux-x64" : "install the 64-bit Raspberry Pi OS");
        yield return Check.That(process is Architecture.X64 or Architecture.Arm64, Verdict.Fail, "architecture", system == process ? $"{process}" : $"{process} on {system}", "X64 or Arm64", "use another machine");
        yield return Check.That(Environment.Version.Major >= 10, Verdict.Fail, ".NET", RuntimeInformation.FrameworkDescription, ".NET 10 or later", "install the .NET 10 runtime, or use the self-contained build");
        yield return FileDescriptors(ReadOrEmpty("/proc/self/limits"));
        yield return Ports(ReadOrEmpty("/proc/sys/net/ipv4/ip_local_port_range"));
        yield return Memory(ReadOrEmpty("/proc/meminfo"));
        yield return Check.That(Environment.ProcessorCount > 1, Verdict.Warn, "processors", $"{Environment.ProcessorCount}", "2 for `fleet up` and `fleet run`; an agent alone is content with 1", "emulate on another machine");
        yield return DefaultPort(1883);
        yield return ClockResolution(TimeProvider.System);
    }

    public static Check FileDescriptors(string limits)
    {
        var (soft, hard) = ProcText.OpenFiles(limits);
        if (limits.Length == 0) return new Check("file descriptors", Verdict.Warn, "/proc/self/limits cannot be read", "at least a descriptor a device", "ulimit -n");
        if (soft is not { } limit) return Check.Ok("file descriptors", "unlimited");
        var connections = Math.Max(0, limit - Reserve);
        return Check.That(connections >= 2 * Devices, Verdict.Warn, "file descriptors",
            $"{Count(limit)} (hard limit {(hard is { } most ? Count(most) : "unlimited")}): about {Count(connections)} device connections, {Count(connections / 2)} with the broker in the same process",
            $"{Count(2 * Devices + Reserve)} for {Count(Devices)} devices", hard > limit || hard is null ? $"ulimit -n {hard ?? 65536} before starting" : "raise LimitNOFILE in the systemd unit, or nofile in /etc/security/limits.conf");
    }

    public static Check Ports(string range)
    {
        if (ProcText.PortRange(range) is not var (first, last)) return Check.Ok("outgoing ports", "not told by this system");
        var ports = last - first + 1;
        return Check.That(ports >= 10_000, Verdict.Warn, "outgoing ports", $"{Count(ports)} ({first} to {last}): as many connections to one broker address",
            "10,000", "sysctl -w net.ipv4.ip_local_port_range=\"32768 60999\"");
    }

    public static Check Memory(string meminfo)
    {
        // In a container the limit counts and not the machine, whose memory /proc tells.
        var total = new Bytes(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        var free = ProcText.Memory(meminfo, "MemAvailable") is { } available ? Math.Min(available.Value, total.Value) : total.Value;
        return Check.That(free >= 150 * Mebibyte, Verdict.Warn, "memory", $"{Count(free / Mebibyte)} MiB available of {Count(total.Value / Mebibyte)} MiB",
            "150 MiB available for an agent", "stop something, or add swap");
    }

    private static Check DefaultPort(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Any, port);
            listener.Start();
            return Check.Ok("port 1883", "free for the embedded broker");
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse)
        {
            return new Check("port 1883", Verdict.Warn, $"in use by {Listener(port) ?? "a process of another user"}", "free, if Fleet's own broker shall have it", "--port 0 for another one, or --broker mqtt://127.0.0.1 if it is a broker");
        }
        catch (SocketException e)
        {
            return new Check("port 1883", Verdict.Warn, e.Message, "free, if Fleet's own broker shall have it", "--port 0 for another one");
        }
    }

    /// <summary>"name (pid)", where this user may know it.</summary>
    private static string? Listener(int port)
    {
        var inode = ProcText.Listener(ReadOrEmpty("/proc/net/tcp"), port) ?? ProcText.Listener(ReadOrEmpty("/proc/net/tcp6"), port);
        if (inode is null || !Directory.Exists("/proc")) return null;
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(directory => int.TryParse(Path.GetFileName(directory), out _)))
        {
            try
            {
                if (Directory.EnumerateFiles(Path.Combine(process, "fd")).Any(file => new FileInfo(file).LinkTarget == $"socket:[{inode}]"))
                    return $"{File.ReadAllText(Path.Combine(process, "comm")).Trim()} ({Path.GetFileName(process)})";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another user's process, or one that has just ended.
            }
        }
        return null;
    }

    private static Check ClockResolution(TimeProvider clock)
    {
        var step = long.MaxValue;
        var last = clock.GetTimestamp();
        for (var i = 0; i < 100_000; i++)
        {
            var now = clock.GetTimestamp();
            if (now > last) step = Math.Min(step, now - last);
            last = now;
        }
        var smallest = new Seconds(step / (double)clock.TimestampFrequency);
        return Check.That(smallest.Value <= 1e-6, Verdict.Warn, "clock", $"steps of {smallest.Value * 1e9:F0} ns", "1,000 ns: stage times are some tens of microseconds", "choose another clocksource (/sys/devices/system/clocksource)");
    }

    private static string ReadOrEmpty(string path)
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

    private static string Bits(bool is64) => is64 ? "64-bit" : "32-bit";

    private static string Count(double value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
