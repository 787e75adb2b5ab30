using Fleet.Emulator.Plots;
using Fleet.Models.Calibrating;

namespace Fleet.Emulator.Tables;

/// <summary>The plots of the zoo, as SVG.</summary>
public static class ZooPlots
{
    /// <summary>Accuracies further below the best than this are cut off: they would press all others together.</summary>
    private const double AccuracySpan = 0.12;

    /// <summary>Bins with fewer samples say little and are not drawn; the CSV has them.</summary>
    private const int BinSamplesMin = 30;

    private const string Lossless = "input, nothing lost";

    /// <summary>Accuracy against bytes of a task; null when nothing crosses.</summary>
    public static string? Bytes(ZooTask task)
    {
        var crossing = task.Ways.Where(way => way.IsOfMain && way.Family is Family.Codec or Family.Split or Family.Bottleneck && way.Wire?.Value > 0).ToList();
        if (crossing.Count == 0) return null;
        // What training compares besides repeats the sizes of what ships: its marks say the method and not the size.
        var isNamed = (Way way) => way.Family is not Family.Bottleneck || way.IsShipped || !ByteWinners.OffersBottlenecks(task.Ways);
        var exits = task.Models.Take(1).SelectMany(model => model.Card.Exits).Select(exit => new Level($"exit {exit.Exit}", exit.Accuracy)).ToList();
        var series = crossing.GroupBy(way => (way.Family, Name: SeriesName(way))).SelectMany(group => Curve(group.Key.Name, group.Key.Family, [.. group], isNamed));
        var panel = new Panel(
            $"{task.Name}: accuracy against bytes on the wire",
            Scale.Logarithmic("mean payload of an inference in bytes", crossing.Select(way => way.Wire!.Value.Value), Scale.Number),
            Accuracies(crossing.Select(way => way.Accuracy).Concat(exits.Select(level => level.Y))), [.. series])
        {
            Levels = exits,
        };
        return SvgPlot.Draw($"{task.Name}: accuracy of each way of finishing on a server against the bytes it sends", [panel]);
    }

    /// <summary>Accuracy against the device's work of a task; null without a model.</summary>
    public static string? Work(ZooTask task)
    {
        if (task.Models.Count == 0) return null;
        var fronts = task.Models.Where(model => model.Front.Count > 0)
            .Select(model => new Series($"{model.Card.Name}: exits by thresholds", [.. model.Front.Select(outcome => Millions(outcome.MeanMacs.Value, outcome.Accuracy, ""))], HasMarks: false));
        var exits = task.Models.Select(model => new Series($"{model.Card.Name}: one exit answers all", [.. model.Card.Exits.Select(exit => Millions(model.Card.HeadWork(exit.Exit).Total.Value, exit.Accuracy, $"exit {exit.Exit}"))], Joint.None));
        var routes = task.Ways.Where(way => way.IsOfMain && way.Device is not null && way.Family is Family.Codec or Family.Split or Family.Bottleneck).GroupBy(way => way.Family)
            .Select(family => new Series(FamilyName(family.Key), [.. BestOfMethods(family).Select(way => Millions(way.Device!.Value.Value, way.Accuracy, ""))], Joint.None));
        Series[] all = [.. fronts, .. exits, .. routes];
        var lowest = all.SelectMany(one => one.Points).Max(point => point.Y) - AccuracySpan;
        var series = all.Select(one => one with { Points = [.. one.Points.Where(point => point.Y >= lowest)] }).Where(one => one.Points.Count > 0).ToList();
        var points = series.SelectMany(one => one.Points).ToList();
        var panel = new Panel($"{task.Name}: accuracy against work of the device", Scale.Linear("mean multiply-accumulates of the device an inference, in millions", points.Select(point => point.X).Append(0), Scale.Number), Accuracies(points.Select(point => point.Y)), series);
        return SvgPlot.Draw($"{task.Name}: accuracy against the work of the device, for exits by thresholds and for each route", [panel]);
    }

