using Fleet.Models;

namespace Fleet.Emulator.Tables;

/// <summary>What training measured, point by point, as readers see it.</summary>
public static class ComparisonTable
{
    private static readonly (string Name, Func<ComparisonPoint, string> Cell)[] Columns =
    [
        ("method", point => point.Method), ("variant", point => point.Variant), (">accuracy", point => Text.Percent(point.Accuracy)), (">wire bytes", point => Text.Number(point.Wire?.Value)),
        (">device MACs", point => Text.Whole(point.Device?.Value)), (">device file bytes", point => Text.Whole(point.DeviceFile?.Value)), ("note", point => point.Note),
    ];

    /// <summary>Columns and rows of a table; a column in which nobody has anything to say is left out.</summary>
    public static (IReadOnlyList<string> Columns, IEnumerable<IReadOnlyList<string>> Rows) Of(IReadOnlyList<ComparisonPoint> points)
    {
        var used = Columns.Where(column => points.Any(point => column.Cell(point).Length > 0)).ToList();
        return ([.. used.Select(column => column.Name)], points.Select(point => used.Select(column => column.Cell(point)).ToList()));
    }
}
