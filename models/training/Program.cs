using Fleet.Contracts;
using Fleet.Training;

// Before anything touches TorchSharp.
LibtorchCompatibility.Apply();
NativeMemory.Keep();
NativeArithmetic.Limit();

const int failure = 1;
const int wrongInput = 2;
var parsed = CommandLine.Build(new Commands(Console.Out, TimeProvider.System)).Parse(args);
var wrong = ProcessEdge.Faults(parsed);
if (wrong.Count > 0)
{
    foreach (var fault in wrong) await Console.Error.WriteLineAsync(fault);
    await Console.Error.WriteLineAsync("fleet-training --help shows what there is.");
    return wrongInput;
}
try
{
    return await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false });
}
catch (FaultsException faults)
{
    await Console.Error.WriteLineAsync(faults.Message);
    return wrongInput;
}
catch (IOException cause)
{
    await Console.Error.WriteLineAsync(cause.Message);
    return failure;
}
