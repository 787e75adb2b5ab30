using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Fitting;
using Fleet.Models.Profiling;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet profile show`: profiles as people read them. What nobody published bears its K.</summary>
internal static class ProfileReport
{
    private const int SourceShown = 160;

    /// <param name="name">One profile; null for a table of all.</param>
    /// <returns>The exit code.</returns>
    public static int Show(IReadOnlyDictionary<string, HardwareProfile> profiles, string? name)
    {
        if (name is null)
        {
            Print(profiles.Values);
            return 0;
        }
        if (!profiles.TryGetValue(name, out var profile)) throw new FaultsException("NAME", $"is \"{name}\"; allowed: {string.Join(", ", profiles.Keys)}");
        Console.Out.WriteLine($"{profile.Id}: {profile.Board}, {profile.Soc}, {profile.Core}; {profile.Stack}; power at the {profile.Power.MeasuredAt}");
        var numbers = ProfileText.Numbers(profile).ToList();
        var (keys, values) = (numbers.Max(number => number.Key.Length), numbers.Max(number => number.Value.Length));
        foreach (var (key, value, confidence, source) in numbers)
            Console.Out.WriteLine($"  {key.PadRight(keys)}  {value.PadLeft(values)}  {confidence}  {(source.Length <= SourceShown ? source : source[..SourceShown] + "...")}");
        Console.Out.WriteLine($"  {profile.Note}");
        return 0;
    }

    public static void Print(IEnumerable<HardwareProfile> profiles) => Figures.Columns(
    [
        ["profile", "role", "board", "stack", "clock", "cycles/MAC 1x1", "active", "error", "left out"],
        .. profiles.Select(profile => new[]
        {
            profile.Id, profile.Role, Short(profile.Board), Short(profile.Stack), (profile.Clock.Value.Value / 1e6).ToString("0.#", CultureInfo.InvariantCulture) + " MHz",
            profile.Compute.Pointwise.Value.ToString(CultureInfo.InvariantCulture), Tagged(profile.Power.Active), Percent(profile.Fit?.InSample), Percent(profile.Fit?.LeaveOneOut),
        }),
    ]);

    private static string Tagged(Sourced<Watts> power) => $"{power.Value.Value.ToString(CultureInfo.InvariantCulture)} W {(power.Confidence is Evidence.Unverified ? "K" : " ")}";

    private static string Percent(Sourced<double>? ratio) => ratio is null ? "-" : (ratio.Value * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    private static string Short(string text) => text.Length <= 40 ? text : text[..37] + "...";
}
