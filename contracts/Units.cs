using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>A physical quantity: one number in one unit. Quantities of different units do not mix but through a lawful operator.</summary>
public interface IQuantity<TSelf> where TSelf : struct, IQuantity<TSelf>
{
    double Value { get; }

    static abstract string Unit { get; }

    static abstract TSelf Of(double value);
}

/// <summary>Energy in joules.</summary>
[JsonConverter(typeof(QuantityConverter<Joules>))]
public readonly record struct Joules(double Value) : IQuantity<Joules>, IComparable<Joules>
{
    public static readonly Joules Zero;
    public static string Unit => "J";
    public static Joules Of(double value) => new(value);
    public static Joules operator +(Joules a, Joules b) => new(a.Value + b.Value);
    public static Joules operator -(Joules a, Joules b) => new(a.Value - b.Value);
    public static Joules operator *(Joules a, double factor) => new(a.Value * factor);
    public static Joules operator /(Joules a, double divisor) => new(a.Value / divisor);
    public static double operator /(Joules a, Joules b) => a.Value / b.Value;
    public static Watts operator /(Joules energy, Seconds time) => new(energy.Value / time.Value);
    public static Seconds operator /(Joules energy, Watts power) => new(energy.Value / power.Value);
    public static bool operator <(Joules a, Joules b) => a.Value < b.Value;
    public static bool operator >(Joules a, Joules b) => a.Value > b.Value;
    public static bool operator <=(Joules a, Joules b) => a.Value <= b.Value;
    public static bool operator >=(Joules a, Joules b) => a.Value >= b.Value;
    public static Joules Max(Joules a, Joules b) => a >= b ? a : b;
    public static Joules Min(Joules a, Joules b) => a <= b ? a : b;
    public int CompareTo(Joules other) => Value.CompareTo(other.Value);
    public override string ToString() => Quantity.Text(this);
}

/// <summary>Power in watts.</summary>
[JsonConverter(typeof(QuantityConverter<Watts>))]
public readonly record struct Watts(double Value) : IQuantity<Watts>, IComparable<Watts>
{
    public static readonly Watts Zero;
    public static string Unit => "W";
    public static Watts Of(double value) => new(value);
    public static Watts operator +(Watts a, Watts b) => new(a.Value + b.Value);
    public static Watts operator -(Watts a, Watts b) => new(a.Value - b.Value);
    public static Watts operator *(Watts a, double factor) => new(a.Value * factor);
    public static Joules operator *(Watts power, Seconds time) => new(power.Value * time.Value);
    public static double operator /(Watts a, Watts b) => a.Value / b.Value;
    public static bool operator <(Watts a, Watts b) => a.Value < b.Value;
    public static bool operator >(Watts a, Watts b) => a.Value > b.Value;
    public static bool operator <=(Watts a, Watts b) => a.Value <= b.Value;
    public static bool operator >=(Watts a, Watts b) => a.Value >= b.Value;
    public int CompareTo(Watts other) => Value.CompareTo(other.Value);
    public override string ToString() => Quantity.Text(this);
}

/// <summary>A span of time in seconds.</summary>
[JsonConverter(typeof(QuantityConverter<Seconds>))]
public readonly record struct Seconds(double Value) : IQuantity<Seconds>, IComparable<Seconds>
{
    public static readonly Seconds Zero;
    public static string Unit => "s";
    public static Seconds Of(double value) => new(value);
    public static Seconds Of(TimeSpan span) => new(span.TotalSeconds);

    /// <summary>Rounded to the clock's tick of 100 ns. (TimeSpan.FromSeconds cuts, so that whole ticks would lose one.)</summary>
    public TimeSpan Span => TimeSpan.FromTicks(checked((long)Math.Round(Value * TimeSpan.TicksPerSecond)));
    public static Seconds operator +(Seconds a, Seconds b) => new(a.Value + b.Value);
    public static Seconds operator -(Seconds a, Seconds b) => new(a.Value - b.Value);
    public static Seconds operator *(Seconds a, double factor) => new(a.Value * factor);
    public static Seconds operator /(Seconds a, double divisor) => new(a.Value / divisor);
    public static double operator /(Seconds a, Seconds b) => a.Value / b.Value;
    public static bool operator <(Seconds a, Seconds b) => a.Value < b.Value;
    public static bool operator >(Seconds a, Seconds b) => a.Value > b.Value;
    public static bool operator <=(Seconds a, Seconds b) => a.Value <= b.Value;
    public static bool operator >=(Seconds a, Seconds b) => a.Value >= b.Value;
    public static Seconds Max(Seconds a, Seconds b) => a >= b ? a : b;
    public static Seconds Min(Seconds a, Seconds b) => a <= b ? a : b;
    public int CompareTo(Seconds other) => Value.CompareTo(other.Value);
    public override string ToString() => Quantity.Text(this);
}

