using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Fleet.Contracts;

/// <summary>The answer to one offload.</summary>
public sealed record Reply : Message
{
    [JsonPropertyName("request_id")] public required ulong RequestId { get; init; }
    [JsonPropertyName("status")] public required OffloadStatus Status { get; init; }
    [JsonPropertyName("label")] public int Label { get; init; } = -1;

    /// <summary>Calibrated.</summary>
    [JsonPropertyName("confidence")] public double Confidence { get; init; }
    [JsonPropertyName("queue_s")] public Seconds Queue { get; init; }
    [JsonPropertyName("compute_s")] public Seconds Compute { get; init; }
    [JsonPropertyName("batch")] public int Batch { get; init; }

    private protected override void Check(ref FaultList faults)
    {
        if (Status is not OffloadStatus.Ok) return;
        faults.Ratio("confidence", Confidence);
        faults.NotNegative("label", Label);
    }
}

/// <summary>The two ways JSON is read: tolerant on the wire (a newer peer may say more), strict in files (a typo must not be ignored).</summary>
public static class Json
{
    /// <summary>
    /// By reflection: the source generator sets every init-only property, so that a key left out would lose its default. Keys are
    /// written in the order of declaration.
    /// </summary>
    private static readonly DefaultJsonTypeInfoResolver Resolver = new() { Modifiers = { FlattenPerExit } };

    public static JsonSerializerOptions Wire { get; } = Frozen(new JsonSerializerOptions());

    public static JsonSerializerOptions File { get; } = Frozen(new JsonSerializerOptions
    {
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
    });

    public static JsonTypeInfo<T> Info<T>(this JsonSerializerOptions options) => (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));

    private static JsonSerializerOptions Frozen(JsonSerializerOptions options)
    {
        options.TypeInfoResolver = Resolver;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.RespectNullableAnnotations = true;
        options.Converters.Add(new FiniteConverter());
        // Before the converters that enums name themselves: those take numbers too, even ones without a name.
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false));
        options.MakeReadOnly();
        return options;
    }

    /// <summary>Replaces each <see cref="PerExit"/> property named "a_{n}_b" by the scalar keys a_1_b .. a_8_b, and "a_{cut}_b" by a_0_b .. a_7_b.</summary>
    private static void FlattenPerExit(JsonTypeInfo info)
    {
        for (var i = info.Properties.Count - 1; i >= 0; i--)
        {
            var list = info.Properties[i];
            if (list.PropertyType != typeof(PerExit)) continue;
            info.Properties.RemoveAt(i);
            for (var exit = PerExit.Max; exit >= 1; exit--) info.Properties.Insert(i, Scalar(info, list, exit));
        }
        // Keys are written in the order of declaration: say so, or added ones would come last.
        for (var i = 0; i < info.Properties.Count; i++) info.Properties[i].Order = i;
    }

    /// <summary>The key of one exit's number.</summary>
    internal static string ScalarName(string name, int exit)
    {
        static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return name.Replace("{n}", Text(exit), StringComparison.Ordinal).Replace("{cut}", Text(exit - 1), StringComparison.Ordinal);
    }

    private static JsonPropertyInfo Scalar(JsonTypeInfo info, JsonPropertyInfo list, int exit)
    {
        var scalar = info.CreateJsonPropertyInfo(typeof(double?), ScalarName(list.Name, exit));
        scalar.Get = owner => ((PerExit)list.Get!(owner)!).Find(exit);
        scalar.ShouldSerialize = (_, value) => value is not null;
        scalar.Set = (owner, value) =>
        {
            if (value is double number) list.Set!(owner, ((PerExit)list.Get!(owner)!).Put(exit, number));
        };
        return scalar;
    }
}

/// <summary>JSON has no word for infinity, but 1e999 reads as one: refused, so that no sum is spoilt and whatever was read can be written again.</summary>
internal sealed class FiniteConverter : JsonConverter<double>
{
    public static double Read(ref Utf8JsonReader reader)
    {
        var value = reader.GetDouble();
        // Without a text of its own the reader's exception names the key.
        return double.IsFinite(value) ? value : throw new JsonException();
    }

    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Read(ref reader);

    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) => writer.WriteNumberValue(value);
}
