using System.Globalization;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments;

/// <summary>A column of a table: how a reader sees it in the report, and how programs read it in the CSV.</summary>
/// <param name="Title">In the report; one that begins with '>' stands to the right.</param>
/// <param name="Key">In the CSV, with its unit.</param>
public sealed record Column<T>(string Title, string Key, Func<T, string> Shown, Func<T, string> Written)
{
    public static Column<T> Word(string title, string key, Func<T, string> of) => new(title, key, of, of);

    /// <summary>Shown in percent, written as it is.</summary>
    public static Column<T> Ratio(string title, string key, Func<T, double?> of) => new(">" + title, key, row => of(row) is { } ratio ? Percent(ratio) : Nothing, row => Plain(of(row)));

    /// <param name="scale">What the value shown is multiplied by: 1e3 shows seconds as milliseconds.</param>
    /// <param name="format">Of the value shown.</param>
    public static Column<T> Number(string title, string key, Func<T, double?> of, string format = "#,0.#", double scale = 1) =>
        new(">" + title, key, row => (of(row) * scale)?.ToString(format, CultureInfo.InvariantCulture) ?? Nothing, row => of(row)?.ToString("G7", CultureInfo.InvariantCulture) ?? Nothing);
}
