using System.Text;
using Fleet.Contracts;
using Fleet.DeviceAgent;
using Microsoft.Win32.SafeHandles;

namespace Fleet.Emulator.Reporting;

/// <summary>One inference, as it was answered.</summary>
/// <param name="Device">Its place among the site's devices.</param>
/// <param name="Energy">What the device has drawn for computing and radio since its last answer, its reports included: rows add up to totals.</param>
/// <param name="Sent">What it has sent since its last answer, likewise.</param>
public readonly record struct AnsweredEvent(Seconds At, int Device, int Sample, bool? IsCorrect, AnsweredBy By, int Exit, bool DeadlineMissed, Seconds Latency, Joules Energy, Bytes Sent);

/// <summary>
/// The raw events of one site on their way to the tables: a file of the site's own while it runs, so that sites can run side by side in
/// bounded memory and their rows still stand in the order of the scenario. The file goes away with the object.
/// </summary>
public sealed class EventSpool : IDisposable
{
    private readonly string directory;
    private readonly SafeFileHandle handle;
    private readonly FileStream file;
    private readonly BinaryWriter writer;
    private readonly List<(Joules Energy, Bytes Sent)> last = [];
    private bool isFull;

    /// <param name="directory">Where the file may lie.</param>
    public EventSpool(string directory, SiteWorld world)
    {
        this.directory = directory;
        handle = File.OpenHandle(Path.Combine(directory, $".{world.Name}.events"), FileMode.Create, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
        file = new FileStream(handle, FileAccess.ReadWrite, bufferSize: 1 << 16);
        writer = new BinaryWriter(file, Encoding.UTF8, leaveOpen: true);
        world.Ledger.Recorder = (device, answer) => Keep(world, device, answer);
    }

    public long Count { get; private set; }

    /// <summary>All that was recorded, in its order.</summary>
    public IEnumerable<AnsweredEvent> Read()
    {
        writer.Flush();
        file.Position = 0;
        using var reader = new BinaryReader(file, Encoding.UTF8, leaveOpen: true);
        for (var i = 0L; i < Count; i++)
        {
            var (at, device, sample) = (new Seconds(reader.ReadDouble()), reader.ReadInt32(), reader.ReadInt32());
            var correct = reader.ReadSByte();
            yield return new AnsweredEvent(at, device, sample, correct < 0 ? null : correct == 1, (AnsweredBy)reader.ReadByte(), reader.ReadByte(), reader.ReadBoolean(), new Seconds(reader.ReadDouble()), new Joules(reader.ReadDouble()), new Bytes(reader.ReadDouble()));
        }
    }

    public void Dispose()
    {
        try
        {
            writer.Dispose();
            file.Dispose();
        }
        catch (IOException) when (isFull)
        {
            // What could not be written before cannot be now; that has been told.
        }
        handle.Dispose();
    }

    /// <summary>The run ends at the first row that the disk does not take: what it wrote would be incomplete.</summary>
    private void Keep(SiteWorld world, DeviceAccount device, in Answer answer)
    {
        try
        {
            Record(world, device, answer);
        }
        catch (IOException e)
        {
            isFull = true;
            throw new FaultsException($"--out {directory}", e.Message);
        }
    }

    private void Record(SiteWorld world, DeviceAccount device, in Answer answer)
    {
        var (energy, sent) = (EnergyFlows.Of(device.Energy).Spent, world.Devices[device.Index].BytesSent);
        while (last.Count <= device.Index) last.Add(default);
        var before = last[device.Index];
        last[device.Index] = (energy, sent);
        writer.Write(world.Reached.Value);
        writer.Write(device.Index);
        writer.Write(answer.Sample);
        writer.Write((sbyte)(answer.TrueLabel < 0 ? -1 : answer.TrueLabel == answer.Label ? 1 : 0));
        writer.Write((byte)answer.By);
        writer.Write((byte)answer.Exit);
        writer.Write(answer.DeadlineMissed);
        writer.Write(answer.Latency.Value);
        writer.Write((energy - before.Energy).Value);
        writer.Write((sent - before.Sent).Value);
        Count++;
    }
}
