using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fleet.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MQTTnet.AspNetCore;
using MQTTnet.Server;

namespace Fleet.Controller.Broker;

/// <summary>How Kestrel and MQTTnet's engine are set up for the broker.</summary>
internal static class BrokerHost
{
    /// <summary>Of all in a packet but its payload, and of what Kestrel may have read beyond a packet.</summary>
    private const int HeadersMax = 1 << 20, ReadAhead = 2 << 20;

    public static long PacketBytesMax(BrokerOptions options) => (long)options.PayloadBytesMax + HeadersMax;

    public static MqttServerOptions ServerOptions(BrokerOptions options) => new()
    {
        EnablePersistentSessions = true,
        // Above our own limits, which are held before a message gets there.
        MaxPendingMessagesPerClient = options.PendingMax + options.OfflineMax + 10_000,
        PendingMessagesOverflowStrategy = MqttPendingMessagesOverflowStrategy.DropNewMessage,
    };

    public static WebApplication Listening(BrokerOptions options, MqttConnectionHandler handler)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(handler);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Parse(options.Listen), options.Port, listen =>
            {
                if (options.CertificateFile.Length > 0) listen.UseHttps(Certificate(options));
                listen.Use(next => connection =>
                {
                    connection.Transport = new Duplex(new BoundedInput(connection.Transport.Input, PacketBytesMax(options) + ReadAhead), connection.Transport.Output);
                    return next(connection);
                });
                listen.UseMqtt();
            });
        });
        return builder.Build();
    }

    private static X509Certificate2 Certificate(BrokerOptions options)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(options.CertificateFile, options.KeyFile.Length > 0 ? options.KeyFile : null);
        }
        catch (CryptographicException e)
        {
            throw new FaultsException($"TLS files {options.CertificateFile} {options.KeyFile}", e.Message);
        }
    }
}
