using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Fleet.Contracts;

namespace Fleet.Models.Profiling;

/// <summary>A profile as a file: two blanks an indent, a number with its source on one line, lines that end in a line feed.</summary>
public static class ProfileText
{
    private const string SourceKey = "source";

    private static readonly JsonSerializerOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(HardwareProfile profile)
    {
        var text = new StringBuilder();
        Write(text, JsonSerializer.SerializeToNode(profile, Json.File.Info<HardwareProfile>())!, indent: 0);
        return text.Append('\n').ToString();
    }

    /// <summary>Every number of a profile: its key, value, tag and source.</summary>
    public static IEnumerable<(string Key, string Value, string Confidence, string Source)> Numbers(HardwareProfile profile) =>
        Numbers("", JsonSerializer.SerializeToNode(profile, Json.File.Info<HardwareProfile>())!);

    public static string Letter(Evidence confidence) => confidence switch
    {
        Evidence.Measured => "M",
        Evidence.DataSheet => "D",
        Evidence.Simulator => "S",
        Evidence.Computed => "X",
        _ => "K",
    };

    private static IEnumerable<(string, string, string, string)> Numbers(string path, JsonNode node)
    {
        if (node is not JsonObject members) yield break;
        foreach (var (key, value) in members)
        {
            var at = path.Length == 0 ? key : $"{path}.{key}";
            if (value is JsonObject number && number.ContainsKey(SourceKey)) yield return (at, $"{number["value"]}", $"{number["confidence"]}", $"{number[SourceKey]}");
            else if (value is not null)
                foreach (var inner in Numbers(at, value)) yield return inner;
        }
    }

    private static void Write(StringBuilder text, JsonNode node, int indent)
    {
        switch (node)
        {
            case JsonObject number when number.ContainsKey(SourceKey):
                text.Append("{ ").AppendJoin(", ", number.Select(member => $"\"{member.Key}\": {member.Value!.ToJsonString(OneLine)}")).Append(" }");
                break;
            case JsonObject members:
                var margin = new string(' ', 2 * (indent + 1));
                text.Append("{\n");
                foreach (var (member, i) in members.Select((member, i) => (member, i)))
                {
                    text.Append(margin).Append('"').Append(member.Key).Append("\": ");
                    Write(text, member.Value!, indent + 1);
                    text.Append(i < members.Count - 1 ? ",\n" : "\n");
                }
                text.Append(margin[2..]).Append('}');
                break;
            case JsonArray items:
                text.Append('[').AppendJoin(", ", items.Select(item => item!.ToJsonString(OneLine))).Append(']');
                break;
            default:
                text.Append(node.ToJsonString(OneLine));
                break;
        }
    }
}
