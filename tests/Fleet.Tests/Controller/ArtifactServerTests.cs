using System.Net;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

public sealed class ArtifactServerTests
{
    [Test]
    public async Task Get_EveryFileThatACardNames_IsServedWhole()
    {
        var zoo = ProjectFiles.Find("models/zoo");
        var (models, groups) = (ModelFiles.OpenAll(zoo), GroupFiles.OpenAll(zoo));
        await using var server = await ArtifactServer.Start("127.0.0.1", port: 0, models, groups);
        using var client = new HttpClient();
        var wanted = models.Values.SelectMany(model => model.Card.StoredFiles.Select(file => (model.Card.Name, file.File, file.Sha256)))
            .Concat(groups.Values.SelectMany(group => group.Card.Pieces.Select(piece => (group.Card.Name, piece.File, piece.Sha256))));
        foreach (var (name, file, sha256) in wanted)
            Assert.That(ModelFiles.Sha256(await client.GetByteArrayAsync(Uri(server, $"{name}/{file}"))), Is.EqualTo(sha256), $"{name}/{file}");
    }

    [TestCase("fmnist/test.trace")]
    [TestCase("fmnist/none.onnx")]
    [TestCase("none/card.json")]
    public async Task Get_AnythingElse_IsNotFoundAndSaysWhat(string path)
    {
        var zoo = ProjectFiles.Find("models/zoo");
        await using var server = await ArtifactServer.Start("127.0.0.1", port: 0, ModelFiles.OpenAll(zoo), GroupFiles.OpenAll(zoo));
        using var client = new HttpClient();
        using var answer = await client.GetAsync(Uri(server, path));
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain(path.Split('/')[0]));
    }

    private static Uri Uri(ArtifactServer server, string path) => new($"http://127.0.0.1:{server.Port}/models/{path}");
}
