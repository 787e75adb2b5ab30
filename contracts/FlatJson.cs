using System.Buffers;
using System.Buffers.Text;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>
/// Writes and reads messages as System.Text.Json does with <see cref="Json.Wire"/>, several times faster: keys are composed once and expected
/// in their order, values pass without boxing, words that come again and again are one string, and numbers are written as
/// <see cref="ShortNumber"/> does. Whatever is unusual is left to the serializer. Tests hold both to the same bytes and messages.
/// </summary>
internal sealed class FlatJson
{
    /// <summary>Bits of what notes the required ones.</summary>
    private const int FieldsMax = 128;

    private static readonly Dictionary<Type, FlatJson> Known = typeof(Message).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(Message)) && !type.IsAbstract).ToDictionary(type => type, type => new FlatJson(type));

    // Null when some property is of a type that only the serializer can write.
    private readonly FlatField[]? fields;
    private readonly FlatField[] written = [];

    // Null when it cannot be made empty and filled.
    private readonly Func<Message>? make;
    private readonly UInt128 required;

    private FlatJson(Type type)
    {
        var all = type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
            .Where(property => property.GetCustomAttribute<JsonIgnoreAttribute>() is null).SelectMany(property => FlatField.Of(type, property)).ToArray();
        if (all.Contains(null)) return;
        fields = all!;
        written = [.. fields.Where(field => !field.IsWrittenByAnother)];
        if (type.GetConstructor(Type.EmptyTypes) is null || fields.Length > FieldsMax) return;
        make = typeof(FlatJson).GetMethod(nameof(Make), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type).CreateDelegate<Func<Message>>();
        for (var i = 0; i < fields.Length; i++)
            if (fields[i].IsRequired) required |= UInt128.One << i;
    }

    /// <summary>The message that an object is; null when only the serializer can read it, or say what is wrong with it.</summary>
    public static Message? Read(Type type, ReadOnlySpan<byte> json)
    {
        try
        {
            return Known.TryGetValue(type, out var flat) && flat.make is not null ? flat.Read(json) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>False when only the serializer can write it: a value that needs escapes, an unknown type, or too little room.</summary>
    public static bool TryWrite(Message message, Span<byte> to, out int length)
    {
        length = 0;
        if (!Known.TryGetValue(message.GetType(), out var flat) || flat.fields is null) return false;
        var text = new FlatText(to);
        foreach (var field in flat.written)
            if (!field.TryWrite(message, ref text)) return false;
        return text.TryClose(out length);
    }

    private static T Make<T>() where T : Message => Activator.CreateInstance<T>();

    private Message? Read(ReadOnlySpan<byte> json)
    {
        var message = make!();
        var reader = new Utf8JsonReader(json);
        if (!reader.Read() || reader.TokenType is not JsonTokenType.StartObject) return null;
        var (missing, next) = (required, 0);
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (reader.ValueIsEscaped) return null;
            var at = Find(reader.ValueSpan, next);
            reader.Read();
            if (at < 0)
            {
                reader.Skip();
                continue;
            }
            if (!fields![at].TryRead(message, ref reader)) return null;
            missing &= ~(UInt128.One << at);
            next = at + 1;
        }
        return missing == 0 && !reader.Read() ? message : null;
    }

    /// <summary>The field of a name, looked for from where it is expected; -1 when there is none.</summary>
    private int Find(ReadOnlySpan<byte> name, int expected)
    {
        for (var i = expected; i < fields!.Length; i++)
            if (name.SequenceEqual(fields[i].Name)) return i;
        for (var i = 0; i < expected; i++)
            if (name.SequenceEqual(fields[i].Name)) return i;
        return -1;
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

    public bool TryPut(byte[] key, long value) => TryBegin(key, ValueMax) && Grow(ShortNumber.Write(value, to[length..]));

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
