using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using Fleet.Contracts;

namespace Fleet.Emulator.Scenarios;

/// <summary>
/// The JSON Schema of a scenario file, made from the records: keys, types, what is required, and what their docstrings say of them. Ranges, and what depends on what, is checked when a
/// file is read.
/// </summary>
public static class ScenarioSchema
{
    /// <summary>Beside the scenarios that ship.</summary>
    public const string FileName = "scenario.schema.json";

    // Quotes and such in descriptions as they are.
    private static readonly JsonSerializerOptions Readable = new(Json.File) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Text()
    {
        var schema = (JsonObject)JsonSchemaExporter.GetJsonSchemaAsNode(Json.File, typeof(Scenario), new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Describe });
        var whole = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Fleet scenario",
            ["description"] = "A rehearsal of a fleet: who is there, what comes to them, what goes wrong. Written by: fleet scenario schema.",
        };
        foreach (var (key, value) in schema.ToList())
        {
            schema.Remove(key);
            whole[key] = value;
        }
        return whole.ToJsonString(Readable) + "\n";
    }

    /// <summary>The exporter sees no further than a converter; ours write numbers.</summary>
    private static JsonNode Describe(JsonSchemaExporterContext context, JsonNode node)
    {
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        if (type == typeof(double) || type.GetInterfaces().Any(known => known.IsGenericType && known.GetGenericTypeDefinition() == typeof(IQuantity<>))) node = new JsonObject { ["type"] = "number" };
        if (node is JsonObject schema && context.PropertyInfo?.AttributeProvider is PropertyInfo property && Docstrings.Of(property) is { } said) schema.Insert(0, "description", said);
        return node;
    }
}
