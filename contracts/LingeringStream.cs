using System.Net;
using System.Net.Sockets;
using MQTTnet.Channel;

namespace Fleet.Contracts;

/// <summary>
/// A TCP stream whose reader hears many short messages and answers none at once: after a read that brought little, what comes waits for
/// company. Brokers write message by message, and to each such write belongs a reader woken, which costs both sides more than what it brings; while
/// this one waits, Linux is told to wake nobody (SO_RCVLOWAT, socket(7)). Elsewhere it only waits.
/// </summary>
/// <param name="linger">How long what comes waits.</param>
public sealed class LingeringStream(Socket socket, Seconds linger, TimeProvider time) : NetworkStream(socket, ownsSocket: true)
{
    /// <summary>A read that brings as much was worth its cost, and more may wait.</summary>
    private const int EnoughBytes = 8 * 1024;

    /// <summary>Linux takes at most half of the socket's buffer, so that what does not fit still wakes.</summary>
    private const int NobodyIsWoken = int.MaxValue;

    private int lastRead;
    private int wakesFrom = 1; // bytes, as Linux was told

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (lastRead < EnoughBytes)
        {
            WakeFrom(NobodyIsWoken);
            await Task.Delay(linger.Span, time, cancellationToken);
        }
        // What is there is read as it is: only who finds nothing must be woken.
        if (Socket.Available == 0) WakeFrom(1);
        return lastRead = await base.ReadAsync(buffer, cancellationToken);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private void WakeFrom(int bytes)
    {
        if (!OperatingSystem.IsLinux() || bytes == wakesFrom) return;
        wakesFrom = bytes;
        Socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveLowWater, bytes);
    }
}

/// <summary>Gives MQTTnet's clients such streams.</summary>
/// <param name="bufferBytes">Of the socket, each way.</param>
internal sealed class LingeringDial(Seconds linger, int bufferBytes, TimeProvider time) : IMqttClientStreamProvider
{
    public async Task<Stream> ConnectAsync(EndPoint brokerEndPoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, SendBufferSize = bufferBytes, ReceiveBufferSize = bufferBytes };
        try
        {
            await socket.ConnectAsync(brokerEndPoint, cancellationToken);
            return new LingeringStream(socket, linger, time);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
