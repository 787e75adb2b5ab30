using System.Text;
using Fleet.Contracts;

namespace Fleet.Emulator.Fitting;

/// <summary>One line of a table, under its columns' names.</summary>
/// <param name="Line">In the file, from 1: the header's is 1.</param>
public sealed record CsvLine(int Line, IReadOnlyDictionary<string, string> Cells)
{
    /// <summary>The cell without surrounding blanks; empty when the table has no such column.</summary>
    public string this[string column] => Cells.GetValueOrDefault(column, "");
}

/// <summary>Comma-separated values with one line of column names (RFC 4180). Empty lines are passed over.</summary>
public static class CsvTable
{
    /// <exception cref="FaultsException">The file cannot be read, lacks one of <paramref name="columns"/>, or has lines of another length; all at once, with line numbers.</exception>
    public static IReadOnlyList<CsvLine> Read(string path, params string[] columns)
    {
        try
        {
            return Parse(path, File.ReadAllText(path), columns);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException(path, e.Message);
        }
    }

    /// <inheritdoc cref="Read"/>
    public static IReadOnlyList<CsvLine> Parse(string path, string text, params string[] columns)
    {
        var lines = Records(path, text.TrimStart('\uFEFF'));
        if (lines.Count == 0) throw new FaultsException(path, "is empty; expected a line of column names: " + string.Join(",", columns));
        var header = lines[0].Cells;
        var faults = columns.Except(header).Select(column => $"line 1: column {column} is missing; there are: {string.Join(", ", header)}").ToList();
        faults.AddRange(header.GroupBy(column => column).Where(same => same.Count() > 1).Select(same => $"line 1: column {same.Key} stands there {same.Count()} times"));
        faults.AddRange(lines.Where(line => line.Cells.Count != header.Count).Select(line => $"line {line.Line}: has {line.Cells.Count} cells; the header has {header.Count}"));
        FaultsException.ThrowIfAny(path, faults);
        return [.. lines.Skip(1).Select(line => new CsvLine(line.Line, header.Zip(line.Cells).ToDictionary(pair => pair.First, pair => pair.Second)))];
    }

    private static List<(int Line, List<string> Cells)> Records(string path, string text)
    {
        var records = new List<(int, List<string>)>();
        var (cells, cell, isQuoted, line, began) = (new List<string>(), new StringBuilder(), false, 1, 1);
        void EndRecord()
        {
            cells.Add(cell.ToString().Trim());
            if (cells.Count > 1 || cells[0].Length > 0) records.Add((began, cells));
            (cells, began) = ([], line);
            cell.Clear();
        }
        for (var i = 0; i < text.Length; i++)
        {
            var character = text[i];
            if (character == '\n') line++;
            if (isQuoted && character == '"' && i + 1 < text.Length && text[i + 1] == '"') cell.Append(text[++i]);
            else if (character == '"') isQuoted = !isQuoted;
            else if (isQuoted || character is not (',' or '\n' or '\r')) cell.Append(character);
            else if (character == '\n') EndRecord();
            else if (character == ',')
            {
                cells.Add(cell.ToString().Trim());
                cell.Clear();
            }
        }
        if (isQuoted) throw new FaultsException(path, $"line {began}: a quotation mark is not closed");
        EndRecord();
        return records;
    }
}
