using System.Runtime.CompilerServices;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.DeviceAgent.Sensing;

/// <summary>
/// Frames of one size, one after the other without anything between, from a stream such as standard input: what a camera's own
/// program writes (`rpicam-vid --codec yuv420` cropped, `ffmpeg -f rawvideo -pix_fmt gray`). The stream sets the pace.
/// </summary>
/// <param name="stream">Is left open.</param>
/// <param name="name">Names the stream in reports.</param>
/// <param name="frameBytes">Channels * height * width of the model's input.</param>
/// <param name="report">Told when the stream ends within a frame, or breaks.</param>
public sealed class RawFrameSource(Stream stream, string name, int frameBytes, Action<string> report) : IAsyncEnumerable<Sample>
{
    private readonly int frameBytes = frameBytes > 0 ? frameBytes : throw new FaultsException(name, $"frames have {frameBytes} bytes; at least 1");

    /// <summary>Ends where the stream ends, or with <see cref="OperationCanceledException"/> when cancelled: how long a frame may take is the reader's to say.</summary>
    public IAsyncEnumerator<Sample> GetAsyncEnumerator(CancellationToken cancellationToken = default) => Frames(cancellationToken).GetAsyncEnumerator(cancellationToken);

    private async IAsyncEnumerable<Sample> Frames([EnumeratorCancellation] CancellationToken cancel)
    {
        for (long frames = 0; ; frames++)
        {
            // Not reused: an offload may still be looking at the last one.
            var frame = new byte[frameBytes];
            var read = await Read(frame, cancel);
            if (read < frameBytes)
            {
                if (read > 0) report($"{name}: ended after {read} bytes of frame {frames + 1}; a frame has {frameBytes}: that frame is dropped");
                yield break;
            }
            yield return new Sample(-1, -1, frame);
        }
    }

    private async Task<int> Read(byte[] frame, CancellationToken cancel)
    {
        try
        {
            // A console's read cannot be cancelled; the wait for it can.
            return await stream.ReadAtLeastAsync(frame, frameBytes, throwOnEndOfStream: false, cancel).AsTask().WaitAsync(cancel);
        }
        catch (IOException e)
        {
            report($"{name}: {e.Message}");
            return 0;
        }
    }
}
