using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>One member of a message.</summary>
internal abstract class FlatField(string name, PropertyInfo property)
{
    /// <summary>In UTF-8.</summary>
    public byte[] Name { get; } = Encoding.UTF8.GetBytes(name);

    /// <summary>Of an exit's number the list is, not the number.</summary>
    public bool IsRequired { get; } = property.PropertyType != typeof(PerExit) && property.IsDefined(typeof(RequiredMemberAttribute));

    /// <summary>With its quotes and the colon, and a comma in front.</summary>
    protected byte[] Key { get; } = KeyOf(name);

    public abstract bool TryWrite(Message message, ref FlatText text);

    /// <summary>Whether another member writes it with its own.</summary>
    public virtual bool IsWrittenByAnother => false;

    /// <summary>Takes the value that the reader stands at; false when only the serializer can.</summary>
    public abstract bool TryRead(Message message, ref Utf8JsonReader reader);

    /// <summary>The members that a property is written as; a null among them when only the serializer can.</summary>
    public static IEnumerable<FlatField?> Of(Type message, PropertyInfo property)
    {
        var name = NameOf(property);
        if (property.PropertyType == typeof(PerExit))
            return Enumerable.Range(1, PerExit.Max).Select(exit => Make(typeof(FlatExit<>), message, property, [Json.ScalarName(name, exit), exit]));
        var type = property.PropertyType;
        var bare = Nullable.GetUnderlyingType(type);
        var kind = (bare ?? type) switch
        {
            var number when number.IsEnum => bare is null ? typeof(FlatWord<,>) : typeof(FlatWordOrNone<,>),
            var number when number == typeof(string) => typeof(FlatString<>),
            var number when typeof(IFormattable).IsAssignableFrom(number) && number.IsPrimitive || number == typeof(bool) => bare is null ? typeof(FlatPrimitive<,>) : typeof(FlatPrimitiveOrNone<,>),
            var quantity when quantity.GetInterfaces().Any(face => face.IsGenericType && face.GetGenericTypeDefinition() == typeof(IQuantity<>)) => bare is null ? typeof(FlatQuantity<,>) : typeof(FlatQuantityOrNone<,>),
            _ => null,
        };
        return [kind is null ? null : Make(kind, message, property, [name])];
    }

    /// <summary>Of each exit's number, from the first.</summary>
    protected static byte[][] KeysOf(PropertyInfo list) => [.. Enumerable.Range(1, PerExit.Max).Select(exit => KeyOf(Json.ScalarName(NameOf(list), exit)))];

    private static byte[] KeyOf(string name) => Encoding.UTF8.GetBytes($",\"{name}\":");

    private static string NameOf(PropertyInfo property) => property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? property.Name;

    private static FlatField Make(Type kind, Type message, PropertyInfo property, object[] arguments)
    {
        var value = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        var made = kind.GetGenericArguments().Length == 1 ? kind.MakeGenericType(message) : kind.MakeGenericType(message, value);
        return (FlatField)Activator.CreateInstance(made, [.. arguments, property])!;
    }
}

/// <summary>A member whose property is of type <typeparamref name="TProperty"/>.</summary>
internal abstract class FlatField<TMessage, TProperty>(string name, PropertyInfo property) : FlatField(name, property)
    where TMessage : Message
{
    private readonly Func<TMessage, TProperty> get = property.GetMethod!.CreateDelegate<Func<TMessage, TProperty>>();
    private readonly Action<TMessage, TProperty>? set = property.SetMethod?.CreateDelegate<Action<TMessage, TProperty>>();

    protected TProperty Get(Message message) => get((TMessage)message);

    /// <summary>Of a message that nobody has seen yet. False when it has no such setter.</summary>
    protected bool TrySet(Message message, TProperty value)
    {
        set?.Invoke((TMessage)message, value);
        return set is not null;
    }

    /// <summary>The compiler keeps one branch for each type.</summary>
    protected static bool TryPut<T>(byte[] key, T value, ref FlatText text) where T : struct => value switch
    {
        double number => text.TryPut(key, number),
        long number => text.TryPut(key, number),
        int number => text.TryPut(key, (long)number),
        ulong number => text.TryPut(key, number),
        bool answer => text.TryPut(key, answer),
        _ => false,
    };

    /// <inheritdoc cref="TryPut{T}"/>
    protected static bool TryTake<T>(ref Utf8JsonReader reader, out T value) where T : struct
    {
        value = default;
        if (typeof(T) == typeof(bool))
        {
            value = (T)(object)(reader.TokenType is JsonTokenType.True);
            return reader.TokenType is JsonTokenType.True or JsonTokenType.False;
        }
        if (reader.TokenType is not JsonTokenType.Number) return false;
        if (typeof(T) == typeof(double))
        {
            var isRead = reader.TryGetDouble(out var number);
            value = (T)(object)number;
            return isRead && double.IsFinite(number);
        }
        if (typeof(T) == typeof(long))
        {
            var isRead = reader.TryGetInt64(out var number);
            value = (T)(object)number;
            return isRead;
        }
        if (typeof(T) == typeof(int))
        {
            var isRead = reader.TryGetInt32(out var number);
            value = (T)(object)number;
            return isRead;
        }
        if (typeof(T) == typeof(ulong))
        {
            var isRead = reader.TryGetUInt64(out var number);
            value = (T)(object)number;
            return isRead;
        }
        return false;
    }
}

internal sealed class FlatQuantity<TMessage, TQuantity>(string name, PropertyInfo property) : FlatField<TMessage, TQuantity>(name, property)
    where TMessage : Message where TQuantity : struct, IQuantity<TQuantity>
{
    public override bool TryWrite(Message message, ref FlatText text) => text.TryPut(Key, Get(message).Value);

    public override bool TryRead(Message message, ref Utf8JsonReader reader) => TryTake(ref reader, out double value) && TrySet(message, TQuantity.Of(value));
}

