using System.Buffers;
using System.Buffers.Text;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>
/// Writes a message as System.Text.Json would with <see cref="Json.Wire"/>, several times faster: keys are composed once, values are read
/// without boxing, and numbers are written as <see cref="ShortNumber"/> does. Tests hold both to the same bytes.
/// </summary>
internal sealed class FlatJson
{
    private static readonly Dictionary<Type, FlatJson> Known = typeof(Message).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(Message)) && !type.IsAbstract).ToDictionary(type => type, type => new FlatJson(type));

    // Null when some property is of a type that only the serializer can write.
    private readonly FlatField[]? fields;

    private FlatJson(Type type)
    {
        var all = type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
            .Where(property => property.GetCustomAttribute<JsonIgnoreAttribute>() is null).SelectMany(property => FlatField.Of(type, property)).ToArray();
        if (!all.Contains(null)) fields = all!;
    }

    /// <summary>False when only the serializer can write it: a value that needs escapes, an unknown type, or too little room.</summary>
    public static bool TryWrite(Message message, Span<byte> to, out int length)
    {
        length = 0;
        if (!Known.TryGetValue(message.GetType(), out var flat) || flat.fields is null) return false;
        var text = new FlatText(to);
        foreach (var field in flat.fields)
            if (!field.TryWrite(message, ref text)) return false;
        return text.TryClose(out length);
    }
}

/// <summary>A JSON object that is being written into a buffer.</summary>
internal ref struct FlatText(Span<byte> to)
{
    private static readonly SearchValues<char> Plain = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -_.,:;/=()%*!?@#[]{}|~^$");
    private readonly Span<byte> to = to;
    private int length;

    /// <summary>Room for what follows a key: the longest number, or a word.</summary>
    private const int ValueMax = 32;

    /// <summary>Begins the next member.</summary>
    /// <param name="key">With its quotes and the colon, and a comma in front.</param>
    private bool TryBegin(byte[] key, int room)
    {
        if (length + key.Length + room + 1 > to.Length) return false;
        key.CopyTo(to[length..]);
        if (length == 0) to[0] = (byte)'{';
        length += key.Length;
        return true;
    }

    public bool TryPut(byte[] key, double value)
    {
        if (!double.IsFinite(value) || !TryBegin(key, ValueMax)) return false;
        length += ShortNumber.Write(value, to[length..]);
        return true;
    }

    public bool TryPut(byte[] key, long value) => TryBegin(key, ValueMax) && Utf8Formatter.TryFormat(value, to[length..], out var written) && Grow(written);

    public bool TryPut(byte[] key, ulong value) => TryBegin(key, ValueMax) && Utf8Formatter.TryFormat(value, to[length..], out var written) && Grow(written);

    public bool TryPut(byte[] key, bool value)
    {
        var word = value ? "true"u8 : "false"u8;
        if (!TryBegin(key, ValueMax)) return false;
        word.CopyTo(to[length..]);
        return Grow(word.Length);
    }

    public bool TryPut(byte[] key, string value)
    {
        if (value.AsSpan().ContainsAnyExcept(Plain) || !TryBegin(key, value.Length + 2)) return false;
        to[length++] = (byte)'"';
        length += Encoding.ASCII.GetBytes(value, to[length..]);
        to[length++] = (byte)'"';
        return true;
    }

    public bool TryClose(out int total)
    {
        total = 0;
        if (length == 0 || length == to.Length) return false;
        to[length++] = (byte)'}';
        total = length;
        return true;
    }

    private bool Grow(int written)
    {
        length += written;
        return true;
    }
}

/// <summary>One member of a message.</summary>
internal abstract class FlatField(string name)
{
    protected byte[] Key { get; } = Encoding.UTF8.GetBytes($",\"{name}\":");

    public abstract bool TryWrite(Message message, ref FlatText text);

