using System.Buffers.Text;

namespace Fleet.Contracts;

/// <summary>
/// The shortest text that reads as a number again, as the runtime writes it, quickly for numbers of few decimals as all reports hold:
/// m = v 10^k is tried for k that gives six digits, then for thousandths. When m is whole, below 2^53, and m / 10^k is v, the decimal m 10^-k
/// reads as v (both are exact and the division rounds once), and no other decimal of at most 15 digits does.
/// </summary>
internal static class ShortNumber
{
    private const int Digits = 6;
    private const double WholeMax = 1e15;

    /// <summary>Below, numbers are written with an exponent.</summary>
    private const double FixedMin = 1e-4;

    /// <summary>As far as they are exact.</summary>
    private static readonly double[] Tens = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];
    private static readonly long[] WholeTens = [.. Tens[..16].Select(ten => (long)ten)];

    /// <summary>Gives the number of bytes written; there must be room for 32.</summary>
    /// <param name="value">Finite.</param>
    public static int Write(double value, Span<byte> to)
    {
        if (value is > 1e-16 and < WholeMax)
        {
            if (value == Math.Floor(value)) return Write((long)value, to);
            var decimals = Decimals(value);
            var scaled = Math.Round(value * Tens[decimals]);
            if (scaled / Tens[decimals] == value) return value < FixedMin ? Scientific((long)scaled, decimals, to) : Decimal((long)scaled, decimals, to);
            scaled = Math.Round(value * 1e3);
            if (value >= FixedMin && scaled < WholeMax && scaled / 1e3 == value) return Decimal((long)scaled, 3, to);
        }
        else if (value == 0 && !double.IsNegative(value))
        {
            to[0] = (byte)'0';
            return 1;
        }
        Utf8Formatter.TryFormat(value, to, out var written);
        return written;
    }

    /// <summary>Gives the number of bytes written; there must be room for 20.</summary>
    public static int Write(long value, Span<byte> to)
    {
        // Most counts of one report are of one digit.
        if ((ulong)value < 10)
        {
            to[0] = (byte)('0' + value);
            return 1;
        }
        Utf8Formatter.TryFormat(value, to, out var written);
        return written;
    }

    /// <summary>Decimals that leave six digits.</summary>
    private static int Decimals(double value)
    {
        var decimals = Digits - 1;
        while (decimals > 0 && value * Tens[decimals] >= 1e6) decimals--;
        while (decimals < Tens.Length - 1 && value * Tens[decimals] < 1e5) decimals++;
        return decimals;
    }

    private static int Decimal(long scaled, int decimals, Span<byte> to)
    {
        while (decimals > 0 && scaled % 10 == 0) (scaled, decimals) = (scaled / 10, decimals - 1);
        var length = Write(scaled / WholeTens[decimals], to);
        if (decimals == 0) return length;
        var rest = scaled % WholeTens[decimals];
        to[length] = (byte)'.';
        for (var at = length + decimals; at > length; at--, rest /= 10) to[at] = (byte)('0' + rest % 10);
        return length + 1 + decimals;
    }

    /// <summary>One digit, the others behind the point, and the exponent in two digits.</summary>
    private static int Scientific(long scaled, int decimals, Span<byte> to)
    {
        while (scaled % 10 == 0) (scaled, decimals) = (scaled / 10, decimals - 1);
        Span<byte> digits = stackalloc byte[20];
        var count = Write(scaled, digits);
        var length = 0;
        to[length++] = digits[0];
        if (count > 1) to[length++] = (byte)'.';
        digits[1..count].CopyTo(to[length..]);
        length += count - 1;
        "E-"u8.CopyTo(to[length..]);
        var exponent = decimals - (count - 1);
        (to[length + 2], to[length + 3]) = ((byte)('0' + exponent / 10), (byte)('0' + exponent % 10));
        return length + 4;
    }
}
