using CsCheck;
using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>Units keep the laws of the quantities they stand for.</summary>
public sealed class UnitsTests
{
    private static readonly Gen<double> Amount = Gen.Double[-1e9, 1e9];
    private static readonly Gen<double> Positive = Gen.Double[1e-6, 1e9];

    [Test]
    public void Plus_Zero_IsNeutralElement() => Amount.Sample(x =>
        new Joules(x) + Joules.Zero == new Joules(x) && Joules.Zero + new Joules(x) == new Joules(x)
        && new Watts(x) + Watts.Zero == new Watts(x) && new Seconds(x) + Seconds.Zero == new Seconds(x)
        && new Bytes(x) + Bytes.Zero == new Bytes(x) && new Hertz(x) + Hertz.Zero == new Hertz(x) && new Macs(x) + Macs.Zero == new Macs(x));

    [Test]
    public void Plus_AnyOrder_Commutes() => Gen.Select(Amount, Amount).Sample((a, b) =>
        new Joules(a) + new Joules(b) == new Joules(b) + new Joules(a) && new Seconds(a) + new Seconds(b) == new Seconds(b) + new Seconds(a));

    [Test]
    public void Plus_AnyGrouping_IsAssociativeWithinRounding() => Gen.Select(Amount, Amount, Amount).Sample((a, b, c) =>
        Math.Abs((new Joules(a) + new Joules(b) + new Joules(c) - (new Joules(a) + (new Joules(b) + new Joules(c)))).Value) <= 1e-5
        && Math.Abs((new Seconds(a) + new Seconds(b) + new Seconds(c) - (new Seconds(a) + (new Seconds(b) + new Seconds(c)))).Value) <= 1e-5);

    [Test]
    public void Minus_WhatWasAdded_GivesItBackWithinRounding() => Gen.Select(Amount, Amount).Sample((a, b) =>
        IsClose((new Joules(a) + new Joules(b) - new Joules(b)).Value, a, 1e-6) && IsClose((new Watts(a) + new Watts(b) - new Watts(b)).Value, a, 1e-6)
        && IsClose((new Bytes(a) + new Bytes(b) - new Bytes(b)).Value, a, 1e-6));

    [Test]
    public void Times_Factor_DistributesOverPlus() => Gen.Select(Amount, Amount, Gen.Double[-1000, 1000]).Sample((a, b, factor) =>
        IsClose(((new Joules(a) + new Joules(b)) * factor).Value, (new Joules(a) * factor + new Joules(b) * factor).Value, 1e-3)
        && new Joules(a) * 1 == new Joules(a) && new Joules(a) * 0 == Joules.Zero);

    [Test]
    public void WattsTimesSeconds_DividedAgain_GivesBothBack() => Gen.Select(Positive, Positive).Sample((power, time) =>
    {
        var energy = new Watts(power) * new Seconds(time);
        return energy == new Joules(power * time) && IsRelativelyClose((energy / new Seconds(time)).Value, power) && IsRelativelyClose((energy / new Watts(power)).Value, time);
    });

    [Test]
    public void BytesOverRate_TimesRate_GivesTheBytesBack() => Gen.Select(Positive, Positive).Sample((data, rate) =>
        IsRelativelyClose((new Bytes(data) / new BytesPerSecond(rate)).Value * rate, data));

    [Test]
    public void Products_OfOneOfEach_AreOneOfTheOther()
    {
        Assert.That(new Watts(1) * new Seconds(1), Is.EqualTo(new Joules(1)));
        Assert.That(new Hertz(1) * new Joules(1), Is.EqualTo(new Watts(1)));
        Assert.That(new Hertz(20) * new Seconds(0.5), Is.EqualTo(10));
        Assert.That(new Hertz(50).Period, Is.EqualTo(new Seconds(0.02)));
        Assert.That(new Bytes(1500) * new JoulesPerByte(2e-6), Is.EqualTo(new Joules(0.003)));
        Assert.That(new Bytes(1500) / new BytesPerSecond(3000), Is.EqualTo(new Seconds(0.5)));
        Assert.That(new Joules(10) / new Joules(4), Is.EqualTo(2.5));
    }

    [Test]
    public void Order_AnyTwo_IsThatOfTheirValues() => Gen.Select(Amount, Amount).Sample((a, b) =>
        Agrees(new Joules(a) < new Joules(b), new Joules(a) > new Joules(b), new Joules(a) <= new Joules(b), new Joules(a) >= new Joules(b), new Joules(a).CompareTo(new Joules(b)), a, b)
        && Agrees(new Watts(a) < new Watts(b), new Watts(a) > new Watts(b), new Watts(a) <= new Watts(b), new Watts(a) >= new Watts(b), new Watts(a).CompareTo(new Watts(b)), a, b)
        && Agrees(new Seconds(a) < new Seconds(b), new Seconds(a) > new Seconds(b), new Seconds(a) <= new Seconds(b), new Seconds(a) >= new Seconds(b), new Seconds(a).CompareTo(new Seconds(b)), a, b)
        && Agrees(new Bytes(a) < new Bytes(b), new Bytes(a) > new Bytes(b), new Bytes(a) <= new Bytes(b), new Bytes(a) >= new Bytes(b), new Bytes(a).CompareTo(new Bytes(b)), a, b)
        && Agrees(new Hertz(a) < new Hertz(b), new Hertz(a) > new Hertz(b), new Hertz(a) <= new Hertz(b), new Hertz(a) >= new Hertz(b), new Hertz(a).CompareTo(new Hertz(b)), a, b)
        && Agrees(new Macs(a) < new Macs(b), new Macs(a) > new Macs(b), new Macs(a) <= new Macs(b), new Macs(a) >= new Macs(b), new Macs(a).CompareTo(new Macs(b)), a, b)
        && Agrees(new BytesPerSecond(a) < new BytesPerSecond(b), new BytesPerSecond(a) > new BytesPerSecond(b), new BytesPerSecond(a) <= new BytesPerSecond(b), new BytesPerSecond(a) >= new BytesPerSecond(b), new BytesPerSecond(a).CompareTo(new BytesPerSecond(b)), a, b));

