using System.Text;
using System.Text.RegularExpressions;
using Fleet.Contracts;

namespace Fleet.Emulator.Fitting;

/// <summary>What a board and a stack named by a person are among the measured systems.</summary>
/// <param name="System">Null when nobody measured this board with this stack.</param>
/// <param name="Remark">What had to be chosen; empty when nothing had.</param>
public sealed record FoundSystem(MeasuredSystem? System, Target Target, string Remark);

/// <summary>
/// Finds systems by the names that publishers use: spelling, case, punctuation and trailing zeros of versions do not matter. A stack is
/// judged by the words it shares with a system's names; a release that contradicts counts against it, another precision or another kind
/// of processor rules it out.
/// </summary>
public static partial class SystemNames
{
    private const double ContradictedRelease = 2;

    /// <summary>Of a word that stands in other systems' names only; one that nobody uses says nothing.</summary>
    private const double OthersWord = 0.5;
    private const double UnaskedWord = 0.01;
    private const double UnaskedGpu = 0.1;

    /// <summary>A part of a shorter chip's name than this is no name.</summary>
    private const int ShortestChip = 8;

    /// <summary>Words that name no software by themselves: not enough to take another stack for this one.</summary>
    private static readonly HashSet<string> Unspecific = new(StringComparer.Ordinal)
    {
        "stack", "engine", "inference", "runtime", "sdk", "framework", "version", "internal", "ai", "int8", "fp32", "fp16", "float", "float32", "cpu", "gpu", "thread",
        "with", "for", "the", "and", "on", "https", "github.com", "com", "tree", "n", "a", "none",
    };

    /// <summary>A name without case and punctuation.</summary>
    public static string Key(string name) => new([.. name.ToLowerInvariant().Where(char.IsLetterOrDigit)]);

    /// <param name="tables">All that were measured, and boards that were not.</param>
    /// <param name="board">As a publisher writes it.</param>
    /// <param name="stack">Empty for whatever was measured most on the board.</param>
    /// <param name="files">What the network's files compute in; null when it has none.</param>
    /// <param name="fault">Why nothing was found; empty otherwise.</param>
    public static FoundSystem? Find(MeasuredTables tables, string board, string stack, Precision? files, out string fault)
    {
        var said = SaidPrecision(stack);
        var onBoard = OnBoard(tables.Systems, board);
        fault = Unknown(stack, onBoard.Count > 0 ? onBoard : tables.Systems, onBoard.Count > 0, files is Precision.Int8);
        if (said is Precision.Float32 && files is Precision.Int8) return null;
        // Software that runs int8 only is asked about an fp32 file as about the network, before somebody quantises it; no software runs an int8 file in fp32.
        var own = Best(tables, Called(tables, onBoard, board, stack), stack, said ?? files);
        if (own.Count == 0 && said is null && files is Precision.Float32) own = Best(tables, onBoard, stack, null);
        if (own.Count > 0)
        {
            // Of equals the last: releases stand in the order they came.
            var chosen = own.OrderBy(system => system.Rows.Count).Last();
            return new FoundSystem(chosen, chosen.Target, own.Count == 1 ? "" : $"{own.Count} systems answer to these names, this is {chosen.Id}");
        }
        var elsewhere = stack.Length == 0 ? [] : Best(tables, [.. tables.Systems.Where(system => onBoard.Count == 0 || system.Target.World == onBoard[0].Target.World)], stack, said ?? (files is Precision.Int8 ? files : null));
        if (elsewhere.Count == 0) return null;
        fault = "";
        var (software, hardware) = (elsewhere[0].Target, onBoard.Count > 0 ? onBoard[0].Target : null);
        var unmeasured = hardware is null ? tables.Boards.FirstOrDefault(known => known.IsNamed(Key(board))) : null;
        var target = software with { Board = hardware?.Board ?? unmeasured?.Board ?? board, Core = hardware?.Core ?? unmeasured?.Core ?? "", Clock = hardware?.Clock ?? unmeasured?.Clock };
        return new FoundSystem(null, target, $"nobody measured this {(hardware is null ? "board" : "stack on this board")}; the stack is read as {software.Family} {software.Version:0.0##}");
    }

