namespace Fleet.Controller.Placement;

/// <summary>
/// Weighted dependent rounding (Gandhi, Khuller, Parthasarathy, Srinivasan, "Dependent rounding and its applications to approximation algorithms", JACM 2006; with
/// sizes as in knapsacks): two fractional parts at a time trade size until one is whole. Every mean stays, and so does the sum of size times
/// part, but for the last fractional part, which is drawn alone and can miss the budget by less than its size.
/// </summary>
public static class DepRound
{
    private const double Whole = 1e-9;

    /// <param name="parts">From 0 to 1; 0 or 1 afterwards.</param>
    public static void Round(Span<double> parts, ReadOnlySpan<double> size, Random random)
    {
        var open = -1;
        for (var next = 0; next < parts.Length; next++)
        {
            Snap(ref parts[next]);
            if (IsWhole(parts[next])) continue;
            if (open < 0)
            {
                open = next;
                continue;
            }
            Trade(ref parts[open], ref parts[next], size[open], size[next], random);
            if (IsWhole(parts[open])) open = IsWhole(parts[next]) ? -1 : next;
        }
        if (open >= 0) parts[open] = random.NextDouble() < parts[open] ? 1 : 0;
    }

    private static void Trade(ref double a, ref double b, double sizeA, double sizeB, Random random)
    {
        var up = Math.Min(1 - a, b * sizeB / sizeA);
        var down = Math.Min(a, (1 - b) * sizeB / sizeA);
        var step = random.NextDouble() * (up + down) < down ? up : -down;
        a += step;
        b -= step * sizeA / sizeB;
        Snap(ref a);
        Snap(ref b);
    }

    private static void Snap(ref double part)
    {
        if (part < Whole) part = 0;
        else if (part > 1 - Whole) part = 1;
    }

    private static bool IsWhole(double part) => part is 0 or 1;
}
