using System.Runtime.CompilerServices;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.DeviceAgent.Sensing;

/// <summary>
/// The PNG and PGM images of a folder, by name, as grey samples without index or label. Images are not resized: how a picture is
/// scaled changes what the network sees, so that is left to whoever makes it. A file that cannot be used is reported once and
/// skipped. While looping, the folder is listed anew each time round: what was added is seen.
/// </summary>
public sealed class FolderSource : IAsyncEnumerable<Sample>
{
    /// <summary>Larger files are no images of the sizes networks take.</summary>
    private const long FileBytesMax = 16 << 20;

    private readonly string directory;
    private readonly int rows;
    private readonly int columns;
    private readonly bool loop;
    private readonly Action<string> report;
    private readonly HashSet<string> reported = new(StringComparer.Ordinal);

    /// <param name="directory">Throws <see cref="FaultsException"/> when there is none.</param>
    /// <param name="rows">Height of the model's input in pixels.</param>
    /// <param name="columns">Width of the model's input in pixels.</param>
    /// <param name="loop">Whether to begin again at the end; a round without one usable image ends the source all the same.</param>
    /// <param name="report">Told of each file that cannot be used, and why.</param>
    public FolderSource(string directory, int rows, int columns, bool loop, Action<string> report)
    {
        if (!Directory.Exists(directory)) throw new FaultsException(directory, "no such directory");
        (this.directory, this.rows, this.columns, this.loop, this.report) = (directory, rows, columns, loop, report);
    }

    public IAsyncEnumerator<Sample> GetAsyncEnumerator(CancellationToken cancellationToken = default) => Images(cancellationToken).GetAsyncEnumerator(cancellationToken);

    private async IAsyncEnumerable<Sample> Images([EnumeratorCancellation] CancellationToken cancel)
    {
        bool any;
        do
        {
            any = false;
            foreach (var path in Files())
            {
                if (await Read(path, cancel) is not { } pixels) continue;
                any = true;
                yield return new Sample(-1, -1, pixels);
            }
        }
        while (loop && any);
        if (!any) report($"{directory}: holds no usable PNG or PGM image");
    }

    private List<string> Files()
    {
        try
        {
            return [.. Directory.EnumerateFiles(directory).Where(path => IsPng(path) || IsPgm(path)).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report($"{directory}: {e.Message}");
            return [];
        }
    }

    private async Task<byte[]?> Read(string path, CancellationToken cancel)
    {
        try
        {
            var length = new FileInfo(path).Length;
            if (length > FileBytesMax) throw new FaultsException(path, $"has {length} bytes; allowed: {FileBytesMax}");
            var bytes = await File.ReadAllBytesAsync(path, cancel);
            return IsPng(path) ? GreyImage.FromPng(path, bytes, rows, columns) : GreyImage.FromPgm(path, bytes, rows, columns);
        }
        catch (Exception e) when (e is FaultsException or IOException or UnauthorizedAccessException)
        {
            if (reported.Add(path)) report(e is FaultsException ? e.Message : $"{path}: {e.Message}");
            return null;
        }
    }

    private static bool IsPng(string path) => path.EndsWith(".png", StringComparison.OrdinalIgnoreCase);

    private static bool IsPgm(string path) => path.EndsWith(".pgm", StringComparison.OrdinalIgnoreCase);
}