internal sealed class FlatQuantityOrNone<TMessage, TQuantity>(string name, PropertyInfo property) : FlatField<TMessage, TQuantity?>(name, property)
    where TMessage : Message where TQuantity : struct, IQuantity<TQuantity>
{
    public override bool TryWrite(Message message, ref FlatText text) => Get(message) is not { } known || text.TryPut(Key, known.Value);

    public override bool TryRead(Message message, ref Utf8JsonReader reader) => TryTake(ref reader, out double value) && TrySet(message, TQuantity.Of(value));
}

internal sealed class FlatPrimitive<TMessage, TValue>(string name, PropertyInfo property) : FlatField<TMessage, TValue>(name, property)
    where TMessage : Message where TValue : struct
{
    public override bool TryWrite(Message message, ref FlatText text) => TryPut(Key, Get(message), ref text);

    public override bool TryRead(Message message, ref Utf8JsonReader reader) => TryTake(ref reader, out TValue value) && TrySet(message, value);
}

internal sealed class FlatPrimitiveOrNone<TMessage, TValue>(string name, PropertyInfo property) : FlatField<TMessage, TValue?>(name, property)
    where TMessage : Message where TValue : struct
{
    public override bool TryWrite(Message message, ref FlatText text) => Get(message) is not { } known || TryPut(Key, known, ref text);

    public override bool TryRead(Message message, ref Utf8JsonReader reader) => TryTake(ref reader, out TValue value) && TrySet(message, value);
}

internal sealed class FlatString<TMessage>(string name, PropertyInfo property) : FlatField<TMessage, string?>(name, property)
    where TMessage : Message
{
    private readonly WordCache words = new();

    public override bool TryWrite(Message message, ref FlatText text) => Get(message) is not { } known || text.TryPut(Key, known);

    public override bool TryRead(Message message, ref Utf8JsonReader reader) =>
        reader.TokenType is JsonTokenType.String && !reader.ValueIsEscaped && Ascii.IsValid(reader.ValueSpan) && TrySet(message, words.Of(reader.ValueSpan));
}

/// <summary>An enumeration, by the words that the serializer gives it.</summary>
internal sealed class FlatWord<TMessage, TWord>(string name, PropertyInfo property) : FlatField<TMessage, TWord>(name, property)
    where TMessage : Message where TWord : struct, Enum
{
    private readonly WordsOf<TWord> words = new();

    public override bool TryWrite(Message message, ref FlatText text) => words.Find(Get(message)) is { } word && text.TryPut(Key, word);

    public override bool TryRead(Message message, ref Utf8JsonReader reader) => words.Find(ref reader) is { } value && TrySet(message, value);
}

/// <summary>Likewise, and absent when there is none.</summary>
internal sealed class FlatWordOrNone<TMessage, TWord>(string name, PropertyInfo property) : FlatField<TMessage, TWord?>(name, property)
    where TMessage : Message where TWord : struct, Enum
{
    private readonly WordsOf<TWord> words = new();

    public override bool TryWrite(Message message, ref FlatText text) => Get(message) is not { } known || words.Find(known) is { } word && text.TryPut(Key, word);

    public override bool TryRead(Message message, ref Utf8JsonReader reader) => words.Find(ref reader) is { } value && TrySet(message, value);
}

internal sealed class WordsOf<TWord> where TWord : struct, Enum
{
    private readonly Dictionary<TWord, string> words = Enum.GetValues<TWord>().Distinct().ToDictionary(word => word, word => JsonSerializer.SerializeToElement(word, Json.Wire).GetString()!);

    public string? Find(TWord value) => words.GetValueOrDefault(value);

    /// <summary>The value whose word the reader stands at; null when there is none.</summary>
    public TWord? Find(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not JsonTokenType.String) return null;
        foreach (var (value, word) in words)
            if (reader.ValueTextEquals(word)) return value;
        return null;
    }
}

/// <summary>One exit's number of a <see cref="PerExit"/>; the first writes all of them, since most lists are short or empty.</summary>
internal sealed class FlatExit<TMessage>(string name, int exit, PropertyInfo property) : FlatField<TMessage, PerExit>(name, property)
    where TMessage : Message
{
    private readonly byte[][] keys = exit > 1 ? [] : KeysOf(property);

    public override bool IsWrittenByAnother => exit > 1;

    public override bool TryWrite(Message message, ref FlatText text)
    {
        var list = Get(message);
        for (var i = 0; i < list.Count; i++)
            if (list.Find(i + 1) is { } known && !text.TryPut(keys[i], known)) return false;
        return true;
    }

    public override bool TryRead(Message message, ref Utf8JsonReader reader)
    {
        if (!TryTake(ref reader, out double value)) return false;
        var list = Get(message);
        var with = list.Put(exit, value);
        return with == (object)list || TrySet(message, with);
    }
}

/// <summary>Words that come again and again are one string each, as long as no other word of the same slot has come between. For any threads.</summary>
internal sealed class WordCache
{
    private const int Slots = 256;
    private readonly string?[] slots = new string?[Slots];

    public string Of(ReadOnlySpan<byte> ascii)
    {
        var hash = (uint)ascii.Length;
        foreach (var letter in ascii) hash = hash * 31 + letter;
        ref var slot = ref slots[hash % Slots];
        return slot is { } known && Ascii.Equals(ascii, known) ? known : slot = Encoding.ASCII.GetString(ascii);
    }
}
