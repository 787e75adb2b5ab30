using System.Globalization;
using System.Xml.Linq;
using Fleet.Emulator.Plots;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Plots;

public sealed class SvgPlotTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private static Panel Panel(params Series[] series) => new("a <panel>", new Scale("x", 0, 10, IsLogarithmic: false, Scale.Number), new Scale("y", 0, 1, IsLogarithmic: false, Scale.Percent), series);

    [Test]
    public void Draw_Panels_IsWellFormedAndHoldsEachSeries()
    {
        var document = XDocument.Parse(SvgPlot.Draw("two & two", [Panel(new Series("one", [new(1, 0.5), new(2, 0.6)])), Panel(new Series("two", [new(3, 0.5, "here")], Joint.None))]));
        var texts = document.Descendants(Svg + "text").Select(text => text.Value).ToList();
        Assert.That(texts, Does.Contain("one").And.Contain("two").And.Contain("here").And.Contain("a <panel>"));
        Assert.That(document.Descendants(Svg + "title").Single().Value, Is.EqualTo("two & two"));
        Assert.That(document.Descendants(Svg + "polyline").Count(), Is.EqualTo(1), "only series one is joined");
        Assert.That(document.Descendants(Svg + "circle").Count(), Is.EqualTo(3), "two points and the legend's");
    }

    [Test]
    public void Draw_OtherCulture_IsTheSame()
    {
        string Draw() => SvgPlot.Draw("t", [Panel(new Series("one", [new(1.25, 0.125, "p")]))]);
        var (before, invariant) = (CultureInfo.CurrentCulture, Draw());
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = { NumberDecimalSeparator = ",", NegativeSign = "~" } };
            Assert.That(Draw(), Is.EqualTo(invariant));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Test]
    public void Draw_CrowdedLabels_CoverNeitherEachOtherNorMarks()
    {
        var random = new Random(1);
        var room = new FreeRoom(new Box(0, 0, 400, 300));
        var marks = Enumerable.Range(0, 60).Select(_ => (X: 400 * random.NextDouble(), Y: 300 * random.NextDouble())).ToList();
        foreach (var (x, y) in marks) room.Take(Box.Around(x, y, 5));
        var placed = marks.Select(mark => room.Beside(mark.X, mark.Y, "a label")).OfType<(double X, double Y)>().Select(at => new Box(at.X, at.Y - 10, FreeRoom.WidthOf("a label"), 13)).ToList();
        Assert.That(placed, Has.Count.GreaterThan(10));
        for (var i = 0; i < placed.Count; i++)
        {
            Assert.That(placed.Skip(i + 1).Where(placed[i].Meets), Is.Empty);
            Assert.That(marks.Where(mark => placed[i].Meets(Box.Around(mark.X, mark.Y, 5))), Is.Empty);
        }
    }
}
