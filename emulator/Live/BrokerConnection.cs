using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using MQTTnet.Adapter;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Fleet.Emulator.Live;

/// <summary>Handles a PUBLISH on a network thread; true when it is to be acknowledged.</summary>
public delegate bool InboundHandler(in InboundPublish message);

/// <summary>
/// One MQTT 5 connection for very many messages or very many connections: what is published is encoded once into a ring, goes out in
/// batches, and stays there until the broker has acknowledged it; nothing is allocated for a message. Connects once; whoever owns it
/// makes a new one with the same ring after it is lost. Publishing and flushing from one thread, receiving on network threads.
/// </summary>
public sealed class BrokerConnection : IDisposable
{
    /// <summary>One write: MQTT.md measured batches of this size at 0.1 to 0.3 us a message.</summary>
    private const int WriteBytes = 32 * 1024;

    private readonly ConnectionOptions options;
    private readonly TimeProvider time;
    private readonly PacketRing ring;
    private readonly Lock gate;
    private readonly InboundHandler received;
    private readonly MqttPacketFormatterAdapter formatter = new(MqttProtocolVersion.V500, new MqttBufferWriter(1024, 65535));
    private readonly CancellationTokenSource stop = new();
    private Socket? socket;
    private Stream? stream;
    private byte[] buffer;
    private int filled;
    private int window = 1;
    private bool sending;
    private Task receiving = Task.CompletedTask;

    /// <param name="ring">Packets that outlive the connection; shared under <paramref name="gate"/>.</param>
    /// <param name="received">Called for every PUBLISH, on a network thread.</param>
    public BrokerConnection(ConnectionOptions options, PacketRing ring, Lock gate, TimeProvider time, InboundHandler received)
    {
        (this.options, this.ring, this.gate, this.time, this.received) = (options, ring, gate, time, received);
        buffer = new byte[options.ReceiveBytes];
    }

    /// <summary>Told once, on any thread, when an established connection is over, with the reason.</summary>
    public event Action<string>? Lost;

    /// <summary>Told on a network thread of each acknowledgement and how long it took.</summary>
    public event Action<Seconds>? Acknowledged;

    public bool IsOpen { get; private set; }

    /// <summary>Bytes written and read.</summary>
    public long BytesSent { get; private set; }

