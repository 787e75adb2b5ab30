using System.Globalization;
using Fleet.Contracts;
using Parquet;
using Parquet.Schema;

namespace Fleet.Emulator.Reporting;

public enum ColumnKind
{
    Text,
    Whole,
    Number,
}

/// <summary>A column of a table; the unit stands in its name.</summary>
public readonly record struct Column(string Name, ColumnKind Kind)
{
    public static Column Text(string name) => new(name, ColumnKind.Text);

    public static Column Whole(string name) => new(name, ColumnKind.Whole);

    public static Column Number(string name) => new(name, ColumnKind.Number);
}

/// <summary>
/// Writes a table row by row as NAME.csv and NAME.parquet with bounded memory. The same rows give the same bytes: cells are written
/// with invariant culture, and a group of rows is closed when it is full and at no other time.
/// </summary>
public sealed class TableWriter : IDisposable
{
    /// <summary>Rows of a Parquet row group: some megabytes in memory.</summary>
    private const int GroupRows = 32_768;

    private readonly IReadOnlyList<Column> columns;
    private readonly StreamWriter csv;
    private readonly FileStream file;
    private readonly ParquetWriter parquet;
    private readonly ParquetSchema schema;
    private readonly string?[][] texts;
    private readonly long?[][] wholes;
    private readonly double?[][] numbers;
    private int column, rows;

    /// <param name="directory">Exists already.</param>
    public TableWriter(string directory, string name, IReadOnlyList<Column> columns)
    {
        this.columns = columns;
        csv = new StreamWriter(Path.Combine(directory, name + ".csv")) { NewLine = "\n" };
        csv.WriteLine(string.Join(',', columns.Select(known => known.Name)));
        file = new FileStream(Path.Combine(directory, name + ".parquet"), FileMode.Create, FileAccess.ReadWrite);
        schema = new ParquetSchema(columns.Select(Field));
        parquet = ParquetWriter.CreateAsync(schema, file, new ParquetOptions { CompressionMethod = CompressionMethod.Snappy }).GetAwaiter().GetResult();
        texts = Buffers<string?>(ColumnKind.Text);
        wholes = Buffers<long?>(ColumnKind.Whole);
        numbers = Buffers<double?>(ColumnKind.Number);
    }

    /// <summary>The next cell of the row; null for none.</summary>
    public TableWriter Add(string? cell)
    {
        Expect(ColumnKind.Text);
        Separate();
        csv.Write(Quoted(cell ?? ""));
        Keep(texts, cell);
        return this;
    }

    /// <inheritdoc cref="Add(string)"/>
    public TableWriter Add(long? cell)
    {
        Expect(ColumnKind.Whole);
        Separate();
        if (cell is { } value) Write(value);
        Keep(wholes, cell);
        return this;
    }

    /// <inheritdoc cref="Add(string)"/>
    public TableWriter Add(double? cell)
    {
        Expect(ColumnKind.Number);
        Separate();
        if (cell is { } value) Write(value);
        Keep(numbers, cell);
        return this;
    }

    /// <summary>A row as a CSV file has it.</summary>
    /// <exception cref="FormatException">A cell is no number where one is expected.</exception>
    public void AddRow(IReadOnlyList<string> cells)
    {
        if (cells.Count != columns.Count) throw new FormatException($"has {cells.Count} cells; expected {columns.Count}");
        for (var i = 0; i < cells.Count; i++)
        {
            if (columns[i].Kind is ColumnKind.Text) Add(cells[i]);
            else if (columns[i].Kind is ColumnKind.Whole) Add(cells[i].Length == 0 ? null : long.Parse(cells[i], CultureInfo.InvariantCulture));
            else Add(cells[i].Length == 0 ? (double?)null : double.Parse(cells[i], CultureInfo.InvariantCulture));
        }
        EndRow();
    }

    public void EndRow()
    {
        if (column != columns.Count) throw new InvalidOperationException($"a row of {column} cells in a table of {columns.Count} columns");
        csv.Write('\n');
        column = 0;
        if (++rows == GroupRows) Flush();
    }

    public void Dispose()
    {
        if (rows > 0) Flush();
        csv.Dispose();
        parquet.DisposeAsync().AsTask().GetAwaiter().GetResult();
        file.Dispose();
    }

    private void Flush()
    {
        using var group = parquet.CreateRowGroup();
        for (var i = 0; i < columns.Count; i++)
        {
            var field = schema.DataFields[i];
            var written = columns[i].Kind switch
            {
                ColumnKind.Text => group.WriteAsync(field, new ArraySegment<string?>(texts[i], 0, rows)!),
                ColumnKind.Whole => group.WriteAsync<long>(field, wholes[i].AsMemory(0, rows)),
                _ => group.WriteAsync<double>(field, numbers[i].AsMemory(0, rows)),
            };
            written.GetAwaiter().GetResult();
        }
        group.CompleteValidate();
        rows = 0;
    }

    private T[][] Buffers<T>(ColumnKind kind) => [.. columns.Select(known => known.Kind == kind ? new T[64] : [])];

    /// <summary>Most tables are short: buffers grow as they fill.</summary>
    private void Keep<T>(T[][] buffers, T cell)
    {
        if (rows == buffers[column].Length) Array.Resize(ref buffers[column], Math.Min(GroupRows, 2 * rows));
        buffers[column++][rows] = cell;
    }

    private void Expect(ColumnKind kind)
    {
        if (column == columns.Count || columns[column].Kind != kind) throw new InvalidOperationException($"a cell of kind {kind} after {column} cells; the columns are {string.Join(", ", columns)}");
    }

    private void Separate()
    {
        if (column > 0) csv.Write(',');
    }

    private void Write<T>(T value) where T : ISpanFormattable
    {
        Span<char> text = stackalloc char[32];
        value.TryFormat(text, out var length, default, CultureInfo.InvariantCulture);
        csv.Write(text[..length]);
    }

    private static string Quoted(string cell) => cell.AsSpan().ContainsAny(',', '"', '\n') ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;

    private static DataField Field(Column column) => column.Kind switch
    {
        ColumnKind.Text => new DataField<string>(column.Name),
        ColumnKind.Whole => new DataField<long?>(column.Name),
        _ => new DataField<double?>(column.Name),
    };
}
