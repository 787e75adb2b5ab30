using System.Text.Json.Serialization;
using Fleet.Contracts;
using Fleet.Controller.Planning;

namespace Fleet.Emulator.Scenarios;

/// <summary>How the controller steers.</summary>
public sealed record ControlSpec
{
    [JsonPropertyName("policy")] public string Policy { get; init; } = Planners.Default;
    [JsonPropertyName("deadline_s")] public Seconds Deadline { get; init; } = new(0.5);
    [JsonPropertyName("report_s")] public Seconds Report { get; init; } = new(5);

    /// <summary>Seconds that a joule of device energy is worth, and seconds that a wrong answer is worth.</summary>
    [JsonPropertyName("joule_weight")] public double JouleWeight { get; init; } = new Weights().JouleWeight;
    [JsonPropertyName("error_weight")] public double ErrorWeight { get; init; } = new Weights().ErrorWeight;

    /// <summary>What is impossible about it, one sentence a fault.</summary>
    public IEnumerable<string> Faults()
    {
        if (!Planners.Names.Contains(Policy)) yield return $"policy is \"{Policy}\"; allowed: {string.Join(", ", Planners.Names)}";
        if (!(Deadline.Value is > 0 and <= 3600)) yield return $"deadline_s is {Deadline.Value}; allowed: above 0 to 3600";
        if (!(Report.Value is >= 0.1 and <= 86400)) yield return $"report_s is {Report.Value}; allowed: 0.1 to 86400";
        if (!(JouleWeight is >= 0 and <= 1e6)) yield return $"joule_weight is {JouleWeight}; allowed: 0 to 1e6";
        if (!(ErrorWeight is >= 0 and <= 1e6)) yield return $"error_weight is {ErrorWeight}; allowed: 0 to 1e6";
    }
}
