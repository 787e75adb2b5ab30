using Fleet.Contracts;
using Fleet.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Fleet.Controller;

/// <summary>
/// Model files over HTTP: GET /models/NAME/FILE, for the card and the files it names and nothing else. Files are named by their
/// hashes in the card, so whoever fetches them checks them.
/// </summary>
public sealed class ArtifactServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private ArtifactServer(WebApplication app, int port) => (this.app, Port) = (app, port);

    public int Port { get; }

    /// <summary>Listens; throws <see cref="FaultsException"/> naming the port when it cannot.</summary>
    public static async Task<ArtifactServer> Start(string listen, int port, IReadOnlyDictionary<string, ModelFiles> models, IReadOnlyDictionary<string, GroupFiles> groups)
    {
        if (!System.Net.IPAddress.TryParse(listen, out _)) throw new FaultsException("--listen", $"is \"{listen}\"; allowed: an IP address");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://{listen}:{port}");
        var app = builder.Build();
        app.MapGet("/models/{name}/{file}", (string name, string file) => Serve(models, groups, name, file));
        try
        {
            await app.StartAsync();
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
        {
            await app.DisposeAsync();
            throw new FaultsException($"--http-port {port}", $"cannot listen on {listen}:{port}: {e.GetBaseException().Message}; choose another port, or 0 for any free one");
        }
        return new ArtifactServer(app, new Uri(app.Urls.First()).Port);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private static IResult Serve(IReadOnlyDictionary<string, ModelFiles> models, IReadOnlyDictionary<string, GroupFiles> groups, string name, string file)
    {
        if (groups.TryGetValue(name, out var group))
            return file == GroupFiles.CardName || group.Card.Pieces.Any(piece => piece.File == file) ? Whole(group.Directory, file) : Results.NotFound($"{name} has no file \"{file}\"\n");
        if (!models.TryGetValue(name, out var model)) return Results.NotFound($"no model \"{name}\"; there are: {string.Join(", ", models.Keys.Concat(groups.Keys))}\n");
        var isNamed = file == ModelFiles.CardName || model.Card.StoredFiles.Any(stored => stored.File == file);
        return isNamed ? Whole(model.Directory, file) : Results.NotFound($"{name} has no file \"{file}\"\n");
    }

    private static IResult Whole(string directory, string file) => Results.File(Path.Combine(Path.GetFullPath(directory), file), "application/octet-stream");
}
