using System.Security.Cryptography;
using System.Text;
using Fleet.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using MQTTnet;
using MQTTnet.AspNetCore;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using MQTTnet.Server;

namespace Fleet.Controller.Broker;

/// <summary>
/// An MQTT broker in the controller's process: MQTTnet's protocol engine on Kestrel, our own index and retained store behind its
/// interceptors, because its own dispatch visits every session for every message and every retained message for every
/// subscription. Speaks MQTT 3.1.1 and 5. Wills are taken from MQTTnet too, which knows no delay.
/// Not offered: shared subscriptions; sessions that outlive the broker's process (who comes back is told that there is none).
/// </summary>
public sealed class EmbeddedBroker : IAsyncDisposable
{
    private const string IdKey = "fleet.subscription-id";

    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(0.5);

    private readonly BrokerOptions options;
    private readonly TimeProvider time;
    private readonly BrokerTally tally = new();
    private readonly RetainedFile? file;
    private readonly Switchboard board;
    private readonly MqttServer server;
    private readonly MqttConnectionHandler handler = new();
    private readonly WebApplication host;
    private readonly CancellationTokenSource stop = new();
    private readonly Dictionary<string, SessionSubscriber> sessions = new(StringComparer.Ordinal); // by client id, under the board's gate, as the next one
    private readonly Dictionary<string, AwaySession> away = new(StringComparer.Ordinal);
    private readonly Dictionary<NamedConnection, (string ClientId, Seconds Expiry)> accepted = [];
    private readonly Wills wills;
    private readonly List<InProcessBus> buses = [];
    private Task background = Task.CompletedTask;
    private volatile bool stopping;
    private int lastBus;

    private EmbeddedBroker(BrokerOptions options, TimeProvider time)
    {
        (this.options, this.time) = (options, time);
        file = options.StateDirectory.Length > 0 ? RetainedFile.Open(options.StateDirectory, time) : null;
        board = new Switchboard(options, file, tally, time);
        wills = new Wills(time);
        server = new MqttServer(BrokerHost.ServerOptions(options), [handler], new MqttNetNullLogger());
        host = BrokerHost.Listening(options, handler);
        server.ValidatingConnectionAsync += OnConnecting;
        server.ClientConnectedAsync += OnConnected;
        server.ClientDisconnectedAsync += OnDisconnected;
        server.SessionDeletedAsync += OnSessionDeleted;
        server.InterceptingInboundPacketAsync += OnPacket;
        server.InterceptingSubscriptionAsync += OnSubscribe;
        server.InterceptingUnsubscriptionAsync += OnUnsubscribe;
        server.InterceptingPublishAsync += OnPublish;
    }

    /// <summary>The port it listens on, also if any free one was asked for.</summary>
    public int Port { get; private set; }

    public MqttAddress Address => new() { Host = options.Listen, Port = Port, Tls = options.CertificateFile.Length > 0, User = options.User, Password = options.Password };

    public BrokerCounters Counters
    {
        get
        {
            lock (board.Gate)
            {
                return new BrokerCounters(
                    (int)Interlocked.Read(ref tally.Clients), board.SubscriptionCount, board.RetainedCount, Interlocked.Read(ref tally.Received),
                    Interlocked.Read(ref tally.Delivered), Interlocked.Read(ref tally.Dropped), Interlocked.Read(ref tally.Coalesced),
                    Interlocked.Read(ref tally.Refused), Interlocked.Read(ref tally.Pauses), file?.Unsaved ?? 0);
            }
        }
    }

    /// <summary>Why retained messages cannot be written to the state directory at the moment; empty when they can, or when there is none.</summary>
    public string StateFault => file?.Fault ?? "";

    /// <summary>Listens, or throws a <see cref="FaultsException"/> that says why it cannot.</summary>
    public static async Task<EmbeddedBroker> StartAsync(BrokerOptions options, TimeProvider time)
    {
        FaultsException.ThrowIfAny("broker", options.Faults());
        var broker = new EmbeddedBroker(options, time);
        try
        {
#pragma warning disable RS0030 // The process edge: the broker lives on pool threads, and only its in-process buses touch an event loop.
            await Task.Run(broker.ListenAsync);
#pragma warning restore RS0030
            return broker;
        }
        catch (Exception e)
        {
            await broker.DisposeAsync();
            if (e is IOException or System.Net.Sockets.SocketException)
                throw new FaultsException($"broker port {options.Port}", $"cannot listen on {options.Listen}:{options.Port}: {e.GetBaseException().Message}; stop what uses it, choose another port, or 0 for any free one");
            throw;
        }
    }

