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

    /// <summary>A table in the report and, with plain numbers, as CSV beside it.</summary>
    public Report Sheet<T>(string file, IReadOnlyList<T> rows, params IReadOnlyList<Column<T>> columns)
    {
        Table([.. columns.Select(column => column.Title)], rows.Select(row => columns.Select(column => column.Shown(row)).ToList()));
        return Csv(file, rows, columns).Paragraph($"([CSV]({file}))");
    }

    /// <summary>A table as CSV beside the report, which is not shown.</summary>
    public Report Csv<T>(string file, IReadOnlyList<T> rows, params IReadOnlyList<Column<T>> columns) =>
        Csv(file, [.. columns.Select(column => column.Key)], rows.Select(row => columns.Select(column => column.Written(row)).ToList()));

    /// <summary>The last section of a report: published figures beside ours, row by row.</summary>
    public Report Findings(IEnumerable<Finding> findings) => Paragraph("## Published figures beside ours")
        .Paragraph("*Published*: read in the source named, ours for the same quantity beside it; data, network and machine may differ. *Same construction*: built as the source has it, whose own figure could not be had at first hand or is of something that cannot be built here. *Our own*: nothing like it is published there.")
        .Table(["mark", "what", "published", "ours", "source, and how far to trust it"], findings.Select(finding => new[] { finding.Mark, finding.What, finding.Published, finding.Ours, finding.Source }));

    /// <summary>What training measured, as it wrote it down; says how to get it where it is not there yet.</summary>
    /// <param name="comparison">Null: training has not written it.</param>
    /// <param name="command">That writes it.</param>
    public Report Measured(Models.Comparison? comparison, string command)
    {
        if (comparison is null) return Paragraph($"Not measured yet: `{command}` writes it (see [models/training](../../../models/training/README.md)); this report shows it from then on.");
        Paragraph($"{comparison.Text} Only training can measure this: written by `{comparison.Command}` (see [models/training](../../../models/training/README.md)).");
        var (columns, rows) = Tables.ComparisonTable.Of(comparison.Points);
        return Table(columns, rows);
    }

    /// <summary>Every file by its name, the report among them.</summary>
    public IReadOnlyDictionary<string, string> Files()
    {
        files.Add(Name, text.ToString());
        return files;
    }
}
