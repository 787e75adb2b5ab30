using Fleet.Emulator.Reporting;
using NUnit.Framework;
using Parquet;

namespace Fleet.Tests.Emulator.Reporting;

public sealed class TableWriterTests
{
    private static readonly Column[] Columns = [Column.Text("name"), Column.Whole("count"), Column.Number("time_s")];

    private string scratch = "";

    [SetUp]
    public void CreateScratch() => scratch = Directory.CreateTempSubdirectory("fleet-table").FullName;

    [TearDown]
    public void DeleteScratch() => Directory.Delete(scratch, recursive: true);

    [Test]
    public void Rows_OfAllKinds_StandInCsvAndParquetAlike()
    {
        using (var table = new TableWriter(scratch, "t", Columns))
        {
            table.Add("a, \"b\"").Add((long?)-3).Add(0.1).EndRow();
            table.Add((string?)null).Add((long?)null).Add((double?)null).EndRow();
            table.AddRow(["c", "4", "1E-09"]);
        }
        Assert.That(File.ReadAllText(Path.Combine(scratch, "t.csv")), Is.EqualTo("name,count,time_s\n\"a, \"\"b\"\"\",-3,0.1\n,,\nc,4,1E-09\n"));
        var (names, counts, times) = Read("t").GetAwaiter().GetResult();
        Assert.That(names, Is.EqualTo(new[] { "a, \"b\"", null, "c" }));
        Assert.That(counts, Is.EqualTo(new long?[] { -3, null, 4 }));
        Assert.That(times, Is.EqualTo(new double?[] { 0.1, null, 1e-9 }));
    }

    [Test]
    public void Rows_MoreThanAGroup_AllComeBackAndTheBytesAreTheSameAgain()
    {
        const int Rows = 40_000;
        foreach (var name in (string[])["a", "b"])
        {
            using var table = new TableWriter(scratch, name, Columns);
            for (var i = 0; i < Rows; i++) table.Add($"row {i % 7}").Add((long?)i).Add(i / 3.0).EndRow();
        }
        var (names, counts, times) = Read("a").GetAwaiter().GetResult();
        Assert.That(counts, Is.EqualTo(Enumerable.Range(0, Rows).Select(i => (long?)i)));
        Assert.That((names[^1], times[^1]), Is.EqualTo(($"row {(Rows - 1) % 7}", (Rows - 1) / 3.0)));
        foreach (var kind in (string[])["csv", "parquet"])
            Assert.That(File.ReadAllBytes(Path.Combine(scratch, "a." + kind)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(scratch, "b." + kind))), kind);
    }

    [Test]
    public void Table_WithoutRows_IsReadable()
    {
        using (new TableWriter(scratch, "empty", Columns))
        {
        }
        Assert.That(Read("empty").GetAwaiter().GetResult().Counts, Is.Empty);
    }

    [Test]
    public void Cells_OfAnotherKindOrTooFew_AreRefused()
    {
        using var table = new TableWriter(scratch, "t", Columns);
        Assert.Throws<InvalidOperationException>(() => table.Add((long?)1), "a text is expected");
        table.Add("a");
        Assert.Throws<InvalidOperationException>(table.EndRow);
        table.Add((long?)1).Add(1.0).EndRow();
        Assert.Throws<FormatException>(() => table.AddRow(["a", "b", "1"]));
    }

    private async Task<(string?[] Names, long?[] Counts, double?[] Times)> Read(string name)
    {
        await using var file = await ParquetReader.CreateAsync(Path.Combine(scratch, name + ".parquet"));
        var (names, counts, times) = (new List<string?>(), new List<long?>(), new List<double?>());
        var fields = file.Schema.DataFields;
        Assert.That(fields.Select(field => field.Name), Is.EqualTo(Columns.Select(column => column.Name)));
        for (var i = 0; i < file.RowGroupCount; i++)
        {
            using var group = file.OpenRowGroupReader(i);
            var (text, whole, number) = (new string?[group.RowCount], new long?[group.RowCount], new double?[group.RowCount]);
            await group.ReadAsync(fields[0], text.AsMemory());
            await group.ReadAsync<long>(fields[1], whole.AsMemory());
            await group.ReadAsync<double>(fields[2], number.AsMemory());
            names.AddRange(text);
            counts.AddRange(whole);
            times.AddRange(number);
        }
        return ([.. names], [.. counts], [.. times]);
    }
}