/// <summary>An amount of data in bytes (8 bits); a mean over messages may have a fraction.</summary>
[JsonConverter(typeof(QuantityConverter<Bytes>))]
public readonly record struct Bytes(double Value) : IQuantity<Bytes>, IComparable<Bytes>
{
    public static readonly Bytes Zero;
    public static string Unit => "B";
    public static Bytes Of(double value) => new(value);
    public static Bytes operator +(Bytes a, Bytes b) => new(a.Value + b.Value);
    public static Bytes operator -(Bytes a, Bytes b) => new(a.Value - b.Value);
    public static Bytes operator *(Bytes a, double factor) => new(a.Value * factor);
    public static double operator /(Bytes a, Bytes b) => a.Value / b.Value;
    public static Seconds operator /(Bytes data, BytesPerSecond rate) => new(data.Value / rate.Value);
    public static Joules operator *(Bytes data, JoulesPerByte cost) => new(data.Value * cost.Value);
    public static bool operator <(Bytes a, Bytes b) => a.Value < b.Value;
    public static bool operator >(Bytes a, Bytes b) => a.Value > b.Value;
    public static bool operator <=(Bytes a, Bytes b) => a.Value <= b.Value;
    public static bool operator >=(Bytes a, Bytes b) => a.Value >= b.Value;
    public int CompareTo(Bytes other) => Value.CompareTo(other.Value);
    public override string ToString() => Quantity.Text(this);
}

/// <summary>A data rate in bytes per second.</summary>
[JsonConverter(typeof(QuantityConverter<BytesPerSecond>))]
public readonly record struct BytesPerSecond(double Value) : IQuantity<BytesPerSecond>, IComparable<BytesPerSecond>
{
    public static string Unit => "B/s";
    public static BytesPerSecond Of(double value) => new(value);
    public static BytesPerSecond operator *(BytesPerSecond a, double factor) => new(a.Value * factor);
    public static bool operator <(BytesPerSecond a, BytesPerSecond b) => a.Value < b.Value;
    public static bool operator >(BytesPerSecond a, BytesPerSecond b) => a.Value > b.Value;
    public static bool operator <=(BytesPerSecond a, BytesPerSecond b) => a.Value <= b.Value;
    public static bool operator >=(BytesPerSecond a, BytesPerSecond b) => a.Value >= b.Value;
    public int CompareTo(BytesPerSecond other) => Value.CompareTo(other.Value);
    public override string ToString() => Quantity.Text(this);
}

/// <summary>Energy per byte sent or received.</summary>
[JsonConverter(typeof(QuantityConverter<JoulesPerByte>))]
public readonly record struct JoulesPerByte(double Value) : IQuantity<JoulesPerByte>
{
    public static string Unit => "J/B";
    public static JoulesPerByte Of(double value) => new(value);
    public override string ToString() => Quantity.Text(this);
}

