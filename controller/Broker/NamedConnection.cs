using System.Net;
using System.Security.Cryptography.X509Certificates;
using MQTTnet.Adapter;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Fleet.Controller.Broker;

/// <summary>
/// Gives a client that comes without an id one. MQTT 3.1.1 allows that for a clean session (section 3.1.3.1) and mosquitto_sub does
/// it, but MQTTnet refuses it unless the client speaks MQTT 5. And keeps the client's will, which MQTTnet would publish without its delay.
/// </summary>
internal sealed class NamedConnection(IMqttChannelAdapter inner) : IMqttChannelAdapter
{
    private static long last;

    /// <summary>What the client wants said when it goes without a word; null when it has none, or said goodbye.</summary>
    public Will? Will { get; private set; }

    public bool CleanStart { get; private set; }

    public long BytesReceived => inner.BytesReceived;

    public long BytesSent => inner.BytesSent;

    public X509Certificate2 ClientCertificate => inner.ClientCertificate;

    public EndPoint RemoteEndPoint => inner.RemoteEndPoint;

    public EndPoint LocalEndPoint => inner.LocalEndPoint;

    public bool IsSecureConnection => inner.IsSecureConnection;

    public MqttPacketFormatterAdapter PacketFormatterAdapter => inner.PacketFormatterAdapter;

    /// <param name="handler">Completes when the connection is over, however it ended.</param>
    /// <param name="ended">Told after that.</param>
    public static Func<IMqttChannelAdapter, Task> Around(Func<IMqttChannelAdapter, Task> handler, Action<NamedConnection> ended) => async connection =>
    {
        var named = new NamedConnection(connection);
        try
        {
            await handler(named);
        }
        finally
        {
            ended(named);
        }
    };

    public Task ConnectAsync(CancellationToken cancellationToken) => inner.ConnectAsync(cancellationToken);

    public Task DisconnectAsync(CancellationToken cancellationToken) => inner.DisconnectAsync(cancellationToken);

    public async Task<MqttPacket> ReceivePacketAsync(CancellationToken cancellationToken)
    {
        var packet = await inner.ReceivePacketAsync(cancellationToken);
        if (packet is MqttConnectPacket connect) Note(connect);
        else if (packet is MqttDisconnectPacket { ReasonCode: not MqttDisconnectReasonCode.DisconnectWithWillMessage }) Will = null;
        return packet;
    }

    private void Note(MqttConnectPacket connect)
    {
        CleanStart = connect.CleanSession;
        if (connect.CleanSession && string.IsNullOrEmpty(connect.ClientId) && PacketFormatterAdapter.ProtocolVersion < MqttProtocolVersion.V500)
            connect.ClientId = $"anonymous-{PacketFormatterAdapter.ProtocolVersion}-{Interlocked.Increment(ref last)}";
        if (!connect.WillFlag) return;
        Will = Broker.Will.Of(connect);
        connect.WillFlag = false;
    }

    public void ResetStatistics() => inner.ResetStatistics();

    public Task SendPacketAsync(MqttPacket packet, CancellationToken cancellationToken) => inner.SendPacketAsync(packet, cancellationToken);

    public void Dispose() => inner.Dispose();
}