    /// <summary>Only those that bear the very name, where a board's processors have names of their own and one of them runs the stack.</summary>
    private static IReadOnlyList<MeasuredSystem> Called(MeasuredTables tables, IReadOnlyList<MeasuredSystem> onBoard, string board, string stack)
    {
        var key = Spelling(board);
        var called = onBoard.Where(system => Names(system).Contains(key)).ToList();
        return stack.Length > 0 && Best(tables, called, stack, null).Count > 0 ? called : onBoard;
    }

    private static string Unknown(string stack, IReadOnlyList<MeasuredSystem> systems, bool isOnBoard, bool isInt8)
    {
        var allowed = systems.Where(system => !isInt8 || system.Target.Precision is Precision.Int8).Select(system => system.Stack).Distinct().Order(StringComparer.Ordinal).ToList();
        return $"is \"{stack}\"{(isInt8 ? ", and the model is int8" : "")}; known{(isOnBoard ? " on this board" : "")}{(isInt8 ? " in int8" : "")}: {(allowed.Count > 0 ? string.Join(" | ", allowed) : "nothing")}";
    }

    /// <summary>Whether a name means the board that a system was measured on.</summary>
    public static bool IsOn(MeasuredTables tables, string board, MeasuredSystem system) => OnBoard(tables.Systems, board).Any(on => on.Target.BoardKey == system.Target.BoardKey);

    /// <summary>Whether two names are of one chip, one of them perhaps without package and grade: STM32L4R5 and STM32L4R5ZIT6U.</summary>
    public static bool IsChip(string name, string chip)
    {
        var (shorter, longer) = name.Length <= chip.Length ? (Key(name), Key(chip)) : (Key(chip), Key(name));
        return shorter == longer || (shorter.Length >= ShortestChip && longer.StartsWith(shorter, StringComparison.Ordinal));
    }

    /// <summary>int8 or fp32 where a stack's name says one of them.</summary>
    public static Precision? SaidPrecision(string stack)
    {
        var words = Words(stack).ToHashSet();
        var (int8, fp32) = (words.Contains("int8"), words.Overlaps(["fp32", "float", "float32"]));
        return int8 == fp32 ? null : int8 ? Precision.Int8 : Precision.Float32;
    }

    private static List<MeasuredSystem> OnBoard(IReadOnlyList<MeasuredSystem> systems, string board)
    {
        var key = Spelling(board);
        foreach (var isIt in (Func<string, bool>[])[name => name == key, name => name.Length > 4 && key.Length > 4 && (name.Contains(key, StringComparison.Ordinal) || key.Contains(name, StringComparison.Ordinal))])
        {
            var found = systems.Where(system => Names(system).Any(isIt)).ToList();
            if (found.Count == 0) continue;
            var keys = found.Select(system => system.Target.BoardKey).ToHashSet();
            return [.. systems.Where(system => keys.Contains(system.Target.BoardKey))];
        }
        return [];
    }

    /// <summary>Of its board.</summary>
    private static IEnumerable<string> Names(MeasuredSystem system) => system.Also.Append(system.Target.Board).Append(system.Id.Split('/')[0]).Select(Spelling);

    /// <summary>A board's name without case, punctuation and the word model; Pi 4B and RPi 4B are Raspberry Pi 4B.</summary>
    private static string Spelling(string board) => ShortPi().Replace(Key(board).Replace("model", "", StringComparison.Ordinal), "raspberrypi");

