using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;
using Fleet.Contracts;

namespace Fleet.Emulator.Reporting;

/// <summary>What a run was run on. Nothing of it may change a result.</summary>
public sealed record Machine
{
    [JsonPropertyName("processor")] public required string Processor { get; init; }
    [JsonPropertyName("cores")] public required int Cores { get; init; }
    [JsonPropertyName("architecture")] public required string Architecture { get; init; }
    [JsonPropertyName("os")] public required string Os { get; init; }
    [JsonPropertyName("runtime")] public required string Runtime { get; init; }

    public static Machine This() => new()
    {
        Processor = ProcessorOf(File.Exists("/proc/cpuinfo") ? File.ReadAllText("/proc/cpuinfo") : ""),
        Cores = Environment.ProcessorCount,
        Architecture = RuntimeInformation.ProcessArchitecture.ToString(),
        Os = RuntimeInformation.OSDescription,
        Runtime = RuntimeInformation.FrameworkDescription,
    };

    /// <summary>The first "model name" of /proc/cpuinfo (proc(5)); "unknown" where there is none, as on many ARM boards.</summary>
    public static string ProcessorOf(string cpuinfo) =>
        cpuinfo.Split('\n').Select(line => line.Split(':', 2)).FirstOrDefault(parts => parts.Length == 2 && parts[0].Trim() == "model name")?[1].Trim() ?? "unknown";
}

/// <summary>
/// manifest.json, beside a run's results: what is needed to repeat the run, what it was run on, and what its files must hash to. Results
/// themselves say nothing of machine, time or threads, so that those of two runs can be compared byte for byte.
/// </summary>
public sealed record Manifest
{
    public const string FileName = "manifest.json";

    /// <summary>The scenario's text lies beside it under this name.</summary>
    public const string ScenarioFile = "scenario.json";

    /// <summary>Gives the same results when it is run in this directory.</summary>
    [JsonPropertyName("command")] public required string Command { get; init; }
    [JsonPropertyName("scenario")] public required string Scenario { get; init; }

    /// <summary>Of scenario.json.</summary>
    [JsonPropertyName("scenario_sha256")] public required string ScenarioSha256 { get; init; }
    [JsonPropertyName("card_sha256")] public required string CardSha256 { get; init; }
    [JsonPropertyName("seed")] public required long Seed { get; init; }

    /// <summary>What the command line said instead of the scenario.</summary>
    [JsonPropertyName("policy")] public required string Policy { get; init; }
    [JsonPropertyName("inference")] public required Scenarios.InferenceKind Inference { get; init; }
    [JsonPropertyName("replications")] public int Replications { get; init; } = 1;

    /// <summary>Which part of the sites was run, i/n; absent for all of them. `fleet merge` joins the parts.</summary>
    [JsonPropertyName("shard")] public string? Shard { get; init; }

    /// <summary>With the commit it was built from after a plus sign, where that was known.</summary>
    [JsonPropertyName("version")] public required string Version { get; init; }
    [JsonPropertyName("trace_hash")] public required string TraceHash { get; init; }

    /// <summary>SHA-256 of each file of results, and of each file of arrivals that the scenario names.</summary>
    [JsonPropertyName("files_sha256")] public required SortedDictionary<string, string> Files { get; init; }
    [JsonPropertyName("machine")] public required Machine Machine { get; init; }
    [JsonPropertyName("threads")] public required int Threads { get; init; }
    [JsonPropertyName("wall_s")] public required Seconds Wall { get; init; }
    [JsonPropertyName("cpu_s")] public required Seconds Cpu { get; init; }
    [JsonPropertyName("events")] public required long Events { get; init; }

    /// <summary>Set by the build: the assembly's informational version.</summary>
    public static string ThisVersion { get; } = typeof(Manifest).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? ProcessEdge.Version;
}
