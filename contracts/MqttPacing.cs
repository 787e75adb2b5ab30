using System.Net;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Adapter;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Formatter;
using MQTTnet.Implementations;
using MQTTnet.Packets;

namespace Fleet.Contracts;

/// <summary>
/// MQTTnet's client reads its socket into a queue without bound, so waiting in its receive handler holds nobody back.
/// This adapter stops reading while the event loop is behind; TCP then holds the broker back.
/// </summary>
internal sealed class PacedAdapterFactory(MqttBacklog backlog) : IMqttClientAdapterFactory
{
    private static readonly MqttClientAdapterFactory Plain = new();

    public IMqttChannelAdapter CreateClientAdapter(MqttClientOptions options, MqttPacketInspector packetInspector, IMqttNetLogger logger) =>
        new PacedAdapter(Plain.CreateClientAdapter(options, packetInspector, logger), backlog);

    private sealed class PacedAdapter(IMqttChannelAdapter inner, MqttBacklog backlog) : IMqttChannelAdapter
    {
        public long BytesReceived => inner.BytesReceived;

        public long BytesSent => inner.BytesSent;

        public X509Certificate2 ClientCertificate => inner.ClientCertificate;

        public EndPoint RemoteEndPoint => inner.RemoteEndPoint;

        public EndPoint LocalEndPoint => inner.LocalEndPoint;

        public bool IsSecureConnection => inner.IsSecureConnection;

        public MqttPacketFormatterAdapter PacketFormatterAdapter => inner.PacketFormatterAdapter;

        public Task ConnectAsync(CancellationToken cancellationToken) => inner.ConnectAsync(cancellationToken);

        public Task DisconnectAsync(CancellationToken cancellationToken) => inner.DisconnectAsync(cancellationToken);

        public async Task<MqttPacket> ReceivePacketAsync(CancellationToken cancellationToken)
        {
            while (backlog.IsFull) await backlog.WhenRoomAsync().WaitAsync(cancellationToken);
            var packet = await inner.ReceivePacketAsync(cancellationToken);
            // Taken off again when the loop has handled it, or when the handler finds nothing to post.
            if (packet is MqttPublishPacket) backlog.Add();
            return packet;
        }

        public void ResetStatistics() => inner.ResetStatistics();

        public Task SendPacketAsync(MqttPacket packet, CancellationToken cancellationToken) => inner.SendPacketAsync(packet, cancellationToken);

        public void Dispose() => inner.Dispose();
    }
}
