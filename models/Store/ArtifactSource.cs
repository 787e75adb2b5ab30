using System.Net;
using Fleet.Contracts;

namespace Fleet.Models.Store;

/// <summary>Where one model's card and files come from: a folder of this machine, or a web server; either has them under the model's name.</summary>
internal sealed class ArtifactSource
{
    private readonly string root;
    private readonly HttpClient? http;

    private ArtifactSource(string root, HttpClient? http) => (this.root, this.http) = (root, http);

    /// <param name="artifactsUrl">As in <see cref="Assignment.ArtifactsUrl"/>: "" for <paramref name="directory"/>, an absolute path, or a file, http or https URL.</param>
    /// <param name="directory">Models that are at hand, one folder each.</param>
    /// <param name="model">A valid name.</param>
    /// <param name="http">Makes the requests.</param>
    public static ArtifactSource For(string artifactsUrl, string directory, string model, HttpClient http)
    {
        if (artifactsUrl.Length == 0) return new(Path.Combine(directory, model), null);
        if (Path.IsPathRooted(artifactsUrl)) return new(Path.Combine(artifactsUrl, model), null);
        if (Uri.TryCreate(artifactsUrl, UriKind.Absolute, out var url))
        {
            if (url.IsFile) return new(Path.Combine(url.LocalPath, model), null);
            if (url.Scheme is "http" or "https" && url.Query.Length == 0 && url.Fragment.Length == 0) return new($"{url.AbsoluteUri.TrimEnd('/')}/{model}", http);
        }
        throw new FaultsException("artifacts_url", $"is \"{artifactsUrl}\"; allowed: \"\", an absolute path, or a file, http or https URL without query");
    }

    public bool IsRemote => http is not null;

    /// <summary>The file's full path or URL.</summary>
    public string Locate(string file) => http is null ? Path.Combine(root, file) : $"{root}/{file}";

    /// <summary>The file from its beginning, and its length where it is known. The stream is the caller's.</summary>
    public async Task<(Stream Stream, long? Length)> Open(string file, CancellationToken cancel)
    {
        var place = Locate(file);
        if (http is null)
        {
            var stream = new FileStream(place, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: true);
            return (stream, stream.Length);
        }
        var response = await http.GetAsync(new Uri(place), HttpCompletionOption.ResponseHeadersRead, cancel);
        if (response.StatusCode is not HttpStatusCode.OK)
        {
            using (response) throw new FaultsException(place, $"answered {(int)response.StatusCode} ({response.ReasonPhrase}); needed: 200");
        }
        // Closing the stream gives the connection back; the response holds nothing else.
        return (await response.Content.ReadAsStreamAsync(cancel), response.Content.Headers.ContentLength);
    }
}
