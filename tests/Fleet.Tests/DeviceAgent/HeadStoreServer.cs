using System.Net;
using Fleet.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Fleet.Tests.DeviceAgent;

/// <summary>A web server of this machine that gives a model's files, and can be told to misbehave.</summary>
internal sealed class HeadStoreServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly TaskCompletionSource hanging = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HeadStoreServer()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        app = builder.Build();
        app.Run(Answer);
    }

    public string Url => app.Urls.Single();

    /// <summary>What is given, by path.</summary>
    public Dictionary<string, byte[]> Bodies { get; } = [];

    /// <summary>Paths asked for, in order.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Whether Content-Length is sent; chunks otherwise.</summary>
    public bool SaysLength { get; set; } = true;

    /// <summary>The path that is never answered.</summary>
    public string Hang { get; set; } = "";

    /// <summary>The path whose answer breaks off half-way.</summary>
    public string BreakOff { get; set; } = "";

    /// <summary>Ends when <see cref="Hang"/> has been asked for.</summary>
    public Task Hanging => hanging.Task;

    public static async Task<HeadStoreServer> Start(HeadStoreModel model)
    {
        var server = new HeadStoreServer();
        server.Serve(model);
        await server.app.StartAsync();
        return server;
    }

    public void Serve(HeadStoreModel model)
    {
        Bodies["/tiny/card.json"] = model.Card;
        foreach (var (file, bytes) in model.Files) Bodies[$"/tiny/{file}"] = bytes;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task Answer(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        Requests.Add(path);
        if (path == Hang)
        {
            hanging.TrySetResult();
            await TimeProvider.System.Sleep(new Seconds(3600), context.RequestAborted);
            return;
        }
        if (!Bodies.TryGetValue(path, out var body))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        if (SaysLength) context.Response.ContentLength = body.Length;
        if (path != BreakOff)
        {
            await context.Response.Body.WriteAsync(body);
            return;
        }
        await context.Response.Body.WriteAsync(body.AsMemory(0, body.Length / 2));
        await context.Response.Body.FlushAsync();
        context.Abort();
    }
}
