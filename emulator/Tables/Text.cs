using System.Globalization;
using System.Text;

namespace Fleet.Emulator.Tables;

/// <summary>Tables as text that does not depend on who makes it: invariant numbers, lines that end in a line feed.</summary>
public static class Text
{
    /// <summary>What stands where there is no figure.</summary>
    public const string Nothing = "";

    public static string Percent(double ratio) => (ratio * 100).ToString("F2", CultureInfo.InvariantCulture) + " %";

    /// <summary>A difference of ratios, in points.</summary>
    public static string Points(double difference) => (difference * 100).ToString("+0.00;-0.00;0.00", CultureInfo.InvariantCulture);

    /// <summary>One digit behind the point where there is a fraction.</summary>
    public static string Number(double? value) => value?.ToString("#,0.#", CultureInfo.InvariantCulture) ?? Nothing;

    /// <summary>Without a fraction.</summary>
    public static string Whole(double? value) => value is { } number ? Number(Math.Round(number)) : Nothing;

    /// <summary>As programs read it, six digits behind the point at most.</summary>
    public static string Plain(double? value) => value?.ToString("0.######", CultureInfo.InvariantCulture) ?? Nothing;

    /// <summary>A Markdown table.</summary>
    /// <param name="columns">Their names; those that begin with '>' are figures and stand to the right.</param>
    public static string Markdown(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var text = new StringBuilder();
        Line(text, columns.Select(column => column.TrimStart('>')));
        text.Append('|').AppendJoin("", columns.Select(column => column.StartsWith('>') ? "---:|" : "---|")).Append('\n');
        foreach (var row in rows) Line(text, row.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)));
        return text.ToString();
    }

    /// <summary>Comma-separated values (RFC 4180, but for its line ends), with one line of column names.</summary>
    public static string Csv(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows) =>
        string.Concat(rows.Prepend(columns).Select(row => string.Join(',', row.Select(Quoted)) + "\n"));

    private static void Line(StringBuilder text, IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private static string Quoted(string cell) => cell.AsSpan().ContainsAny(',', '"', '\n') ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;
}