    /// <summary>Connects, subscribes to the filters and begins to receive; throws <see cref="FaultsException"/> saying why it cannot.</summary>
    public async Task OpenAsync(IReadOnlyList<MqttTopicFilter> filters, CancellationToken cancel)
    {
        try
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(options.Timeout.Value), time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
            await DialAsync(either.Token);
            await WriteAsync(options.Connect(), either.Token);
            var accepted = (MqttConnAckPacket)await ReadAsync(either.Token);
            if (accepted.ReasonCode is not MqttConnectReasonCode.Success) throw new FaultsException(options.Subject, $"refused: {accepted.ReasonCode} {accepted.ReasonString}".TrimEnd());
            window = accepted.ReceiveMaximum == 0 ? ushort.MaxValue : accepted.ReceiveMaximum;
            ushort id = 0;
            foreach (var batch in filters.Chunk(ConnectionOptions.FiltersAtOnce))
            {
                await WriteAsync(new MqttSubscribePacket { PacketIdentifier = ++id, TopicFilters = [.. batch] }, either.Token);
                await AwaitGrantAsync(id, batch, either.Token);
            }
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException or OperationCanceledException or ObjectDisposedException)
        {
            Close();
            cancel.ThrowIfCancellationRequested();
            throw new FaultsException(options.Subject, e switch { OperationCanceledException => "no answer in time", AuthenticationException tls => MqttClientSetup.Untrusted(tls), _ => e.GetBaseException().Message });
        }
        catch
        {
            Close();
            throw;
        }
        lock (gate)
        {
            ring.Rewind();
            IsOpen = true;
        }
        receiving = ReceiveAsync();
        Flush();
    }

    /// <summary>Sends what waits and may be sent now, in the background; costs next to nothing when there is nothing.</summary>
    public void Flush()
    {
        ReadOnlyMemory<byte> run;
        lock (gate)
        {
            if (sending || !IsOpen || !ring.TryTake(window, WriteBytes, time.GetTimestamp(), out run)) return;
            sending = true;
        }
        _ = SendAsync(run);
    }

    /// <summary>Says goodbye, so that no will is published; then it is over.</summary>
    public async Task CloseAsync()
    {
        try
        {
            if (IsOpen) await WriteAsync(new MqttDisconnectPacket { ReasonCode = MqttDisconnectReasonCode.NormalDisconnection }, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(2), time);
            socket?.Shutdown(SocketShutdown.Send);
        }
        catch (Exception)
        {
            // It is closed anyway.
        }
        Close();
        await receiving;
    }

    /// <summary>Ends without a word, as a device does that loses its power.</summary>
    public void Abort()
    {
        try
        {
            socket?.LingerState = new LingerOption(true, 0);
        }
        catch (ObjectDisposedException)
        {
            // The broker went first.
        }
        Close();
    }

    public void Dispose()
    {
        Close();
        stop.Dispose();
    }

    private async Task DialAsync(CancellationToken cancel)
    {
        var broker = options.Broker;
        socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (options.SendBytes > 0) (socket.SendBufferSize, socket.ReceiveBufferSize) = (options.SendBytes, options.SendBytes);
        if (options.From is { } from) socket.Bind(new IPEndPoint(from, 0));
        await socket.ConnectAsync(broker.Host, broker.Port, cancel);
        stream = options.Linger.Value > 0 ? new LingeringStream(socket, options.Linger, time) : new NetworkStream(socket, ownsSocket: true);
        if (!broker.Tls) return;
        var tls = new SslStream(stream);
        await tls.AuthenticateAsClientAsync(options.TlsOptions(), cancel);
        stream = tls;
    }

    private async Task AwaitGrantAsync(ushort id, MqttTopicFilter[] batch, CancellationToken cancel)
    {
        while (true)
        {
            if (await ReadAsync(cancel) is not MqttSubAckPacket granted || granted.PacketIdentifier != id) continue;
            var refused = granted.ReasonCodes.Zip(batch).Where(pair => pair.First > MqttSubscribeReasonCode.GrantedQoS2).Select(pair => $"{pair.Second.Topic}: {pair.First}").ToList();
            FaultsException.ThrowIfAny(options.Subject, refused.Select(text => "subscription refused: " + text));
            return;
        }
    }

    private async Task WriteAsync(MqttPacket packet, CancellationToken cancel)
    {
        ReadOnlyMemory<byte> bytes;
        lock (gate)
        {
            var encoded = formatter.Encode(packet);
            bytes = encoded.ToArray();
            formatter.Cleanup();
        }
        await stream!.WriteAsync(bytes, cancel);
    }

    /// <summary>The next packet that is none of the frequent ones; those are handled on the way.</summary>
    private async Task<MqttPacket> ReadAsync(CancellationToken cancel)
    {
        while (true)
        {
            while (TryHandle(out var packet, out var taken))
            {
                Drop(taken);
                if (packet is not null) return packet;
            }
            await FillAsync(cancel);
        }
    }

    private async Task ReceiveAsync()
    {
        var reason = "the broker closed the connection";
        try
        {
            while (!stop.IsCancellationRequested)
            {
                if (await ReadAsync(stop.Token) is not MqttDisconnectPacket goodbye) continue;
                reason = goodbye.ReasonCode is MqttDisconnectReasonCode.SessionTakenOver ? "another client took over: two use the same client id" : $"the broker disconnected: {goodbye.ReasonCode}";
                break;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException or FaultsException)
        {
            reason = e is FaultsException ? e.Message : e.GetBaseException().Message;
        }
        End(reason);
    }

    private async ValueTask FillAsync(CancellationToken cancel)
    {
        // Who must handle what comes is behind: TCP then holds the broker back.
        while (options.Backlog is { IsFull: true } backlog) await backlog.WhenRoomAsync().WaitAsync(cancel);
        if (filled == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
        var read = await stream!.ReadAsync(buffer.AsMemory(filled), cancel);
        if (read == 0) throw new IOException("the broker closed the connection");
        filled += read;
    }

    /// <summary>Frames packets from the buffer: how many bytes the frequent ones took, and the first that is none of them.</summary>
    private bool TryHandle(out MqttPacket? packet, out int taken)
    {
        (packet, taken) = (null, 0);
        while (packet is null)
        {
            var rest = buffer.AsSpan(taken, filled - taken);
            var length = MqttPackets.FrameLength(rest, out var header);
            if (length < 0 || length > options.PacketBytesMax) throw new FaultsException(options.Subject, $"sent a packet of {length} bytes; allowed: {options.PacketBytesMax}");
            if (length == 0 || length > rest.Length) break;
            var body = rest[header..length];
            switch (rest[0] >> 4)
            {
                case MqttPackets.Publish:
                    Receive(rest[0], body);
                    break;
                case MqttPackets.PubAck:
                    Acknowledge((ushort)(body[0] << 8 | body[1]));
                    break;
                default:
                    packet = formatter.Decode(new ReceivedMqttPacket(rest[0], new ArraySegment<byte>(buffer, taken + header, length - header), length));
                    break;
            }
            taken += length;
        }
        if (taken > 0) Flush();
        return taken > 0;
    }

    private void Drop(int taken)
    {
        filled -= taken;
        if (filled > 0) Buffer.BlockCopy(buffer, taken, buffer, 0, filled);
    }

    private void Receive(byte flags, ReadOnlySpan<byte> body)
    {
        if (!MqttPackets.TryReadPublish(flags, body, out var message, out var id)) throw new FaultsException(options.Subject, "sent a PUBLISH whose lengths do not fit");
        if (!received(message) || id == 0) return;
        lock (gate)
        {
            if (!ring.TryReserve(4, acknowledged: false, time.GetTimestamp(), out var packet, out _)) return;
            MqttPackets.WritePubAck(packet, id);
        }
    }

    private void Acknowledge(ushort id)
    {
        long sentAt;
        lock (gate)
            if (!ring.TryAcknowledge(id, out sentAt)) return;
        Acknowledged?.Invoke(Seconds.Of(time.GetElapsedTime(sentAt)));
    }

    private async Task SendAsync(ReadOnlyMemory<byte> run)
    {
        try
        {
            while (true)
            {
                await stream!.WriteAsync(run, stop.Token);
                BytesSent += run.Length;
                lock (gate)
                {
                    ring.Written();
                    if (IsOpen && ring.TryTake(window, WriteBytes, time.GetTimestamp(), out run)) continue;
                    sending = false;
                    return;
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            End(e.GetBaseException().Message);
        }
    }

    private void End(string reason)
    {
        var wasOpen = false;
        lock (gate) (wasOpen, IsOpen) = (IsOpen, false);
        Close();
        if (wasOpen) Lost?.Invoke(reason);
    }

    private void Close()
    {
        lock (gate) IsOpen = false;
        if (!stop.IsCancellationRequested) stop.Cancel();
        stream?.Dispose();
        socket?.Dispose();
    }
}

/// <summary>How a <see cref="BrokerConnection"/> connects.</summary>
public sealed record ConnectionOptions
{
    /// <summary>Filters in one SUBSCRIBE packet: about 30 KB.</summary>
    public const int FiltersAtOnce = 500;

    public required MqttAddress Broker { get; init; }

    public required string ClientId { get; init; }

    public MqttTls Tls { get; init; } = new();

    public MqttWill? Will { get; init; }

    /// <summary>The local address to connect from; null leaves it to the system. Many connections from one address to one port find a free port ever more slowly.</summary>
    public IPAddress? From { get; init; }

    /// <summary>First size of the receive buffer, which grows with what comes.</summary>
    public int ReceiveBytes { get; init; } = 64 * 1024;

    /// <summary>Of the socket's buffers; 0 leaves them to the system.</summary>
    public int SendBytes { get; init; }

    /// <summary>After a read what comes waits so long for company: a broker writes its acknowledgements one by one, and a read costs more than what it brings.</summary>
    public Seconds Linger { get; init; }

    /// <summary>What the broker may send unacknowledged.</summary>
    public ushort ReceiveMax { get; init; } = ushort.MaxValue;

    public int PacketBytesMax { get; init; } = TensorFrame.FrameBytesMax + 64 * 1024;

    public Seconds Timeout { get; init; } = new(30);

    /// <summary>Nothing is read while it is full; null: what comes is handled at once.</summary>
    public MqttBacklog? Backlog { get; init; }

    public string Subject => $"broker {Broker}";

    public MqttConnectPacket Connect()
    {
        var connect = new MqttConnectPacket
        {
            ClientId = ClientId,
            CleanSession = true,
            ReceiveMaximum = ReceiveMax,
            MaximumPacketSize = (uint)PacketBytesMax,
            Username = Broker.User.Length > 0 ? Broker.User : null,
            Password = Broker.User.Length > 0 ? System.Text.Encoding.UTF8.GetBytes(Broker.Password) : null,
        };
        if (Will is not { } will) return connect;
        connect.WillFlag = true;
        connect.WillTopic = will.Topic.Path;
        connect.WillMessage = Wire.Encode(will.State);
        connect.WillRetain = will.Topic.Rule.Retained;
        connect.WillQoS = MqttQualityOfServiceLevel.AtLeastOnce;
        return connect;
    }

    public SslClientAuthenticationOptions TlsOptions()
    {
        var options = new SslClientAuthenticationOptions { TargetHost = Broker.Host, CertificateRevocationCheckMode = X509RevocationMode.NoCheck };
#pragma warning disable CA5359 // Asked for by --insecure: for a bench, never for a site.
        if (Tls.AllowUntrusted) options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        if (Tls.CertificateFile.Length > 0) options.ClientCertificates = [X509Certificate2.CreateFromPemFile(Tls.CertificateFile, Tls.KeyFile.Length > 0 ? Tls.KeyFile : null)];
        if (Tls.CaFile.Length == 0) return options;
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(Tls.CaFile);
        options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        options.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        return options;
    }
}
