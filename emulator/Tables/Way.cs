using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Emulator.Tables;

/// <summary>The kinds of ways, in the order of the table.</summary>
public enum Family
{
    /// <summary>One exit answers all, on the device.</summary>
    Exit,

    /// <summary>The exits answer by thresholds, on the device.</summary>
    Cascade,

    /// <summary>The input crosses, as it is or compressed.</summary>
    Codec,

    /// <summary>The features of a cut cross.</summary>
    Split,

    /// <summary>The latent of a bottleneck crosses.</summary>
    Bottleneck,
}

/// <summary>One way of answering a task's inputs, and what it costs: a line of the table.</summary>
/// <param name="Method">In the words of the table.</param>
/// <param name="Variant">Which of several; "" when there is one.</param>
/// <param name="Accuracy">On the whole test set.</param>
/// <param name="Wire">Mean payload an inference; null when unknown.</param>
/// <param name="Device">Mean work of the device an inference, the heads of exits included; null when unknown.</param>
/// <param name="DeviceFile">Of all files the device holds; null when unknown.</param>
/// <param name="Note">What a reader must know, in Markdown.</param>
public sealed record Way(Family Family, string Method, string Variant, double Accuracy, Bytes? Wire, Macs? Device, Bytes? DeviceFile, string Note)
{
    /// <summary>Codecs by which a comparison's method can begin.</summary>
    private static readonly string[] Codecs = ["raw", "png", "webp", "jpeg"];

    /// <summary>Whether a card offers it, so that its bytes are those of payloads that a device would send; training may have estimated its own.</summary>
    public bool IsShipped { get; init; }

    /// <summary>Whether it is of the task's main network: other models of the task are in the table only, or they would crowd the plots of bytes.</summary>
    public bool IsOfMain { get; init; } = true;

    public string Name => Variant.Length == 0 ? Method : $"{Method}, {Variant}";

    /// <summary>A line of a comparison as a line of the table; null where it is no way of finishing on a server and stands in its comparison only.</summary>
    /// <param name="comparison">Whose name the note gives.</param>
    public static Way? Of(Comparison comparison, ComparisonPoint point)
    {
        var begins = point.Method.Split(' ', ',')[0];
        Family? family = Codecs.Contains(begins) ? Family.Codec : begins == "bottleneck" ? Family.Bottleneck : null;
        if (family is not { } which || point.Wire is null) return null;
        var source = $"[{comparison.Name}](#{comparison.Name})";
        return new Way(which, point.Method, point.Variant, point.Accuracy, point.Wire, point.Device, point.DeviceFile, point.Note.Length == 0 ? source : $"{point.Note}; {source}");
    }

    /// <summary>By family, then method, then bytes, work and accuracy.</summary>
    public static IOrderedEnumerable<Way> Sorted(IEnumerable<Way> ways) => ways
        .OrderBy(way => way.Family)
        .ThenBy(way => way.Family is Family.Exit or Family.Cascade ? "" : way.Method, StringComparer.Ordinal)
        .ThenBy(way => way.Wire?.Value ?? 0)
        .ThenBy(way => way.Device?.Value ?? 0)
        .ThenBy(way => way.Name, StringComparer.Ordinal);
}