    /// <summary>Those that share most with the stack's name, in their order; all of them when no stack is named.</summary>
    private static List<MeasuredSystem> Best(MeasuredTables tables, IReadOnlyList<MeasuredSystem> systems, string stack, Precision? precision)
    {
        var ranked = systems.Where(system => precision is null || system.Target.Precision == precision).Select(system => (System: system, Score: Score(tables, system, stack))).Where(candidate => candidate.Score > 0).ToList();
        return ranked.Count == 0 ? [] : [.. ranked.Where(candidate => candidate.Score == ranked.Max(other => other.Score)).Select(candidate => candidate.System)];
    }

    /// <summary>0 when nothing speaks for the system.</summary>
    private static double Score(MeasuredTables tables, MeasuredSystem system, string stack)
    {
        if (stack.Length == 0) return 1;
        var names = system.Also.Append(system.Stack).Append(system.Id).Select(Tidy).ToList();
        if (names.Contains(Tidy(stack))) return double.MaxValue;
        var said = Words(system.Stack).ToHashSet();
        var all = AllWords(system).ToHashSet();
        var releases = said.Where(IsRelease).ToList();
        var asked = Words(stack).Distinct().ToList();
        if (!asked.Any(word => all.Contains(word) && IsSpecific(word)) || asked.Contains(system.Target.IsGpu ? "cpu" : "gpu")) return 0;
        var contradicted = releases.Count > 0 && asked.Any(word => IsRelease(word) && !all.Contains(word));
        return asked.Count(all.Contains) - OthersWord * asked.Count(word => !all.Contains(word) && tables.Words.Contains(word)) - UnaskedWord * said.Count(word => !asked.Contains(word))
            - (system.Target.IsGpu && !asked.Contains("gpu") ? UnaskedGpu : 0) - (contradicted ? ContradictedRelease : 0);
    }

    /// <summary>All that a stack may be known by.</summary>
    public static IEnumerable<string> AllWords(MeasuredSystem system) => system.Also.Concat([system.Stack, system.Id, system.Target.Family, system.Submitter, system.Round]).SelectMany(Words);

    /// <summary>Whether a name is a stack's, or part of it: every word stands in it ("TFLM + ESP-NN" in "TFLM with ESP-NN int8"), and one of them says which software; precisions apart.</summary>
    public static bool IsPartOf(string name, string stack)
    {
        var words = Words(name).Except(["int8", "fp32"]).ToHashSet();
        return words.IsSubsetOf(Words(stack)) && words.Any(IsSpecific);
    }

    private static bool IsSpecific(string word) => !char.IsDigit(word[0]) && !Unspecific.Contains(word);

    private static bool IsRelease(string word) => char.IsDigit(word[0]) && word.Contains('.', StringComparison.Ordinal);

    private static string Tidy(string name) => string.Join(' ', Words(name));

    /// <summary>Lower-case words; a release without its "v" and trailing zeros, so that v9.0.0 is 9.0; "4t" is "4 thread"; ncnn's "gpu=-1" is "cpu", its "gpu=0" "gpu".</summary>
    private static IEnumerable<string> Words(string name)
    {
        var plain = name.Normalize(NormalizationForm.FormKC).ToLowerInvariant().Replace("onnx runtime", "onnxruntime", StringComparison.Ordinal).Replace("vulkan", "gpu", StringComparison.Ordinal);
        foreach (Match match in Word().Matches(GpuDevice().Replace(plain, device => device.Groups[1].Value == "-1" ? " cpu " : " gpu ")))
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

    [GeneratedRegex("gpu *= *(-?[0-9]+)")]
    private static partial Regex GpuDevice();

    [GeneratedRegex("^r?pi(?=[0-9z])")]
    private static partial Regex ShortPi();

    [GeneratedRegex("^([0-9]+)t$")]
    private static partial Regex Threads();

    /// <summary>After a release of at least two numbers.</summary>
    [GeneratedRegex(@"^([0-9]+\.[0-9]+?)(\.0)+$")]
    private static partial Regex TrailingZeros();
}