/// <summary>Events or cycles per second.</summary>
[JsonConverter(typeof(QuantityConverter<Hertz>))]
public readonly record struct Hertz(double Value) : IQuantity<Hertz>, IComparable<Hertz>
{
    public static readonly Hertz Zero;
    public static string Unit => "Hz";
    public static Hertz Of(double value) => new(value);
    public Seconds Period => new(1 / Value);
    public static Hertz operator +(Hertz a, Hertz b) => new(a.Value + b.Value);
    public static Hertz operator *(Hertz a, double factor) => new(a.Value * factor);
    public static double operator *(Hertz rate, Seconds time) => rate.Value * time.Value;
    public static Watts operator *(Hertz rate, Joules each) => new(rate.Value * each.Value);
    public static double operator /(Hertz a, Hertz b) => a.Value / b.Value;
    public static bool operator <(Hertz a, Hertz b) => a.Value < b.Value;
    public static bool operator >(Hertz a, Hertz b) => a.Value > b.Value;
    public static bool operator <=(Hertz a, Hertz b) => a.Value <= b.Value;
    public static bool operator >=(Hertz a, Hertz b) => a.Value >= b.Value;
    public int CompareTo(Hertz other) => Value.CompareTo(other.Value);
    public override string ToString() => Quantity.Text(this);
}

/// <summary>Multiply-accumulate operations.</summary>
[JsonConverter(typeof(QuantityConverter<Macs>))]
public readonly record struct Macs(double Value) : IQuantity<Macs>, IComparable<Macs>
{
    public static readonly Macs Zero;
    public static string Unit => "MAC";
    public static Macs Of(double value) => new(value);
    public static Macs operator +(Macs a, Macs b) => new(a.Value + b.Value);
    public static double operator /(Macs a, Macs b) => a.Value / b.Value;
    public static bool operator <(Macs a, Macs b) => a.Value < b.Value;
    public static bool operator >(Macs a, Macs b) => a.Value > b.Value;
    public static bool operator <=(Macs a, Macs b) => a.Value <= b.Value;
    public static bool operator >=(Macs a, Macs b) => a.Value >= b.Value;
    public int CompareTo(Macs other) => Value.CompareTo(other.Value);
    public override string ToString() => Quantity.Text(this);
}

/// <summary>A temperature in degrees Celsius: it has an order but no sum.</summary>
[JsonConverter(typeof(QuantityConverter<Celsius>))]
public readonly record struct Celsius(double Value) : IQuantity<Celsius>
{
    public static string Unit => "degC";
    public static Celsius Of(double value) => new(value);
    public override string ToString() => Quantity.Text(this);
}

public static class Quantity
{
    private const int TensBelow = 16;

    /// <summary>From 10^-16 to 10^22, each the double nearest to it.</summary>
    private static readonly double[] Tens = [.. Enumerable.Range(-TensBelow, TensBelow + 23).Select(power => double.Parse($"1e{power}", CultureInfo.InvariantCulture))];

    /// <summary>
    /// The value to six significant digits. Reports are rounded where they are made, so that the record in memory and its text
    /// on the wire are the same number.
    /// </summary>
    public static double Rounded(double value)
    {
        if (value == 0 || !double.IsFinite(value)) return value;
        var digits = 5 - Magnitude(Math.Abs(value));
        if (digits is >= 0 and <= 15) return Math.Round(value, digits);
        // Powers of ten are exact up to the 22nd: whole numbers times or over them are the double nearest to the decimal.
        if (digits is < 0 and >= -22) return Math.Round(value / Math.Pow(10, -digits)) * Math.Pow(10, -digits);
        return double.Parse(value.ToString("E5", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    /// <summary>The largest k with 10^k not above a positive value.</summary>
    private static int Magnitude(double value)
    {
        if (value is < 1e-15 or >= 1e22) return (int)Math.Floor(Math.Log10(value));
        // The binary exponent tells it to one: log10(2) = 0.30103.
        var magnitude = (int)Math.Floor(Math.ILogB(value) * 0.30103);
        return value >= Tens[magnitude + 1 + TensBelow] ? magnitude + 1 : magnitude;
    }

    /// <inheritdoc cref="Rounded(double)"/>
    public static T Rounded<T>(T value) where T : struct, IQuantity<T> => T.Of(Rounded(value.Value));

    /// <summary>Value and unit, as faults and figures show them.</summary>
    public static string Text<T>(T quantity) where T : struct, IQuantity<T> =>
        string.Create(CultureInfo.InvariantCulture, $"{quantity.Value:G6} {T.Unit}");
}

/// <summary>On the wire a quantity is its bare number; the unit stands in the key.</summary>
public sealed class QuantityConverter<T> : JsonConverter<T> where T : struct, IQuantity<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => T.Of(FiniteConverter.Read(ref reader));

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}
