using System.Text;

namespace Fleet.Emulator.Experiments;

/// <summary>A report in the making: paragraphs, tables and plots, and the files beside it.</summary>
public sealed class Report
{
    public const string Name = "README.md";

    private readonly StringBuilder text = new();
    private readonly Dictionary<string, string> files = new(StringComparer.Ordinal);

    public Report Paragraph(string paragraph)
    {
        text.Append(paragraph).Append("\n\n");
        return this;
    }

    public Report Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        text.Append(Tables.Text.Markdown(columns, rows)).Append('\n');
        return this;
    }

    public Report Plot(string file, string svg, string shows)
    {
        files.Add(file, svg);
        return Paragraph($"![{shows}]({file})");
    }

    /// <summary>A table as CSV beside the report, which is not shown.</summary>
    public Report Csv(string file, IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        files.Add(file, Tables.Text.Csv(columns, rows));
        return this;
    }

    /// <summary>Every file by its name, the report among them.</summary>
    public IReadOnlyDictionary<string, string> Files()
    {
        files.Add(Name, text.ToString());
        return files;
    }
}
