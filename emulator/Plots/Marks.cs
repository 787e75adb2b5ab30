namespace Fleet.Emulator.Plots;

/// <summary>
/// The look of the n-th series of a plot: colours of Okabe and Ito ("Color universal design", 2008), which people who see fewer colours
/// tell apart, and a shape besides, for print and for those who see none.
/// </summary>
public static class Marks
{
    private static readonly string[] Light = ["#0072b2", "#d55e00", "#009e73", "#b5588f", "#8a6d00", "#3a8fc0", "#555555"];
    private static readonly string[] Dark = ["#56b4e9", "#ff8a3d", "#2fcf9f", "#e59ac6", "#e6c229", "#9fd4f5", "#bbbbbb"];

    /// <summary>On light paper, in the order of series.</summary>
    public static IReadOnlyList<string> LightColours => Light;

    /// <summary>On dark paper.</summary>
    public static IReadOnlyList<string> DarkColours => Dark;

    /// <summary>More series than colours begin anew, with another shape.</summary>
    public static int Colours => Light.Length;

    /// <summary>Rules for c0, c1, ... as colour and for all other parts of a plot.</summary>
    public static IEnumerable<string> Style()
    {
        yield return "text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',Arial,sans-serif;font-size:12px;fill:#24292f}";
        yield return ".back{fill:#ffffff}.title{font-size:14px;font-weight:600}.soft{fill:#57606a}.grid{stroke:#d8dee4;stroke-width:1}.axis{stroke:#8c959f;stroke-width:1;fill:none}";
        yield return ".level{stroke:#6e7781;stroke-width:1;stroke-dasharray:2 4}.line{fill:none;stroke-width:2;stroke:currentColor}.dash{stroke-dasharray:6 4}.mark{stroke:currentColor;stroke-width:1.6;fill:currentColor}.open{fill:#ffffff}";
        yield return string.Concat(Light.Select((colour, i) => $".c{i}{{color:{colour}}}"));
        yield return "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.back,.open{fill:#0d1117}.soft{fill:#9da7b3}.grid{stroke:#2b323b}.axis{stroke:#6e7681}.level{stroke:#8b949e}" +
            string.Concat(Dark.Select((colour, i) => $".c{i}{{color:{colour}}}")) + "}";
    }

    /// <summary>Draws the mark of series <paramref name="index"/> around a pixel.</summary>
    public static void Draw(SvgText svg, int index, double x, double y)
    {
        var kind = $"mark c{index % Colours}{(index / 5 % 2 == 1 ? " open" : "")}";
        switch (index % 5)
        {
            case 0: svg.Element("circle", "class", kind, "cx", x, "cy", y, "r", 4); break;
            case 1: svg.Element("rect", "class", kind, "x", x - 3.6, "y", y - 3.6, "width", 7.2, "height", 7.2); break;
            case 2: Polygon(svg, kind, (x, y - 5), (x + 4.7, y + 3.4), (x - 4.7, y + 3.4)); break;
            case 3: Polygon(svg, kind, (x, y - 5), (x + 5, y), (x, y + 5), (x - 5, y)); break;
            default: Polygon(svg, kind, (x, y + 5), (x + 4.7, y - 3.4), (x - 4.7, y - 3.4)); break;
        }
    }

    private static void Polygon(SvgText svg, string kind, params (double X, double Y)[] corners) =>
        svg.Element("polygon", "class", kind, "points", string.Join(' ', corners.Select(corner => $"{SvgText.Number(corner.X)},{SvgText.Number(corner.Y)}")));
}
