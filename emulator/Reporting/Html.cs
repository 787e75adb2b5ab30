using System.Text;
using Fleet.Emulator.Plots;

namespace Fleet.Emulator.Reporting;

/// <summary>Writes a page that is HTML and well-formed XML at once. What is given as text is escaped.</summary>
public sealed class Html
{
    private readonly StringBuilder text = new();

    /// <summary>Markup as it is.</summary>
    public Html Raw(string markup)
    {
        text.Append(markup).Append('\n');
        return this;
    }

    /// <summary>An element with text in it.</summary>
    public Html Element(string tag, string content, string? kind = null) => Raw($"<{tag}{Kind(kind)}>{SvgText.Escape(content)}</{tag}>");

    public Html Open(string tag, string? kind = null) => Raw($"<{tag}{Kind(kind)}>");

    public Html Close(string tag) => Raw($"</{tag}>");

    /// <summary>A table that scrolls sideways where the page is narrower.</summary>
    /// <param name="columns">Their names; those that begin with '>' are figures and stand to the right.</param>
    /// <param name="rows">Cells; null for none.</param>
    public Html Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string?>> rows)
    {
        Raw("<div class=\"table\"><table><thead><tr>" + string.Concat(columns.Select(column => $"<th{Kind(column.StartsWith('>') ? "n" : null)}>{SvgText.Escape(column.TrimStart('>'))}</th>")) + "</tr></thead><tbody>");
        foreach (var row in rows) Raw("<tr>" + string.Concat(row.Select((cell, i) => $"<td{Kind(columns[i].StartsWith('>') ? "n" : null)}>{SvgText.Escape(cell ?? "–")}</td>")) + "</tr>");
        return Raw("</tbody></table></div>");
    }

    public override string ToString() => text.ToString();

    private static string Kind(string? kind) => kind is null ? "" : $" class=\"{kind}\"";
}