    /// <summary>The members that a property is written as; a null among them when only the serializer can.</summary>
    public static IEnumerable<FlatField?> Of(Type message, PropertyInfo property)
    {
        var name = property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? property.Name;
        if (property.PropertyType == typeof(PerExit))
            return Enumerable.Range(1, PerExit.Max).Select(exit => Make(typeof(FlatExit<>), message, property, [Json.ScalarName(name, exit), exit]));
        var type = property.PropertyType;
        var bare = Nullable.GetUnderlyingType(type);
        var kind = (bare ?? type) switch
        {
            var number when number.IsEnum && bare is null => typeof(FlatWord<,>),
            var number when number == typeof(string) => typeof(FlatString<>),
            var number when typeof(IFormattable).IsAssignableFrom(number) && number.IsPrimitive || number == typeof(bool) => bare is null ? typeof(FlatPrimitive<,>) : typeof(FlatPrimitiveOrNone<,>),
            var quantity when quantity.GetInterfaces().Any(face => face.IsGenericType && face.GetGenericTypeDefinition() == typeof(IQuantity<>)) => bare is null ? typeof(FlatQuantity<,>) : typeof(FlatQuantityOrNone<,>),
            _ => null,
        };
        return [kind is null ? null : Make(kind, message, property, [name])];
    }

    private static FlatField Make(Type kind, Type message, PropertyInfo property, object[] arguments)
    {
        var value = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        var made = kind.GetGenericArguments().Length == 1 ? kind.MakeGenericType(message) : kind.MakeGenericType(message, value);
        return (FlatField)Activator.CreateInstance(made, [.. arguments, property])!;
    }

    protected static Func<TMessage, TValue> Getter<TMessage, TValue>(PropertyInfo property) => property.GetMethod!.CreateDelegate<Func<TMessage, TValue>>();

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
}

internal sealed class FlatQuantity<TMessage, TQuantity>(string name, PropertyInfo property) : FlatField(name)
    where TMessage : Message where TQuantity : struct, IQuantity<TQuantity>
{
    private readonly Func<TMessage, TQuantity> get = Getter<TMessage, TQuantity>(property);

    public override bool TryWrite(Message message, ref FlatText text) => text.TryPut(Key, get((TMessage)message).Value);
}

internal sealed class FlatQuantityOrNone<TMessage, TQuantity>(string name, PropertyInfo property) : FlatField(name)
    where TMessage : Message where TQuantity : struct, IQuantity<TQuantity>
{
    private readonly Func<TMessage, TQuantity?> get = Getter<TMessage, TQuantity?>(property);

    public override bool TryWrite(Message message, ref FlatText text) => get((TMessage)message) is not { } known || text.TryPut(Key, known.Value);
}

internal sealed class FlatPrimitive<TMessage, TValue>(string name, PropertyInfo property) : FlatField(name)
    where TMessage : Message where TValue : struct
{
    private readonly Func<TMessage, TValue> get = Getter<TMessage, TValue>(property);

    public override bool TryWrite(Message message, ref FlatText text) => TryPut(Key, get((TMessage)message), ref text);
}

internal sealed class FlatPrimitiveOrNone<TMessage, TValue>(string name, PropertyInfo property) : FlatField(name)
    where TMessage : Message where TValue : struct
{
    private readonly Func<TMessage, TValue?> get = Getter<TMessage, TValue?>(property);

    public override bool TryWrite(Message message, ref FlatText text) => get((TMessage)message) is not { } known || TryPut(Key, known, ref text);
}

internal sealed class FlatString<TMessage>(string name, PropertyInfo property) : FlatField(name)
    where TMessage : Message
{
    private readonly Func<TMessage, string?> get = Getter<TMessage, string?>(property);

    public override bool TryWrite(Message message, ref FlatText text) => get((TMessage)message) is not { } known || text.TryPut(Key, known);
}

/// <summary>An enumeration, by the words that the serializer gives it.</summary>
internal sealed class FlatWord<TMessage, TWord>(string name, PropertyInfo property) : FlatField(name)
    where TMessage : Message where TWord : struct, Enum
{
    private readonly Func<TMessage, TWord> get = Getter<TMessage, TWord>(property);
    private readonly Dictionary<TWord, string> words = Enum.GetValues<TWord>().Distinct().ToDictionary(word => word, word => JsonSerializer.SerializeToElement(word, Json.Wire).GetString()!);

    public override bool TryWrite(Message message, ref FlatText text) => words.TryGetValue(get((TMessage)message), out var word) && text.TryPut(Key, word);
}

/// <summary>One exit's number of a <see cref="PerExit"/>.</summary>
internal sealed class FlatExit<TMessage>(string name, int exit, PropertyInfo property) : FlatField(name)
    where TMessage : Message
{
    private readonly Func<TMessage, PerExit> get = Getter<TMessage, PerExit>(property);

    public override bool TryWrite(Message message, ref FlatText text) => get((TMessage)message).Find(exit) is not { } known || text.TryPut(Key, known);
}
