using System.Net;
using System.Security.Cryptography.X509Certificates;
using MQTTnet.Adapter;
using MQTTnet.Formatter;
using MQTTnet.Packets;

namespace Fleet.Controller.Broker;

/// <summary>
/// Gives a client that comes without an id one. MQTT 3.1.1 allows that for a clean session (section 3.1.3.1) and mosquitto_sub does
/// it, but MQTTnet refuses it unless the client speaks MQTT 5.
/// </summary>
internal sealed class NamedConnection(IMqttChannelAdapter inner) : IMqttChannelAdapter
{
    private static long last;

    public long BytesReceived => inner.BytesReceived;

    public long BytesSent => inner.BytesSent;

    public X509Certificate2 ClientCertificate => inner.ClientCertificate;

    public EndPoint RemoteEndPoint => inner.RemoteEndPoint;

    public EndPoint LocalEndPoint => inner.LocalEndPoint;

    public bool IsSecureConnection => inner.IsSecureConnection;

    public MqttPacketFormatterAdapter PacketFormatterAdapter => inner.PacketFormatterAdapter;

    public static Func<IMqttChannelAdapter, Task> Around(Func<IMqttChannelAdapter, Task> handler) => connection => handler(new NamedConnection(connection));

    public Task ConnectAsync(CancellationToken cancellationToken) => inner.ConnectAsync(cancellationToken);

    public Task DisconnectAsync(CancellationToken cancellationToken) => inner.DisconnectAsync(cancellationToken);

    public async Task<MqttPacket> ReceivePacketAsync(CancellationToken cancellationToken)
    {
        var packet = await inner.ReceivePacketAsync(cancellationToken);
        if (packet is MqttConnectPacket { CleanSession: true } connect && string.IsNullOrEmpty(connect.ClientId) && PacketFormatterAdapter.ProtocolVersion < MqttProtocolVersion.V500)
            connect.ClientId = $"anonymous-{PacketFormatterAdapter.ProtocolVersion}-{Interlocked.Increment(ref last)}";
        return packet;
    }

    public void ResetStatistics() => inner.ResetStatistics();

    public Task SendPacketAsync(MqttPacket packet, CancellationToken cancellationToken) => inner.SendPacketAsync(packet, cancellationToken);

    public void Dispose() => inner.Dispose();
}
