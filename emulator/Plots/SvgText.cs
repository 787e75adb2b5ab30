using System.Globalization;
using System.Security;
using System.Text;

namespace Fleet.Emulator.Plots;

/// <summary>Writes SVG elements, one a line. Numbers are rounded to hundredths of a pixel and written alike everywhere.</summary>
public sealed class SvgText
{
    private readonly StringBuilder text = new();

    public void Line(string raw) => text.Append(raw).Append('\n');

    /// <param name="attributes">Names and values by turns; a value is a string or a number.</param>
    public void Element(string name, params ReadOnlySpan<object> attributes) => Line($"<{name}{Attributes(attributes)}/>");

    /// <inheritdoc cref="Element"/>
    public void Text(string content, params ReadOnlySpan<object> attributes) => Line($"<text{Attributes(attributes)}>{SecurityElement.Escape(content)}</text>");

    public static string Escape(string text) => SecurityElement.Escape(text);

    public static string Number(double value) => (Math.Round(value, 2) + 0.0).ToString("0.##", CultureInfo.InvariantCulture);

    public override string ToString() => text.ToString();

    private static string Attributes(ReadOnlySpan<object> attributes)
    {
        var written = new StringBuilder();
        for (var i = 0; i < attributes.Length; i += 2)
            written.Append(CultureInfo.InvariantCulture, $" {attributes[i]}=\"{(attributes[i + 1] is string value ? SecurityElement.Escape(value) : Number(Convert.ToDouble(attributes[i + 1], CultureInfo.InvariantCulture)))}\"");
        return written.ToString();
    }
}
