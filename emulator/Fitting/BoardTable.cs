using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Emulator.Fitting;

/// <summary>A board that nobody has measured: what a clock and a core say of it.</summary>
/// <param name="Also">Other names it goes by.</param>
public sealed record KnownBoard(string Board, string Core, Hertz Clock, IReadOnlyList<string> Also)
{
    public bool IsNamed(string key) => Also.Append(Board).Any(name => SystemNames.Key(name) == key);
}

/// <summary>Boards without measured rows, one a line.</summary>
public static class BoardTable
{
    /// <exception cref="FaultsException">All faults of the file, with line numbers.</exception>
    public static IReadOnlyList<KnownBoard> Read(string path)
    {
        var faults = new List<string>();
        var boards = CsvTable.Read(path, "board", "core", "clock_hz", "also", "source").Select(line => Board(line, faults)).ToList();
        FaultsException.ThrowIfAny(path, faults);
        return boards;
    }

    private static KnownBoard Board(CsvLine line, List<string> faults)
    {
        if (!double.TryParse(line["clock_hz"], NumberStyles.Float, CultureInfo.InvariantCulture, out var clock) || !(clock > 0) || !double.IsFinite(clock))
            faults.Add($"line {line.Line}: clock_hz is \"{line["clock_hz"]}\"; expected a number above 0");
        return new KnownBoard(line["board"], line["core"], new Hertz(clock), line["also"].Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }
}
