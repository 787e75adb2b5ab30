using System.Runtime.InteropServices;

namespace Fleet.Training;

/// <summary>
/// Which instructions torch's convolutions (oneDNN) may use. They cut their work to fit the caches, and on a virtual machine (AMD family 26) whose processor tells nothing of its caches those of
/// libtorch 2.10 were wrong with AVX and AVX-512: logits of one and the same module differed by up to 1.8 from ONNX Runtime's, and export refused the model. With SSE 4.1 they agreed.
/// </summary>
public static partial class NativeArithmetic
{
    private const string Caches = "/sys/devices/system/cpu/cpu0/cache";

    /// <summary>Call before the first use of TorchSharp. Does nothing where caches are known; whoever has set a limit keeps it.</summary>
    public static void Limit()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture is not System.Runtime.InteropServices.Architecture.X64 || Directory.Exists(Caches)) return;
        // .NET's own environment is a copy: libraries ask the C library's.
        _ = SetVariable("ONEDNN_MAX_CPU_ISA", "SSE41", overwrite: 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
