using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>
/// Topic audit: one input that was drawn to check the exits, whoever had answered it: what each exit held makes of it, and what the tail says.
/// Inputs are drawn before anybody has looked at them, so that all that are drawn stand for all that came.
/// </summary>
public sealed record Audit : Message
{
    /// <summary>Characters of the logits: a hundred classes at every exit the protocol carries.</summary>
    public const int LogitsLengthMax = 2200;

    /// <summary>Of the assignment under which it was answered.</summary>
    [JsonPropertyName("version")] public required long Version { get; init; }

    /// <summary>The exit that answered it; 0: the edge server, who was asked anyway.</summary>
    [JsonPropertyName("exit")] public required int Exit { get; init; }

    /// <summary>The tail's answer, and how sure it is of it.</summary>
    [JsonPropertyName("tail_label")] public required int TailLabel { get; init; }
    [JsonPropertyName("tail_confidence")] public required double TailConfidence { get; init; }

    /// <summary>What the input truly was, where somebody has said so.</summary>
    [JsonPropertyName("label")] public int? Label { get; init; }

    /// <summary>With what probability it was drawn: it stands for one over as many inputs.</summary>
    [JsonPropertyName("drawn_ratio")] public required double Drawn { get; init; }

    /// <summary>Of all exits held, exits x classes, row by row: fp16, little-endian, in base64url.</summary>
    [JsonPropertyName("logits")] public required string Logits { get; init; }

    /// <summary>Logits as they travel.</summary>
    public static string Pack(ReadOnlySpan<Half> logits) => Base64Url.EncodeToString(MemoryMarshal.AsBytes(logits));

    /// <summary>For exit 1..N a row of so many classes; null when the text is not that.</summary>
    public IReadOnlyList<float[]>? Unpack(int classes)
    {
        var halves = new Half[PerExit.Max * classes];
        if (!Base64Url.TryDecodeFromChars(Logits, MemoryMarshal.AsBytes(halves.AsSpan()), out var bytes) || bytes == 0 || bytes % (2 * classes) != 0) return null;
        var rows = halves.AsSpan(0, bytes / 2).ToArray().Chunk(classes).Select(row => Array.ConvertAll(row, logit => (float)logit)).ToList();
        return rows.All(row => row.All(float.IsFinite)) ? rows : null;
    }

    private protected override void Check(ref FaultList faults)
    {
        if (Exit is < 0 or > PerExit.Max) faults.Add($"exit is {Exit}; allowed: 0 (the edge server) to {PerExit.Max}");
        if (TailLabel < 0) faults.Add($"tail_label is {TailLabel}; allowed: 0 or more");
        if (Label < 0) faults.Add($"label is {Label}; allowed: 0 or more, or none");
        if (!(Drawn is > 0 and <= 1)) faults.Add($"drawn_ratio is {Drawn}; allowed: above 0 to 1");
        if (Logits.Length is 0 or > LogitsLengthMax || !Base64Url.IsValid(Logits)) faults.Add($"logits are {Logits.Length} characters; allowed: base64url of 1 to {LogitsLengthMax}");
        faults.Ratio("tail_confidence", TailConfidence);
    }
}
