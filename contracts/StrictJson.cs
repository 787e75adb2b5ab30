using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;

namespace Fleet.Contracts;

/// <summary>Reads a file whole and lists everything that is wrong with it at once: unknown and missing keys, wrong types, and what the record itself finds.</summary>
public static class StrictJson
{
    private static readonly JsonDocumentOptions Documents = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false };

    /// <summary>Throws <see cref="FaultsException"/> naming the file and every fault.</summary>
    /// <param name="faults">What the record finds wrong with itself.</param>
    public static T Read<T>(string path, JsonTypeInfo<T> info, Func<T, IEnumerable<string>> faults)
    {
        try
        {
            return Parse(path, File.ReadAllBytes(path), info, faults);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException(path, e.Message);
        }
    }

    /// <inheritdoc cref="Read"/>
    public static T Parse<T>(string path, ReadOnlySpan<byte> bytes, JsonTypeInfo<T> info, Func<T, IEnumerable<string>> faults)
    {
        if (!Utf8.IsValid(bytes)) throw new FaultsException(path, "is not UTF-8 text");
        var found = new List<string>();
        T? value;
        try
        {
            var root = JsonNode.Parse(bytes, documentOptions: Documents);
            value = Check(root, info, "", found) ? root.Deserialize(info) : default;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not JSON, or a text with half a character in it.
            throw new FaultsException(path, e.Message);
        }
        if (value is not null)
        {
            found.AddRange(faults(value));
            if (found.Count == 0) return value;
        }
        throw new FaultsException(path, found);
    }

    /// <summary>Notes the faults of a node and takes them out of it, so that the rest can still be read and judged; false when it cannot.</summary>
    private static bool Check(JsonNode? node, JsonTypeInfo info, string path, List<string> faults) => (info.Kind, node) switch
    {
        (JsonTypeInfoKind.Object, JsonObject members) => CheckMembers(members, info, path, faults),
        (JsonTypeInfoKind.Enumerable, JsonArray items) => CheckItems(items, info, path, faults),
        (JsonTypeInfoKind.Object, _) => Wrong(node, path, "an object", faults),
        (JsonTypeInfoKind.Enumerable, _) => Wrong(node, path, "a list", faults),
        _ => CheckScalar(node, info, path, faults),
    };

    private static bool CheckMembers(JsonObject members, JsonTypeInfo info, string path, List<string> faults)
    {
        var isReadable = true;
        // What a record computes is listed too, but can be neither read nor written.
        var properties = info.Properties.Where(known => known.Set is not null || known.AssociatedParameter is not null).ToList();
        var given = members.Select(member => member.Key).ToHashSet(StringComparer.Ordinal);
        foreach (var (key, value) in members.ToList())
        {
            var property = properties.Find(known => known.Name == key);
            if (property is null)
            {
                faults.Add($"{At(path, key)} is unknown; allowed: {string.Join(", ", properties.Select(known => known.Name))}");
                members.Remove(key);
            }
            else if (!(value is null && property.IsSetNullable) && !Check(value, info.Options.GetTypeInfo(property.PropertyType), At(path, key), faults))
            {
                members.Remove(key);
                isReadable &= !property.IsRequired;
            }
        }
        foreach (var property in properties.Where(property => property.IsRequired && !given.Contains(property.Name)))
        {
            faults.Add($"{At(path, property.Name)} is missing");
            isReadable = false;
        }
        return isReadable;
    }

    private static bool CheckItems(JsonArray items, JsonTypeInfo info, string path, List<string> faults)
    {
        var isReadable = true;
        for (var i = 0; i < items.Count; i++) isReadable &= Check(items[i], info.Options.GetTypeInfo(info.ElementType!), $"{path}[{i}]", faults);
        return isReadable;
    }

    private static bool CheckScalar(JsonNode? node, JsonTypeInfo info, string path, List<string> faults)
    {
        try
        {
            if (node is not null && node.Deserialize(info) is not null) return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // Told below, with what is allowed.
        }
        return Wrong(node, path, Expected(info.Type), faults);
    }

    private static bool Wrong(JsonNode? node, string path, string expected, List<string> faults)
    {
        var text = node?.ToJsonString() ?? "null";
        faults.Add($"{(path.Length == 0 ? "the file" : path)} is {(text.Length <= 60 ? text : text[..60] + "...")}; expected {expected}");
        return false;
    }

    private static string Expected(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsEnum) return "one of " + string.Join(", ", type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => field.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? field.Name));
        if (type == typeof(string)) return "a text";
        if (type == typeof(bool)) return "true or false";
        return type == typeof(int) || type == typeof(long) ? "a whole number" : "a number";
    }

    private static string At(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";
}
