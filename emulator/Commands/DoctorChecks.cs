using System.Text.Json.Serialization;

namespace Fleet.Emulator.Commands;

/// <summary>How a check ended.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Verdict>))]
internal enum Verdict
{
    [JsonStringEnumMemberName("ok")] Ok,

    /// <summary>Works, but something will be slow, small or in the way.</summary>
    [JsonStringEnumMemberName("warn")] Warn,

    /// <summary>Fleet will not work, or loses messages without a word.</summary>
    [JsonStringEnumMemberName("fail")] Fail,
}

/// <summary>One line of the doctor.</summary>
/// <param name="About">What was looked at.</param>
/// <param name="Found">What it is.</param>
/// <param name="Needed">What it should be; empty when all is well.</param>
/// <param name="Action">What to do about it; empty when all is well.</param>
internal sealed record Check(
    [property: JsonPropertyName("about")] string About,
    [property: JsonPropertyName("verdict")] Verdict Verdict,
    [property: JsonPropertyName("found")] string Found,
    [property: JsonPropertyName("needed")] string Needed = "",
    [property: JsonPropertyName("action")] string Action = "")
{
    public static Check Ok(string about, string found) => new(about, Verdict.Ok, found);

    /// <summary>All is well when <paramref name="isFine"/>; else the verdict with what is needed and what to do.</summary>
    public static Check That(bool isFine, Verdict otherwise, string about, string found, string needed, string action) =>
        isFine ? Ok(about, found) : new Check(about, otherwise, found, needed, action);

    public override string ToString()
    {
        var line = $"{Verdict.ToString().ToUpperInvariant(),-6}{About,-20}{Found}";
        if (Needed.Length > 0) line += $"; needed: {Needed}";
        return Action.Length > 0 ? $"{line}; do: {Action}" : line;
    }
}

/// <summary>All checks, for programs.</summary>
internal sealed record Diagnosis(
    [property: JsonPropertyName("checks")] IReadOnlyList<Check> Checks,
    [property: JsonPropertyName("warned")] int Warned,
    [property: JsonPropertyName("failed")] int Failed)
{
    public static Diagnosis Of(IReadOnlyList<Check> checks) =>
        new(checks, checks.Count(check => check.Verdict is Verdict.Warn), checks.Count(check => check.Verdict is Verdict.Fail));
}
