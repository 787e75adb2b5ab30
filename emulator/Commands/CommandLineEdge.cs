using System.CommandLine;
using Fleet.Contracts;

namespace Fleet.Emulator.Commands;

/// <summary>A wrong flag is a fault like any other: told once on standard error, exit code 2.</summary>
internal static class CommandLineEdge
{
    public static int Invoke(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        if (parsed.Errors.Count == 0) return parsed.Invoke();
        foreach (var error in parsed.Errors) Console.Error.WriteLine(error.Message);
        Console.Error.WriteLine("Say --help after a command to see what it takes.");
        return ProcessEdge.FaultExit;
    }
}
