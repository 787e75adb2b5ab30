using System.Reflection;
using Fleet.Emulator.Commands;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Commands;

/// <summary>Runs `fleet` in this process, from its entry point, and keeps what it says.</summary>
public abstract class CommandFixture
{
    protected string Scratch { get; private set; } = "";

    [SetUp]
    public void CreateScratch() => Scratch = Directory.CreateTempSubdirectory("fleet-command").FullName;

    [TearDown]
    public void DeleteScratch() => Directory.Delete(Scratch, recursive: true);

    protected sealed record Said(int ExitCode, string Out, string Error);

    protected static Said Fleet(params string[] args)
    {
        var (output, error) = (Console.Out, Console.Error);
        using var said = new StringWriter();
        using var told = new StringWriter();
        Console.SetOut(said);
        Console.SetError(told);
        try
        {
            var exit = (int)typeof(ModelsCommand).Assembly.EntryPoint!.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [args], null)!;
            return new Said(exit, said.ToString(), told.ToString());
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
    }
}
