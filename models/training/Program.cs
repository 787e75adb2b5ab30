using Fleet.Contracts;
using Fleet.Training;

// Before anything touches TorchSharp.
LibtorchCompatibility.Apply();
NativeMemory.Keep();

const int failure = 1;
const int wrongInput = 2;
var parsed = CommandLine.Build(new Commands(Console.Out, TimeProvider.System)).Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors) await Console.Error.WriteLineAsync(error.Message);
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
