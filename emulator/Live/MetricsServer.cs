using System.Globalization;
using System.Text;
using Fleet.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Fleet.Emulator.Live;

/// <summary>What a run of devices does, in Prometheus' text format (version 0.0.4) at /metrics, on loopback.</summary>
public sealed class MetricsServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private MetricsServer(WebApplication app) => this.app = app;

    public int Port { get; private init; }

    /// <summary>Listens; throws <see cref="FaultsException"/> naming the port when it cannot.</summary>
    /// <param name="text">The figures at the time of asking.</param>
    public static async Task<MetricsServer> StartAsync(int port, Func<string> text)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var app = builder.Build();
        app.MapGet("/metrics", () => Results.Text(text(), "text/plain; version=0.0.4"));
        try
        {
            await app.StartAsync();
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            await app.DisposeAsync();
            throw new FaultsException($"--metrics-port {port}", $"cannot listen on 127.0.0.1:{port}: {e.GetBaseException().Message}; choose another port, or 0 for any free one");
        }
        return new MetricsServer(app) { Port = new Uri(app.Urls.First()).Port };
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    /// <summary>The figures of a bulk run.</summary>
    public static string Text(BulkFleet fleet, Drift drift)
    {
        var text = new StringBuilder();
        void Metric(string name, string type, string help, double value, string labels = "")
        {
            if (help.Length > 0) text.Append(CultureInfo.InvariantCulture, $"# HELP fleet_{name} {help}\n# TYPE fleet_{name} {type}\n");
            text.Append(CultureInfo.InvariantCulture, $"fleet_{name}{labels} {value}\n");
        }
        var tally = fleet.Tally;
        Metric("devices", "gauge", "Emulated devices begun.", fleet.Begun);
        Metric("devices_assigned", "gauge", "Devices that received a desired of their own.", tally.Assigned);
        Metric("devices_ready", "gauge", "Devices with a head in place.", tally.Ready);
        Metric("connections", "gauge", "Connections to the broker.", tally.Connected);
        Metric("messages_published_total", "counter", "Messages put on their way.", tally.Published);
        Metric("messages_acknowledged_total", "counter", "Of these, acknowledged by the broker.", tally.Acknowledged);
        Metric("messages_received_total", "counter", "Messages from the broker.", tally.Received);
        Metric("messages_dropped_total", "counter", "Messages not sent because the queue was full.", tally.Dropped);
        Metric("reports_total", "counter", "Budgets and windows sent.", tally.Reports);
        Metric("inferences_total", "counter", "Inferences answered.", fleet.Answered);
        Metric("drift_timers_seconds", "gauge", "How late timers fire, in virtual time.", drift.Timers.Value);
        Metric("drift_unacknowledged_seconds", "gauge", "Age of the oldest message that the broker has not acknowledged.", drift.Oldest.Value);
        Metric("drift_controller_seconds", "gauge", "By how much the oldest summary of a controller is overdue.", drift.Controller?.Value ?? 0);
        Metric("messages_unacknowledged", "gauge", "At-least-once messages not acknowledged.", drift.Awaiting);
        Metric("messages_unsent", "gauge", "Messages that wait to be sent.", drift.Unsent);
        Metric("speed", "gauge", "Virtual seconds in a real one.", fleet.Speed);
        text.Append("# HELP fleet_acknowledge_seconds From sending to acknowledgement, since the start.\n# TYPE fleet_acknowledge_seconds summary\n");
        foreach (var share in new[] { 0.5, 0.95, 0.99 })
            if (tally.Latency(share) is { } latency) Metric("acknowledge_seconds", "", "", latency.Value, string.Create(CultureInfo.InvariantCulture, $"{{quantile=\"{share}\"}}"));
        Metric("acknowledge_seconds_count", "", "", tally.Acknowledged);
        return text.ToString();
    }
}