    /// <summary>A bus for code in this process, on its event loop.</summary>
    public InProcessBus ConnectInProcess(EventLoop loop, int undeliveredMax = 20_000)
    {
        lock (board.Gate)
        {
            // No MQTT client can be called so: U+0000 is forbidden.
            var bus = new InProcessBus($"\0in-process-{++lastBus}", board, loop, undeliveredMax, Forget);
            buses.Add(bus);
            return bus;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (stopping) return;
        // From here on wills are not published: a broker that goes away is not the death of its clients.
        stopping = true;
        InProcessBus[] left;
        lock (board.Gate) left = [.. buses];
        foreach (var bus in left) bus.Dispose();
        if (server.IsStarted) await server.StopAsync(new MqttServerStopOptions());
        await host.DisposeAsync();
        stop.Cancel();
        await background;
        if (file is not null) await file.DisposeAsync();
        server.Dispose();
        stop.Dispose();
    }

    private async Task ListenAsync()
    {
        if (file is not null) board.Load(file.Load());
        file?.StartWriting();
        await server.StartAsync();
        handler.ClientHandler = NamedConnection.Around(handler.ClientHandler, time, options.PendingMax, BrokerHost.PacketBytesMax(options), Take, OnEnded);
        await host.StartAsync();
        var addresses = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Port = new Uri(addresses.First()).Port;
        background = Task.WhenAll(board.FeedAsync(stop.Token), SweepAsync());
    }

    private Task OnConnecting(ValidatingConnectionEventArgs e)
    {
        if (options.User.Length > 0 && !(Same(e.UserName, options.User) & Same(e.Password, options.Password)))
        {
            e.ReasonCode = MqttConnectReasonCode.BadUserNameOrPassword;
            return Task.CompletedTask;
        }
        if (stopping) e.ReasonCode = MqttConnectReasonCode.ServerUnavailable;
        // MQTT 3.1.1 knows no expiry: what is to be kept is kept as long as allowed.
        var asked = e.ProtocolVersion == MQTTnet.Formatter.MqttProtocolVersion.V500 ? new Seconds(e.SessionExpiryInterval) : options.SessionExpiryMax;
        var expiry = Seconds.Min(asked, options.SessionExpiryMax);
        if (string.IsNullOrEmpty(e.ClientId)) e.AssignedClientIdentifier = $"anonymous-{Interlocked.Increment(ref lastBus)}";
        if (stopping || e.ChannelAdapter is not NamedConnection connection) return Task.CompletedTask;
        lock (board.Gate)
        {
            var clientId = string.IsNullOrEmpty(e.ClientId) ? e.AssignedClientIdentifier : e.ClientId;
            accepted[connection] = (clientId, expiry);
            connection.ClientId = clientId;
            if (!connection.CleanStart && Unreleased(clientId) is { } unreleased) connection.Unreleased = unreleased;
            wills.Connected(clientId, connection, expiry);
        }
        return Task.CompletedTask;
    }

    /// <summary>A connection is over, whether its client said so, was cut off, or took its own session over.</summary>
    private void OnEnded(NamedConnection connection)
    {
        Will? will;
        string clientId;
        lock (board.Gate)
        {
            if (!accepted.Remove(connection, out var known)) return;
            clientId = known.ClientId;
            will = wills.Ended(clientId, connection, known.Expiry);
        }
        if (will is not null) Publish(will, clientId);
    }

    private void Publish(Will will, string clientId)
    {
        if (stopping) return;
        Interlocked.Increment(ref tally.Received);
        if (TopicIndex.IsTopic(will.Message.Topic) && Utf8Text.AreAllowed(will.Message)) board.Publish(new Incoming(will.Message), clientId);
        else Interlocked.Increment(ref tally.Refused);
    }

    private Task OnConnected(ClientConnectedEventArgs e)
    {
        Interlocked.Increment(ref tally.Clients);
        lock (board.Gate)
        {
            away.Remove(e.ClientId);
            if (!sessions.TryGetValue(e.ClientId, out var known)) return Task.CompletedTask;
            // A clean start throws the old session away without an event.
            if (known.Items == e.SessionItems) known.GoOnline(wills.ConnectionOf(e.ClientId));
            else Discard(known);
        }
        return Task.CompletedTask;
    }

    private Task OnDisconnected(ClientDisconnectedEventArgs e)
    {
        Interlocked.Decrement(ref tally.Clients);
        lock (board.Gate)
        {
            if (sessions.TryGetValue(e.ClientId, out var known) && known.Items == e.SessionItems) known.GoOffline();
            if (e.DisconnectType is not MqttClientDisconnectType.Takeover && wills.ExpiryOf(e.ClientId) is { Value: > 0 } expiry)
                away[e.ClientId] = new AwaySession(time.GetTimestamp(), expiry, wills.ConnectionOf(e.ClientId)!.Unreleased);
        }
        return Task.CompletedTask;
    }

    private Task OnSessionDeleted(SessionDeletedEventArgs e)
    {
        lock (board.Gate)
            if (sessions.TryGetValue(e.Id, out var known) && known.Items == e.SessionItems) Discard(known);
        return Task.CompletedTask;
    }

    /// <summary>The subscription interceptor is not told the identifier, so it is noted here, a moment before and on the same thread.</summary>
    private static Task OnPacket(InterceptingPacketEventArgs e)
    {
        if (e.Packet is MqttSubscribePacket subscribe) e.SessionItems[IdKey] = subscribe.SubscriptionIdentifier;
        return Task.CompletedTask;
    }

    private Task OnSubscribe(InterceptingSubscriptionEventArgs e)
    {
        e.ProcessSubscription = false;
        var filter = e.TopicFilter;
        if (filter.Topic.StartsWith("$share/", StringComparison.Ordinal))
        {
            e.Response.ReasonCode = MqttSubscribeReasonCode.SharedSubscriptionsNotSupported;
            return Task.CompletedTask;
        }
        if (!TopicIndex.IsValid(filter.Topic))
        {
            e.Response.ReasonCode = MqttSubscribeReasonCode.TopicFilterInvalid;
            return Task.CompletedTask;
        }
        lock (board.Gate)
        {
            var owner = OwnerOf(e);
            if (owner.Subscriptions.Count >= options.SubscriptionsPerClientMax)
            {
                e.Response.ReasonCode = MqttSubscribeReasonCode.QuotaExceeded;
                return Task.CompletedTask;
            }
            var id = e.SessionItems[IdKey] is uint noted ? noted : 0;
            board.Subscribe(
                new Subscription(owner, filter.Topic, filter.QualityOfServiceLevel, filter.NoLocal, filter.RetainAsPublished, id),
                filter.RetainHandling is MqttRetainHandling.SendAtSubscribe, filter.RetainHandling is MqttRetainHandling.SendAtSubscribeIfNewSubscriptionOnly);
        }
        return Task.CompletedTask;
    }

    /// <summary>Must not wait: MQTTnet holds a thread-bound lock around it.</summary>
    private Task OnUnsubscribe(InterceptingUnsubscriptionEventArgs e)
    {
        e.ProcessUnsubscription = false;
        lock (board.Gate)
        {
            var known = sessions.TryGetValue(e.ClientId, out var owner) && owner.Items == e.SessionItems && board.Unsubscribe(owner, e.Topic);
            e.Response.ReasonCode = known ? MqttUnsubscribeReasonCode.Success : MqttUnsubscribeReasonCode.NoSubscriptionExisted;
        }
        return Task.CompletedTask;
    }

    /// <summary>What connections do not take themselves.</summary>
    private async Task OnPublish(InterceptingPublishEventArgs e)
    {
        e.ProcessPublish = false;
        if (e.ApplicationMessage.Topic == NamedConnection.SignOfLife) return;
        e.Response.ReasonCode = await TakeAsync(e.ApplicationMessage, e.ClientId);
    }

    private ValueTask<MqttPubAckReasonCode> Take(NamedConnection connection, MqttPublishPacket publish) => TakeAsync(
        new MqttApplicationMessage
        {
            Topic = publish.Topic,
            Payload = publish.Payload,
            QualityOfServiceLevel = publish.QualityOfServiceLevel,
            Retain = publish.Retain,
            Dup = publish.Dup,
            ContentType = publish.ContentType,
            CorrelationData = publish.CorrelationData,
            ResponseTopic = publish.ResponseTopic,
            MessageExpiryInterval = publish.MessageExpiryInterval,
            PayloadFormatIndicator = publish.PayloadFormatIndicator,
            UserProperties = publish.UserProperties,
        },
        connection.ClientId!);

    private async ValueTask<MqttPubAckReasonCode> TakeAsync(MqttApplicationMessage packet, string clientId)
    {
        if (stopping) return MqttPubAckReasonCode.Success;
        Interlocked.Increment(ref tally.Received);
        if (!TopicIndex.IsTopic(packet.Topic))
        {
            Interlocked.Increment(ref tally.Refused);
            return MqttPubAckReasonCode.TopicNameInvalid;
        }
        if (!Utf8Text.AreAllowed(packet))
        {
            Interlocked.Increment(ref tally.Refused);
            return MqttPubAckReasonCode.UnspecifiedError;
        }
        if (packet.Payload.Length > options.PayloadBytesMax)
        {
            Interlocked.Increment(ref tally.Refused);
            return MqttPubAckReasonCode.QuotaExceeded;
        }
        var message = new Incoming(packet);
        // The controller listens to these; decoding them here keeps the gate short and uses the connections' threads.
        if (buses.Count > 0 && packet.Topic.StartsWith(TopicRule.Root, StringComparison.Ordinal)) _ = message.Decoded;
        if (board.Publish(message, clientId) is not { } behind) return MqttPubAckReasonCode.Success;
        Interlocked.Increment(ref tally.Pauses);
        await behind.CatchUpAsync();
        return MqttPubAckReasonCode.Success;
    }

    private SessionSubscriber OwnerOf(InterceptingSubscriptionEventArgs e)
    {
        if (sessions.TryGetValue(e.ClientId, out var known))
        {
            if (known.Items == e.SessionItems) return known;
            Discard(known);
        }
        return sessions[e.ClientId] = new SessionSubscriber(e.ClientId, e.Session, board, wills.ConnectionOf(e.ClientId));
    }

    /// <summary>Of a session that goes on: its last connection may be gone, or about to be.</summary>
    private HashSet<ushort>? Unreleased(string clientId) =>
        wills.ExpiryOf(clientId) is { Value: > 0 } ? wills.ConnectionOf(clientId)!.Unreleased : away.GetValueOrDefault(clientId)?.Unreleased;

    private void Discard(SessionSubscriber session)
    {
        session.Discard();
        board.UnsubscribeAll(session);
        sessions.Remove(session.ClientId);
    }

    private void Forget(InProcessBus bus)
    {
        lock (board.Gate) buses.Remove(bus);
    }

    /// <summary>MQTTnet keeps sessions for ever; this ends those whose time is over, and publishes the wills that were delayed.</summary>
    private async Task SweepAsync()
    {
        using var ticks = new PeriodicTimer(SweepEvery, time);
        try
        {
            while (await ticks.WaitForNextTickAsync(stop.Token))
            {
                string[] over;
                List<(string ClientId, Will Will)> due;
                lock (board.Gate)
                {
                    board.ForgetExpired();
                    due = wills.Due();
                    over = [.. away.Where(entry => time.GetElapsedTime(entry.Value.Since).TotalSeconds > entry.Value.Expiry.Value).Select(entry => entry.Key)];
                    foreach (var clientId in over) away.Remove(clientId);
                }
                foreach (var (clientId, will) in due) Publish(will, clientId);
                foreach (var clientId in over) await DeleteSessionAsync(clientId);
            }
        }
        catch (OperationCanceledException)
        {
            // The broker stops.
        }
    }

    private async Task DeleteSessionAsync(string clientId)
    {
        try
        {
            await (await server.GetSessionAsync(clientId)).DeleteAsync();
        }
        catch (InvalidOperationException)
        {
            // It was not kept in the first place.
        }
    }

    private static bool Same(string? given, string wanted) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given ?? "")), SHA256.HashData(Encoding.UTF8.GetBytes(wanted)));

    /// <summary>A session whose client is away.</summary>
    /// <param name="Since">Timestamp.</param>
    /// <param name="Unreleased">What came to be published exactly once and is not released.</param>
    private sealed record AwaySession(long Since, Seconds Expiry, HashSet<ushort> Unreleased);
}
