using System.Runtime.InteropServices;

namespace Fleet.Training;

/// <summary>
/// Torch allocates and frees tensors of many megabytes thousands of times a second. The C library gives such blocks back to the
/// kernel each time and takes them again zeroed; told to, it keeps them, and autograd's thread uses the same heap.
/// </summary>
public static partial class NativeMemory
{
    // malloc.h of glibc
    private const int TrimThreshold = -1;
    private const int MmapMax = -4;
    private const int ArenaMax = -8;

    public static void Keep()
    {
        if (!OperatingSystem.IsLinux()) return;
        _ = SetOption(MmapMax, 0);
        _ = SetOption(ArenaMax, 1);
        _ = SetOption(TrimThreshold, int.MaxValue);
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int SetOption(int option, int value);
}