    /// <summary>Reliability of each exit of a model on all test samples.</summary>
    public static string Reliability(string model, IReadOnlyList<ExitCalibration> exits)
    {
        var panels = exits.Where(exit => exit.Population == ExitCalibration.All)
            .Select(exit => new Panel($"{model}, exit {exit.Exit}", Unit("confidence"), Unit("share that is right"), [.. Maps(exit)]) with { HasDiagonal = true })
            .ToList();
        return SvgPlot.Draw($"{model}: share of right answers against confidence, exit by exit", panels, width: 270, height: 270);
    }

    /// <summary>The chosen map besides the temperature only where it is something else.</summary>
    private static IEnumerable<Series> Maps(ExitCalibration exit)
    {
        yield return Bins("as the softmax says", exit.Before, Joint.Dashed);
        yield return Bins("after the temperature", exit.Temperature, Joint.Solid);
        if (exit.Family is not MapFamily.Temperature) yield return Bins("after the map chosen", exit.Mapped, Joint.Solid);
    }

    /// <summary>
    /// The points of a series, and a line through those that no cheaper one equals. Codecs have many qualities and sizes: of each only
    /// that line is drawn.
    /// </summary>
    private static IEnumerable<Series> Curve(string name, Family family, List<Way> ways, Func<Way, bool> isNamed)
    {
        var points = ways.OrderBy(way => way.Wire!.Value.Value).ThenByDescending(way => way.Accuracy).ToList();
        var front = points.Where((way, i) => points.Take(i).All(cheaper => cheaper.Accuracy < way.Accuracy)).ToList();
        var shown = family is Family.Codec && name != Lossless ? front : points;
        if (family is not Family.Split && front.Count > 1) yield return new Series(name, [.. front.Select(way => Point(way, ""))], family is Family.Bottleneck ? Joint.Solid : Joint.Dashed, HasMarks: false);
        yield return new Series(name, [.. shown.Select(way => Point(way, isNamed(way) ? Label(way) : ""))], Joint.None);
    }

    private static string SeriesName(Way way) => way.Family is Family.Split ? "features of a cut, as they are" : way.Family is Family.Bottleneck ? way.Method : way.Method is "raw" or "png" ? Lossless : $"input as {way.Method.Split(',')[0]}, the best of each size";

    private static string Label(Way way) => way.Family switch
    {
        Family.Split => $"{way.Method.Replace("split at ", "", StringComparison.Ordinal)} {way.Variant}",
        Family.Bottleneck => way.Variant.Split(',')[0],
        _ => way.Method is "raw" or "png" ? way.Method : "",
    };

    private static string FamilyName(Family family) => family switch
    {
        Family.Codec => "the input is sent",
        Family.Split => "features of a cut are sent",
        _ => "a bottleneck's latent is sent",
    };

    /// <summary>Of the codecs the best variant of each method: all cost the device the same.</summary>
    private static IEnumerable<Way> BestOfMethods(IGrouping<Family, Way> family) =>
        family.Key is Family.Codec ? family.GroupBy(way => way.Method).Select(method => method.MaxBy(way => way.Accuracy)!) : family;

    private static Scale Accuracies(IEnumerable<double> values)
    {
        var all = values.ToList();
        var best = all.Max();
        return Scale.Linear("accuracy on the test set", all.Where(value => value >= best - AccuracySpan), Scale.Percent);
    }

    private static Scale Unit(string title) => new(title, 0, 1, IsLogarithmic: false, Scale.Number);

    private static Series Bins(string name, ReliabilityDiagram diagram, Joint joint) =>
        new(name, [.. diagram.Bins.Where(bin => bin.Samples >= BinSamplesMin).Select(bin => new PlotPoint(bin.Confidence, bin.Accuracy))], joint);

    private static PlotPoint Point(Way way, string label) => new(way.Wire!.Value.Value, way.Accuracy, label);

    private static PlotPoint Millions(double macs, double accuracy, string label) => new(macs / 1e6, accuracy, label);
}
