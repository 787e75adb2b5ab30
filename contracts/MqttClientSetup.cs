using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MQTTnet;
using MQTTnet.Channel;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Fleet.Contracts;

/// <summary>From the fleet's words to MQTTnet's.</summary>
public static class MqttClientSetup
{
    /// <summary>A tensor frame, its topic and its properties.</summary>
    public const int PacketBytesMax = TensorFrame.FrameBytesMax + 64 * 1024;

    /// <summary>What MQTTnet is told; unreadable certificate files come as a <see cref="FaultsException"/>.</summary>
    /// <param name="dial">Makes the connection's stream; null leaves that to MQTTnet.</param>
    public static MqttClientOptions ClientOptions(MqttBusOptions options, IMqttClientStreamProvider? dial = null)
    {
        var broker = options.Broker;
        var client = new MqttClientOptions
        {
            ProtocolVersion = MqttProtocolVersion.V500,
            ClientId = options.ClientId,
            CleanSession = options.CleanStart,
            SessionExpiryInterval = (uint)Math.Ceiling(options.SessionExpiry.Value),
            KeepAlivePeriod = TimeSpan.FromSeconds(options.KeepAlive.Value),
            Timeout = TimeSpan.FromSeconds(options.AcknowledgeTimeout.Value),
            // One write for a packet, not one for its header and one for its payload.
            AllowPacketFragmentation = false,
            MaximumPacketSize = PacketBytesMax,
            ReceiveMaximum = (ushort)Math.Min(options.UndeliveredMax, ushort.MaxValue),
            Credentials = broker.User.Length > 0 ? new MqttClientCredentials(broker.User, System.Text.Encoding.UTF8.GetBytes(broker.Password)) : null,
            ChannelOptions = new MqttClientTcpOptions
            {
                RemoteEndpoint = IPAddress.TryParse(broker.Host, out var ip) ? new IPEndPoint(ip, broker.Port) : new DnsEndPoint(broker.Host, broker.Port),
                StreamProvider = dial,
                BufferSize = options.SocketBufferBytes,
                NoDelay = true,
                // MQTTnet's default resets the connection on closing: the DISCONNECT may be lost with it, and then the will is published.
                LingerState = new LingerOption(false, 0),
                TlsOptions = broker.Tls ? TlsOptions(options.Tls, broker.Host) : new MqttClientTlsOptions { UseTls = false },
            },
        };
        if (options.Will is { } will)
        {
            client.WillTopic = will.Topic.Path;
            client.WillPayload = Wire.Encode(will.State);
            client.WillRetain = will.Topic.Rule.Retained;
            client.WillQualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce;
            client.WillDelayInterval = (uint)Math.Ceiling(options.WillDelay.Value);
        }
        return client;
    }

    /// <summary>A message as it goes over the wire: quality and retain flag by the protocol's table, deadlines as message expiry.</summary>
    public static MqttApplicationMessage ApplicationMessage(Topic topic, Message message, Delivery telemetry)
    {
        var rule = topic.Rule;
        var delivery = rule.Kind is TopicKind.Budget or TopicKind.Infer ? telemetry : rule.Delivery;
        var packet = new MqttApplicationMessage
        {
            Topic = topic.Path,
            Payload = new ReadOnlySequence<byte>(Wire.Encode(message)),
            QualityOfServiceLevel = delivery is Delivery.AtLeastOnce ? MqttQualityOfServiceLevel.AtLeastOnce : MqttQualityOfServiceLevel.AtMostOnce,
            Retain = rule.Retained,
        };
        switch (message)
        {
            case TensorFrame frame:
                packet.ResponseTopic = frame.ReplyTo.Path;
                packet.CorrelationData = Correlation(frame.RequestId);
                packet.MessageExpiryInterval = (uint)Math.Clamp(Math.Ceiling(frame.Deadline.Value), 1, uint.MaxValue);
                break;
            case Reply reply:
                packet.CorrelationData = Correlation(reply.RequestId);
                break;
        }
        return packet;
    }

    public static ReadOnlySpan<byte> Contiguous(in ReadOnlySequence<byte> payload) => payload.IsSingleSegment ? payload.FirstSpan : payload.ToArray();

    /// <summary>What a person can do something about, from what MQTTnet threw.</summary>
    internal static string Reason(Exception e)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case SocketException socket: return "not reachable: " + socket.Message;
                case AuthenticationException tls: return Untrusted(tls);
                case OperationCanceledException or MqttCommunicationTimedOutException: return "not reachable: no answer in time";
                case MqttClientUnexpectedDisconnectReceivedException sent: return $"the broker disconnected: {sent.ReasonCode}";
            }
        }
        return "not reachable: " + e.GetBaseException().Message;
    }

    /// <summary>What a broker's certificate must be when it was not trusted.</summary>
    public static string Untrusted(AuthenticationException tls) =>
        $"TLS: {tls.Message} Allowed: a certificate in date, for the name or address that --broker says, of an authority in --ca-file, or of the system's without it";

    internal static string Refusal(MqttClientConnectResult result, MqttBusOptions options)
    {
        var said = string.IsNullOrEmpty(result.ReasonString) ? "" : $" ({result.ReasonString})";
        return result.ResultCode switch
        {
            MqttClientConnectResultCode.BadUserNameOrPassword or MqttClientConnectResultCode.NotAuthorized => options.Broker.User.Length == 0
                ? $"refused: it wants a user and a password{said}"
                : $"refused: wrong password, or user \"{options.Broker.User}\" is not allowed{said}",
            var code => $"refused: {code}{said}",
        };
    }

    private static byte[] Correlation(ulong requestId)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, requestId);
        return bytes;
    }

    private static MqttClientTlsOptions TlsOptions(MqttTls tls, string host)
    {
        var options = new MqttClientTlsOptions { UseTls = true, TargetHost = host, RevocationMode = X509RevocationMode.NoCheck };
        if (tls.AllowUntrusted) options.CertificateValidationHandler = _ => true;
        try
        {
            if (tls.CaFile.Length > 0)
            {
                options.TrustChain = [];
                options.TrustChain.ImportFromPemFile(tls.CaFile);
                if (options.TrustChain.Count == 0) throw new FaultsException(tls.CaFile, "holds no certificate; allowed: PEM");
            }
            if (tls.CertificateFile.Length > 0)
                options.ClientCertificatesProvider = new OneCertificate(X509Certificate2.CreateFromPemFile(tls.CertificateFile, tls.KeyFile.Length > 0 ? tls.KeyFile : null));
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new FaultsException("TLS files", $"{tls.CaFile} {tls.CertificateFile} {tls.KeyFile}: {e.Message}");
        }
        return options;
    }

    private sealed class OneCertificate(X509Certificate2 certificate) : IMqttClientCertificatesProvider
    {
        public X509CertificateCollection GetCertificates() => [certificate];
    }
}
