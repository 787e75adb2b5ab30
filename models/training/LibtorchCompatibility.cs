using System.Buffers.Binary;
using System.Text;

namespace Fleet.Training;

/// <summary>
/// Makes TorchSharp load on Debian 12. libLibTorchSharp.so 0.107.0 asks for version GLIBCXX_3.4.32 of libstdc++ (GCC 13), and
/// Debian 12 ends at 3.4.30. The one symbol of that version, _ZSt21ios_base_library_initv, only marks that the library was there at
/// link time: nothing refers to it. So the need is marked weak, one bit in the copy beside the program (never in the package
/// cache), which the loader then no longer refuses.
/// </summary>
public static class LibtorchCompatibility
{
    private const string Library = "libLibTorchSharp.so";
    private const string NeededVersion = "GLIBCXX_3.4.32";

    // Elf64_Ehdr, Elf64_Shdr, Elf64_Verneed and Elf64_Vernaux: ELF-64 object file format 1.5; Linux Standard Base core, "Symbol Versioning".
    private const int SectionHeadersOffset = 0x28;
    private const int SectionHeaderSizeOffset = 0x3A;
    private const int SectionCountOffset = 0x3C;
    private const uint VersionNeedSection = 0x6ffffffe;
    private const byte WeakFlag = 2;

    /// <summary>Call before the first use of TorchSharp. Does nothing when it is done already, or when there is no such library.</summary>
    /// <returns>Whether the library was changed.</returns>
    /// <exception cref="IOException">The copy beside the program cannot be replaced.</exception>
    public static bool Apply()
    {
        var path = new[] { Library, $"runtimes/linux-x64/native/{Library}" }
            .Select(name => Path.Combine(AppContext.BaseDirectory, name))
            .FirstOrDefault(File.Exists);
        if (path is null || !OperatingSystem.IsLinux()) return false;
        var image = File.ReadAllBytes(path);
        if (!Weaken(image, NeededVersion)) return false;

        // The file may be a hard link into the package cache: write a new one and rename it, never write into it.
        var patched = $"{path}.{Environment.ProcessId}.tmp";
        File.WriteAllBytes(patched, image);
        File.SetUnixFileMode(patched, File.GetUnixFileMode(path));
        File.Move(patched, path, overwrite: true);
        return true;
    }

    /// <summary>Marks every need for a version as weak in the image of a little-endian 64-bit ELF library.</summary>
    /// <returns>Whether a need was strong before.</returns>
    public static bool Weaken(Span<byte> image, string version)
    {
        var headers = (int)Long(image, SectionHeadersOffset);
        var headerSize = Short(image, SectionHeaderSizeOffset);
        var changed = false;
        for (var i = 0; i < Short(image, SectionCountOffset); i++)
        {
            var header = headers + i * headerSize;
            if (Int(image, header + 4) != VersionNeedSection) continue;
            var nameTable = headers + (int)Int(image, header + 0x28) * headerSize;
            changed |= WeakenSection(image, (int)Long(image, header + 0x18), (int)Long(image, nameTable + 0x18), version);
        }
        return changed;
    }

    /// <summary>Walks the list of needed libraries, and for each the list of needed versions.</summary>
    private static bool WeakenSection(Span<byte> image, int section, int names, string version)
    {
        var changed = false;
        for (var need = section; ; need += (int)Int(image, need + 12))
        {
            var entry = need + (int)Int(image, need + 8);
            for (var i = 0; i < Short(image, need + 2); i++, entry += (int)Int(image, entry + 12))
            {
                if (Name(image, names + (int)Int(image, entry + 8)) != version || (image[entry + 4] & WeakFlag) != 0) continue;
                image[entry + 4] |= WeakFlag;
                changed = true;
            }
            if (Int(image, need + 12) == 0) return changed;
        }
    }

    private static string Name(ReadOnlySpan<byte> image, int offset) => Encoding.ASCII.GetString(image[offset..(offset + image[offset..].IndexOf((byte)0))]);

    private static ulong Long(ReadOnlySpan<byte> image, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(image[offset..]);

    private static uint Int(ReadOnlySpan<byte> image, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(image[offset..]);

    private static ushort Short(ReadOnlySpan<byte> image, int offset) => BinaryPrimitives.ReadUInt16LittleEndian(image[offset..]);
}
