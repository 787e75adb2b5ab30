using System.Text.Json.Serialization;
using Fleet.Contracts;

namespace Fleet.Emulator.Physics;

// Quantities of the physical world that no message carries: they stand in scenarios and in hardware-profiles/parts only.

/// <summary>Electric charge in ampere-hours, as cells are labelled.</summary>
[JsonConverter(typeof(QuantityConverter<AmpereHours>))]
public readonly record struct AmpereHours(double Value) : IQuantity<AmpereHours>
{
    public static string Unit => "Ah";
    public static AmpereHours Of(double value) => new(value);
    public override string ToString() => Quantity.Text(this);
    public static Joules operator *(AmpereHours charge, Volts voltage) => new(charge.Value * 3600 * voltage.Value);
}

/// <summary>Electric potential.</summary>
[JsonConverter(typeof(QuantityConverter<Volts>))]
public readonly record struct Volts(double Value) : IQuantity<Volts>
{
    public static string Unit => "V";
    public static Volts Of(double value) => new(value);
    public override string ToString() => Quantity.Text(this);
    public static Volts operator -(Volts a, Volts b) => new(a.Value - b.Value);
    public static Watts operator *(Volts voltage, Amperes current) => new(voltage.Value * current.Value);
    public static Amperes operator /(Watts power, Volts voltage) => new(power.Value / voltage.Value);
    public static bool operator <(Volts a, Volts b) => a.Value < b.Value;
    public static bool operator >(Volts a, Volts b) => a.Value > b.Value;
}

/// <summary>Electric current.</summary>
[JsonConverter(typeof(QuantityConverter<Amperes>))]
public readonly record struct Amperes(double Value) : IQuantity<Amperes>
{
    public static string Unit => "A";
    public static Amperes Of(double value) => new(value);
    public override string ToString() => Quantity.Text(this);
    public static Volts operator *(Amperes current, Ohms resistance) => new(current.Value * resistance.Value);
    public static bool operator <(Amperes a, Amperes b) => a.Value < b.Value;
    public static bool operator >(Amperes a, Amperes b) => a.Value > b.Value;
}

/// <summary>Electric resistance.</summary>
[JsonConverter(typeof(QuantityConverter<Ohms>))]
public readonly record struct Ohms(double Value) : IQuantity<Ohms>
{
    public static string Unit => "Ohm";
    public static Ohms Of(double value) => new(value);
    public override string ToString() => Quantity.Text(this);
}

/// <summary>An angle; latitudes are positive to the north.</summary>
[JsonConverter(typeof(QuantityConverter<Degrees>))]
public readonly record struct Degrees(double Value) : IQuantity<Degrees>
{
    public static string Unit => "deg";
    public static Degrees Of(double value) => new(value);
    public override string ToString() => Quantity.Text(this);
    public double Radians => Value * Math.PI / 180;
}

/// <summary>An area.</summary>
[JsonConverter(typeof(QuantityConverter<SquareMetres>))]
public readonly record struct SquareMetres(double Value) : IQuantity<SquareMetres>
{
    public static string Unit => "m2";
    public static SquareMetres Of(double value) => new(value);
    public override string ToString() => Quantity.Text(this);
}

/// <summary>Power of sunlight on an area, in watts per square metre.</summary>
[JsonConverter(typeof(QuantityConverter<Irradiance>))]
public readonly record struct Irradiance(double Value) : IQuantity<Irradiance>
{
    public static string Unit => "W/m2";
    public static Irradiance Of(double value) => new(value);
    public override string ToString() => Quantity.Text(this);
    public static Irradiance operator *(Irradiance light, double factor) => new(light.Value * factor);
    public static Watts operator *(Irradiance light, SquareMetres area) => new(light.Value * area.Value);
}
