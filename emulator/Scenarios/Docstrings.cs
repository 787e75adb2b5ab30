using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Fleet.Emulator.Scenarios;

/// <summary>What this assembly's docstrings say, from the file that the compiler writes beside it.</summary>
internal static partial class Docstrings
{
    private static readonly Lazy<Dictionary<string, string>> Summaries = new(Read);

    /// <summary>A property's summary in one line; null when it has none.</summary>
    /// <exception cref="FileNotFoundException">The compiler's file is not there.</exception>
    public static string? Of(PropertyInfo property) => Summaries.Value.GetValueOrDefault($"P:{property.DeclaringType!.FullName!.Replace('+', '.')}.{property.Name}");

    private static Dictionary<string, string> Read()
    {
        var members = XDocument.Load(Path.ChangeExtension(typeof(Docstrings).Assembly.Location, ".xml")).Descendants("member");
        return members.Where(member => member.Element("summary") is not null).ToDictionary(member => member.Attribute("name")!.Value, member => Text(member.Element("summary")!), StringComparer.Ordinal);
    }

    /// <summary>References become the last word of what they refer to.</summary>
    private static string Text(XElement summary) =>
        Spaces().Replace(string.Concat(summary.Nodes().Select(node => node is XElement named ? named.Attribute("cref")?.Value.Split('.')[^1] ?? named.Value : ((XText)node).Value)), " ").Trim();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
