using System.Globalization;
using Fleet.Controller.Pareto;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Front;

/// <summary>A front as programs read it.</summary>
public static class FrontFiles
{
    public static readonly IReadOnlyList<string> Columns = ["name", "accuracy_ratio", "latency_s", "energy_j", "sent_bytes"];

    public static string Csv(SiteFront front) => Tables.Text.Csv(Columns, front.Front.Sorted.Select(point => Row(front, point)));

    /// <summary>One plan, with the names it is known by.</summary>
    public static IReadOnlyList<string> Row(SiteFront front, ParetoPoint point) =>
    [
        string.Join(' ', front.Named.Where(named => named.Point == point).Select(named => named.Name)), Plain(1 - point.Figures.Error), Number(point.Figures.Latency.Value), Number(point.Figures.Energy.Value), Number(point.Figures.Sent.Value),
    ];

    private static string Number(double value) => value.ToString("G7", CultureInfo.InvariantCulture);
}
