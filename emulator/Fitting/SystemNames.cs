using System.Text;
using System.Text.RegularExpressions;

namespace Fleet.Emulator.Fitting;

/// <summary>What a board and a stack named by a person are among the measured systems.</summary>
/// <param name="System">Null when nobody measured this board with this stack.</param>
/// <param name="Remark">What had to be chosen; empty when nothing had.</param>
public sealed record FoundSystem(MeasuredSystem? System, Target Target, string Remark);

/// <summary>
/// Finds systems by the names that publishers use: spelling, case, punctuation and trailing zeros of versions do not matter. A stack is
/// judged by the words it shares with a system's names; a release that contradicts counts against it.
/// </summary>
public static partial class SystemNames
{
    private const double ContradictedRelease = 2;
    private const double UnknownWord = 0.5;
    private const double UnaskedWord = 0.01;

    /// <summary>Words that name no software by themselves: not enough to take another board's stack for this one.</summary>
    private static readonly HashSet<string> Unspecific = new(StringComparer.Ordinal) { "stack", "engine", "inference", "runtime", "sdk", "framework", "int8", "fp32", "fp16", "float", "thread", "with", "for", "the", "and", "on" };

    /// <summary>A name without case and punctuation.</summary>
    public static string Key(string name) => new([.. name.ToLowerInvariant().Where(char.IsLetterOrDigit)]);

    /// <param name="tables">All that were measured, and boards that were not.</param>
    /// <param name="board">As a publisher writes it.</param>
    /// <param name="stack">Empty for whatever was measured most on the board.</param>
    /// <param name="fault">Why nothing was found; empty otherwise.</param>
    public static FoundSystem? Find(MeasuredTables tables, string board, string stack, out string fault)
    {
        fault = "";
        var systems = tables.Systems;
        var onBoard = OnBoard(systems, board);
        var own = Ranked(onBoard, stack);
        if (own.Count > 0)
        {
            var equal = own.TakeWhile(candidate => candidate.Score == own[0].Score).Select(candidate => candidate.System).ToList();
            var chosen = equal.MaxBy(system => system.Rows.Count)!;
            return new FoundSystem(chosen, chosen.Target, equal.Count == 1 ? "" : $"{equal.Count} systems answer to these names, this is {chosen.Id}");
        }
        var elsewhere = Words(stack).All(Unspecific.Contains) ? [] : Ranked([.. systems.Where(system => onBoard.Count == 0 || system.Target.World == onBoard[0].Target.World)], stack);
        if (elsewhere.Count == 0)
        {
            var known = (onBoard.Count > 0 ? onBoard : systems).Select(system => system.Stack).Distinct().Order(StringComparer.Ordinal);
            fault = $"is \"{stack}\"; known{(onBoard.Count > 0 ? " on this board" : "")}: {string.Join(" | ", known)}";
            return null;
        }
        var (software, hardware) = (elsewhere[0].System.Target, onBoard.Count > 0 ? onBoard[0].Target : null);
        var unmeasured = hardware is null ? tables.Boards.FirstOrDefault(known => known.IsNamed(Key(board))) : null;
        var target = software with { Board = hardware?.Board ?? unmeasured?.Board ?? board, Core = hardware?.Core ?? unmeasured?.Core ?? "", Clock = hardware?.Clock ?? unmeasured?.Clock };
        return new FoundSystem(null, target, $"nobody measured this {(hardware is null ? "board" : "stack on this board")}; the stack is read as {software.Family} {software.Version:0.0##}");
    }

    private static List<MeasuredSystem> OnBoard(IReadOnlyList<MeasuredSystem> systems, string board)
    {
        var key = Key(board);
        foreach (var isIt in (Func<string, bool>[])[name => name == key, name => name.Length > 4 && key.Length > 4 && (name.Contains(key, StringComparison.Ordinal) || key.Contains(name, StringComparison.Ordinal))])
        {
            var found = systems.Where(system => system.Also.Append(system.Target.Board).Append(system.Id.Split('/')[0]).Select(Key).Any(isIt)).ToList();
            if (found.Count == 0) continue;
            var keys = found.Select(system => system.Target.BoardKey).ToHashSet();
            return [.. systems.Where(system => keys.Contains(system.Target.BoardKey))];
        }
        return [];
    }

    /// <summary>Those that share a word with the stack, best first; all of them, in order, when no stack is named.</summary>
    private static List<(MeasuredSystem System, double Score)> Ranked(IReadOnlyList<MeasuredSystem> systems, string stack) =>
        [.. systems.Select(system => (System: system, Score: Score(system, stack))).Where(candidate => candidate.Score > 0).OrderByDescending(candidate => candidate.Score)];

    private static double Score(MeasuredSystem system, string stack)
    {
        var names = system.Also.Append(system.Stack).Append(system.Id).Select(Tidy).ToList();
        if (stack.Length == 0) return 1;
        if (names.Contains(Tidy(stack))) return double.MaxValue;
        var said = Words(system.Stack).ToHashSet();
        var all = names.Append(system.Target.Family).Append(system.Submitter).Append(system.Round).SelectMany(Words).ToHashSet();
        var releases = said.Where(IsRelease).ToList();
        var asked = Words(stack).Distinct().ToList();
        var shared = asked.Count(all.Contains);
        if (!asked.Any(word => all.Contains(word) && !char.IsDigit(word[0]))) return 0;
        var contradicted = releases.Count > 0 && asked.Any(word => IsRelease(word) && !all.Contains(word));
        return shared - UnknownWord * (asked.Count - shared) - UnaskedWord * said.Count(word => !asked.Contains(word)) - (contradicted ? ContradictedRelease : 0);
    }

    /// <summary>Whether every word of a name stands in a longer one: "TFLM + ESP-NN" in "TFLM with ESP-NN int8".</summary>
    public static bool IsPartOf(string name, string longer) => Words(name).ToHashSet().IsSubsetOf(Words(longer));

    private static bool IsRelease(string word) => char.IsDigit(word[0]) && word.Contains('.', StringComparison.Ordinal);

    private static string Tidy(string name) => string.Join(' ', Words(name));

    /// <summary>Lower-case words; a release without its "v" and trailing zeros, so that v9.0.0 is 9.0; "4t" is "4 thread".</summary>
    private static IEnumerable<string> Words(string name)
    {
        foreach (Match match in Word().Matches(name.Normalize(NormalizationForm.FormKC).ToLowerInvariant()))
        {
            var word = match.Value.TrimEnd('.');
            if (Threads().Match(word) is { Success: true } threads)
            {
                yield return threads.Groups[1].Value;
                yield return "thread";
                continue;
            }
            if (word is "threads") word = "thread";
            if (word.Length > 1 && word[0] == 'v' && char.IsDigit(word[1])) word = word[1..];
            yield return TrailingZeros().Replace(word, "$1");
        }
    }

    [GeneratedRegex("[a-z0-9.]*[a-z0-9]")]
    private static partial Regex Word();

    [GeneratedRegex("^([0-9]+)t$")]
    private static partial Regex Threads();

    /// <summary>After a release of at least two numbers.</summary>
    [GeneratedRegex(@"^([0-9]+\.[0-9]+?)(\.0)+$")]
    private static partial Regex TrailingZeros();
}