    [Test]
    public void MinAndMax_AnyTwo_AreTheTwoInOrder() => Gen.Select(Amount, Amount).Sample((a, b) =>
        Joules.Min(new Joules(a), new Joules(b)).Value == Math.Min(a, b) && Joules.Max(new Joules(a), new Joules(b)).Value == Math.Max(a, b)
        && Seconds.Min(new Seconds(a), new Seconds(b)).Value == Math.Min(a, b) && Seconds.Max(new Seconds(a), new Seconds(b)).Value == Math.Max(a, b));

    [Test]
    public void Span_OfWholeTicks_ComesBack() => Gen.Long[0, TimeSpan.TicksPerDay].Sample(ticks => Seconds.Of(TimeSpan.FromTicks(ticks)).Span.Ticks == ticks);

    [Test]
    public void ToString_AnyUnit_GivesSixDigitsAndTheUnit()
    {
        Assert.That(new Joules(1.23456789).ToString(), Is.EqualTo("1.23457 J"));
        Assert.That(new BytesPerSecond(2.5e6).ToString(), Is.EqualTo("2.5E+06 B/s"));
        Assert.That(new Celsius(-4).ToString(), Is.EqualTo("-4 degC"));
    }

    [TestCase(0, 0)]
    [TestCase(1.23456789, 1.23457)]
    [TestCase(-1.23456789, -1.23457)]
    [TestCase(123456.5, 123456)]
    [TestCase(1234567.8, 1234570)]
    [TestCase(0.000123456789, 0.000123457)]
    [TestCase(0.1, 0.1)]
    [TestCase(999999.6, 1000000)]
    [TestCase(1.7600000000000002, 1.76)]
    [TestCase(1764000000.123, 1764000000)]
    [TestCase(double.NaN, double.NaN)]
    [TestCase(double.PositiveInfinity, double.PositiveInfinity)]
    [TestCase(double.NegativeInfinity, double.NegativeInfinity)]
    public void Rounded_Value_KeepsSixSignificantDigits(double value, double expected) => Assert.That(Quantity.Rounded(value), Is.EqualTo(expected));

    [TestCase(1.23456789e-12, 1.23457e-12)]
    [TestCase(9.87654321e-100, 9.87654e-100)]
    [TestCase(1.23456789e12, 1.23457e12)]
    [TestCase(9.87654321e200, 9.87654e200)]
    [TestCase(double.MaxValue, 1.79769e308)]
    [TestCase(double.MinValue, -1.79769e308)]
    [TestCase(1.23456789e-305, 1.23457e-305)]
    public void Rounded_TinyOrHuge_StaysFiniteAndClose(double value, double expected) =>
        Assert.That(Quantity.Rounded(value), Is.EqualTo(expected).Within(1e-9).Percent);

    [Test]
    public void Rounded_AnyValue_IsCloseKeepsTheSignAndIsIdempotent() => Gen.Double[-300, 300].Select(Gen.Double[-10, 10], (exponent, mantissa) => mantissa * Math.Pow(10, exponent))
        .Where(double.IsNormal).Sample(
        value =>
        {
            var once = Quantity.Rounded(value);
            return double.IsFinite(once) && Math.Sign(once) == Math.Sign(value) && Math.Abs(once - value) <= 5.0001e-6 * Math.Abs(value) && Quantity.Rounded(once) == once;
        },
        iter: 20_000);

    private static readonly double[] Edges = [1, Math.BitDecrement(1), Math.BitIncrement(1), 9.999995, 9.9999949999];

    /// <summary>The digits counted by the logarithm, as they are defined; powers of ten and their neighbours come often.</summary>
    [Test]
    public void Rounded_AnyValue_IsAsByTheLogarithm() => Gen.Select(Gen.Int[-20, 24], Gen.Double[1, 10], Gen.Int[0, 9]).Sample(
        (power, any, edge) =>
        {
            var value = Math.Pow(10, power) * (edge < Edges.Length ? Edges[edge] : any);
            var digits = 5 - (int)Math.Floor(Math.Log10(value));
            if (digits is < -22 or > 15) return;
            var expected = digits >= 0 ? Math.Round(value, digits) : Math.Round(value / Math.Pow(10, -digits)) * Math.Pow(10, -digits);
            Assert.That(Quantity.Rounded(value), Is.EqualTo(expected));
        },
        iter: 20_000, threads: 1);

    [Test]
    public void Rounded_Quantity_RoundsItsValue() => Assert.That(Quantity.Rounded(new Watts(1.23456789)), Is.EqualTo(new Watts(1.23457)));

    private static bool Agrees(bool less, bool greater, bool lessOrEqual, bool greaterOrEqual, int compared, double a, double b) =>
        less == a < b && greater == a > b && lessOrEqual == a <= b && greaterOrEqual == a >= b && Math.Sign(compared) == a.CompareTo(b);

    private static bool IsClose(double a, double b, double within) => Math.Abs(a - b) <= within;

    private static bool IsRelativelyClose(double a, double b) => Math.Abs(a - b) <= 1e-12 * Math.Abs(b);
}
