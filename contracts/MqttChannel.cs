using System.Buffers;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Adapter;
using MQTTnet.Channel;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Formatter;
using MQTTnet.Implementations;

namespace Fleet.Contracts;

/// <summary>
/// Takes PUBLISH packets out of the stream before MQTTnet's client sees it. The client handles and acknowledges them one by one, with a
/// write for each, and reads its socket into a queue without bound; here all that one read brings goes to the inbox together and is
/// acknowledged by one write, and the socket is not read while the event loop is behind, so that TCP holds the broker back.
/// </summary>
internal sealed class MqttChannel(IMqttChannel inner, MqttInbox inbox) : IMqttChannel
{
    private const int ReadBytes = 64 * 1024;
    private const int PubAckBytes = 4;

    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly Lock gate = new();
    private byte[] buffer = new byte[ReadBytes];
    private int start, end; // of what was read and not yet taken
    private int passing; // bytes of the packet at the start that is the client's
    private ArrayBufferWriter<byte> acknowledgements = new(), beingWritten = new();
    private bool isAcknowledging;

    public X509Certificate2 ClientCertificate => inner.ClientCertificate;

    public EndPoint RemoteEndPoint => inner.RemoteEndPoint;

    public EndPoint LocalEndPoint => inner.LocalEndPoint;

    public bool IsSecureConnection => inner.IsSecureConnection;

    public Task ConnectAsync(CancellationToken cancellationToken) => inner.ConnectAsync(cancellationToken);

    public Task DisconnectAsync(CancellationToken cancellationToken) => inner.DisconnectAsync(cancellationToken);

    /// <summary>Gives the client what is no PUBLISH.</summary>
    public async Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        while (true)
        {
            var isLeft = passing == 0 && TakePublishes();
            if (passing > 0 && start < end) return Pass(buffer.AsSpan(offset, count));
            if (isLeft) await inbox.WhenRoomAsync(cancellationToken);
            else if (!await FillAsync(cancellationToken)) return 0;
        }
    }

    public async Task WriteAsync(ReadOnlySequence<byte> buffer, bool isEndOfPacket, CancellationToken cancellationToken)
    {
        await writing.WaitAsync(cancellationToken);
        try
        {
            await inner.WriteAsync(buffer, isEndOfPacket, cancellationToken);
        }
        finally
        {
            writing.Release();
        }
    }

    public void Dispose() => inner.Dispose();

    private int Pass(Span<byte> to)
    {
        var taken = Math.Min(to.Length, Math.Min(passing, end - start));
        buffer.AsSpan(start, taken).CopyTo(to);
        start += taken;
        passing -= taken;
        return taken;
    }

    /// <summary>Handles the whole PUBLISH packets at the start of what was read, and finds out how long the packet behind them is if it is the client's.</summary>
    /// <returns>Whether some may be left because the inbox is full.</returns>
    private bool TakePublishes()
    {
        var isLeft = false;
        while (start < end)
        {
            isLeft = inbox.IsFull;
            if (isLeft) break;
            var rest = buffer.AsSpan(start, end - start);
            var length = MqttPackets.FrameLength(rest, out var header);
            if (length < 0 || length > MqttClientSetup.PacketBytesMax) throw new IOException($"the broker sent a packet of {length} bytes; allowed: {MqttClientSetup.PacketBytesMax}");
            if (length == 0) break;
            if (rest[0] >> 4 != MqttPackets.Publish)
            {
                passing = length;
                break;
            }
            if (length > rest.Length) break;
            Take(rest[0], rest[header..length]);
            start += length;
        }
        inbox.HandOver();
        Acknowledge();
        return isLeft;
    }

    private void Take(byte flags, ReadOnlySpan<byte> body)
    {
        if (!MqttPackets.TryReadPublish(flags, body, out var packet, out var id) || packet.Quality > 1) throw new IOException("the broker sent a PUBLISH that nobody asked for: its quality is 2, or its lengths do not fit");
        inbox.Add(packet);
        if (id == 0) return;
        lock (gate)
        {
            MqttPackets.WritePubAck(acknowledgements.GetSpan(PubAckBytes), id);
            acknowledgements.Advance(PubAckBytes);
        }
    }

    /// <summary>In the background: reading must not wait for a broker that waits for us to read. The broker bounds what is due by our receive maximum.</summary>
    private void Acknowledge()
    {
        lock (gate)
        {
            if (isAcknowledging || acknowledgements.WrittenCount == 0) return;
            isAcknowledging = true;
        }
        _ = AcknowledgeAsync();
    }

    private async Task AcknowledgeAsync()
    {
        try
        {
            while (true)
            {
                lock (gate)
                {
                    isAcknowledging = acknowledgements.WrittenCount > 0;
                    if (!isAcknowledging) return;
                    (acknowledgements, beingWritten) = (beingWritten, acknowledgements);
                }
                await WriteAsync(new ReadOnlySequence<byte>(beingWritten.WrittenMemory), isEndOfPacket: true, CancellationToken.None);
                beingWritten.ResetWrittenCount();
            }
        }
        catch (Exception)
        {
            // The connection is broken: whoever reads from it is told, and the broker sends again what was not acknowledged.
        }
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancel)
    {
        if (start > 0) buffer.AsSpan(start, end - start).CopyTo(buffer);
        (start, end) = (0, end - start);
        if (end == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
        else if (end == 0 && buffer.Length > ReadBytes) buffer = new byte[ReadBytes];
        var read = await inner.ReadAsync(buffer, end, buffer.Length - end, cancel);
        end += read;
        return read > 0;
    }
}

/// <summary>Connects MQTTnet's clients through such channels.</summary>
internal sealed class MqttChannelFactory(MqttInbox inbox) : IMqttClientAdapterFactory
{
    public IMqttChannelAdapter CreateClientAdapter(MqttClientOptions options, MqttPacketInspector packetInspector, IMqttNetLogger logger) =>
        new MqttChannelAdapter(
            new MqttChannel(new MqttTcpChannel(options), inbox), new MqttPacketFormatterAdapter(options.ProtocolVersion, new MqttBufferWriter(options.WriterBufferSize, options.WriterBufferSizeMax)), logger)
        {
            AllowPacketFragmentation = options.AllowPacketFragmentation,
            PacketInspector = packetInspector,
        };
}
