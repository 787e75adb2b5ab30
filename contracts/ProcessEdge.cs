using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Fleet.Contracts;

/// <summary>What every executable does around its work: one event loop, an orderly end on Ctrl-C or SIGTERM, faults told once and exit code 2.</summary>
public static partial class ProcessEdge
{
    public const int FaultExit = 2;

    /// <summary>The version every part reports: all are built as one.</summary>
    public static string Version { get; } = typeof(ProcessEdge).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>Timers end at 49 days.</summary>
    private static readonly Seconds LongestDuration = new(1000 * 3600);

    /// <summary>Parses and runs; a wrong flag is a fault like any other: told on standard error, exit code 2.</summary>
    public static int Invoke(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        var faults = Faults(parsed);
        if (faults.Count == 0) return parsed.Invoke();
        foreach (var fault in faults) Console.Error.WriteLine(fault);
        Console.Error.WriteLine("Say --help after a command to see what it takes.");
        return FaultExit;
    }

    /// <summary>What is wrong with a command line, one sentence a fault: flag or argument, what was given, what is allowed.</summary>
    public static IReadOnlyList<string> Faults(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var options = command.Options.ToList();
        for (var above = parsed.CommandResult.Parent as CommandResult; above is not null; above = above.Parent as CommandResult) options.AddRange(above.Command.Options.Where(option => option.Recursive));
        // What no option is called by is taken for an argument where one is missing.
        var isOption = parsed.Tokens.Any(token => token.Type is TokenType.DoubleDash) ? static _ => false : new Func<string, bool>(value => value.Length > 2 && value.StartsWith("--", StringComparison.Ordinal));
        var mistaken = parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value).Concat(parsed.UnmatchedTokens).Where(isOption).ToList();
        return
        [
            .. options.Where(option => option.Name is "--out" or "--keep" && parsed.GetResult(option)?.Tokens is [{ Value: "" }]).Select(option => $"{option.Name} is empty; allowed: a path"),
            .. mistaken.Select(value => $"{value} is no option of \"{command.Name}\"; allowed: {string.Join(", ", options.Select(option => option.Name).Order(StringComparer.Ordinal))}"),
            .. command.Subcommands.Count > 0 ? CommandFaults(parsed, command, isOption) : parsed.Errors.Where(error => !mistaken.Any(value => error.Message.Contains(value, StringComparison.Ordinal))).Select(error => Said(error.Message, options)),
        ];
    }

    /// <summary>Of a line that stops short of a command.</summary>
    private static IEnumerable<string> CommandFaults(ParseResult parsed, System.CommandLine.Command command, Func<string, bool> isOption)
    {
        if (parsed.Errors.Count == 0) return [];
        var there = string.Join(", ", command.Subcommands.Where(one => !one.Hidden).Select(one => one.Name).Order(StringComparer.Ordinal));
        return [parsed.UnmatchedTokens.FirstOrDefault(token => !isOption(token)) is { } wrong ? $"{wrong} is no command of \"{command.Name}\"; allowed: {there}" : $"a command of \"{command.Name}\" is missing; allowed: {there}"];
    }

    /// <summary>Says what a value of an option must be instead of how .NET calls its type.</summary>
    private static string Said(string message, IEnumerable<Option> options)
    {
        var found = NotOfItsType().Match(message);
        if (!found.Success || options.FirstOrDefault(option => option.Name == found.Groups["option"].Value) is not { } wrong) return message;
        var type = Nullable.GetUnderlyingType(wrong.ValueType) ?? wrong.ValueType;
        var needed = type.IsEnum ? "one of " + string.Join(", ", Enum.GetNames(type))
            : type == typeof(bool) ? "true or false"
            : Type.GetTypeCode(type) is TypeCode.Double or TypeCode.Single or TypeCode.Decimal ? "a number"
            : Type.GetTypeCode(type) is >= TypeCode.SByte and <= TypeCode.UInt64 ? "a whole number" : null;
        return needed is null ? message : $"{wrong.Name} is \"{found.Groups["value"].Value}\"; it must be {needed}";
    }

    [GeneratedRegex("^Cannot parse argument '(?<value>.*)' for option '(?<option>[^']*)' as expected type")]
    private static partial Regex NotOfItsType();

    /// <summary>Says on standard error why a bus that keeps trying is not connected, whenever the reason changes, and when it is connected again.</summary>
    public static Task TellFaults(MqttBus bus, TimeProvider clock, CancellationToken stop) => TellFaults("broker", () => bus.LastFault, "connected", clock, stop);

    /// <summary>Likewise of anything that keeps trying.</summary>
    /// <param name="fault">Empty while nothing is wrong.</param>
    /// <param name="well">What is said when nothing is wrong any more.</param>
    public static async Task TellFaults(string subject, Func<string> fault, string well, TimeProvider clock, CancellationToken stop)
    {
        var told = "";
        do
        {
            var now = fault();
            if (now != told) Console.Error.WriteLine($"{subject}: {(now.Length > 0 ? now : well)}");
            told = now;
        }
        while (await clock.Sleep(new Seconds(1), stop));
    }

    /// <summary>Runs <paramref name="main"/> on an event loop; its token is cancelled by Ctrl-C and SIGTERM.</summary>
    public static int Run(Func<EventLoop, CancellationToken, Task<int>> main) => Guard(() =>
    {
        using var stop = new CancellationTokenSource();
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return EventLoop.Run(loop => main(loop, stop.Token));
    });

    /// <summary>Tells faults on standard error instead of dying of them.</summary>
    public static int Guard(Func<int> work)
    {
        try
        {
            return work();
        }
        catch (FaultsException e)
        {
            Console.Error.WriteLine(e.Message);
            return FaultExit;
        }
    }

    /// <summary>Reads "30s", "10m", "1.5h" or a bare number of seconds, up to 1000 h; null when it is none of these.</summary>
    public static Seconds? ParseDuration(string text)
    {
        var factor = text.Length == 0 ? 0 : text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, >= '0' and <= '9' => 1, _ => 0 };
        var digits = text.Length > 0 && char.IsLetter(text[^1]) ? text[..^1] : text;
        var isNumber = double.TryParse(digits, System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out var value);
        return factor > 0 && isNumber && value > 0 && value * factor <= LongestDuration.Value ? new Seconds(value * factor) : null;
    }
}
