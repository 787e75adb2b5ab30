using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Fleet.Contracts;
using Fleet.Controller.Broker;
using Fleet.Emulator.Commands;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Commands;

[NonParallelizable]
public sealed class DoctorCommandTests : CommandFixture
{
    private const string Limits = """
        Limit                     Soft Limit           Hard Limit           Units
        Max processes             96365                96365                processes
        Max open files            1024                 524288               files
        Max locked memory         8388608              unlimited            bytes
        """;

    private const string Sockets = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
           0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
           1: 0100007F:075B 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 20 4 30 10 -1
           2: 00000000:075B 00000000:0000 0A 00000000:00000000 00:00000000 00000000   115        0 4713 1 0000000000000000 100 0 0 10 0
        """;

    [TestCase("doctor --no-such", "--no-such")]
    [TestCase("doctor --broker http://localhost", "http")]
    [TestCase("doctor --broker mqtt://localhost:0", "port")]
    public void Doctor_WrongFlags_NameTheCulprit(string line, string culprit)
    {
        var said = Fleet(line.Split(' '));
        Assert.That(said.ExitCode, Is.EqualTo(2), said.Out);
        Assert.That(said.Error, Does.Contain(culprit));
    }

    [Test]
    public void OpenFiles_SampleText_GivesSoftAndHard() => Assert.That(ProcText.OpenFiles(Limits), Is.EqualTo((1024L, 524_288L)));

    [TestCase("Max open files            unlimited            unlimited            files     \n")]
    [TestCase("")]
    [TestCase("Max open files")]
    public void OpenFiles_NoNumber_IsNull(string limits) => Assert.That(ProcText.OpenFiles(limits), Is.EqualTo(((long?)null, (long?)null)));

    [Test]
    public void PortRange_SampleText_GivesBothEnds() => Assert.That(ProcText.PortRange("32768\t60999\n"), Is.EqualTo((32768, 60999)));

    [TestCase("")]
    [TestCase("32768")]
    [TestCase("60999 32768")]
    [TestCase("a b")]
    public void PortRange_AnythingElse_IsNull(string text) => Assert.That(ProcText.PortRange(text), Is.Null);

    [Test]
    public void Memory_SampleText_CountsInKibibytes()
    {
        const string Text = "MemTotal:         441480 kB\nMemFree:           20000 kB\nMemAvailable:     200000 kB\n";
        Assert.That(ProcText.Memory(Text, "MemAvailable"), Is.EqualTo(new Bytes(200_000 * 1024.0)));
        Assert.That(ProcText.Memory(Text, "Mem"), Is.Null);
    }

    [TestCase(1883, "4713", Description = "075B: the connection to it does not count")]
    [TestCase(8080, "4711")]
    [TestCase(1884, null)]
    public void Listener_SampleTable_IsTheSocketThatListens(int port, string? inode) => Assert.That(ProcText.Listener(Sockets, port), Is.EqualTo(inode));

    [Test]
    public void Doctor_Json_IsOneObject()
    {
        var said = Fleet("doctor", "--json");
        using var told = JsonDocument.Parse(said.Out);
        var checks = told.RootElement.GetProperty("checks").EnumerateArray().ToDictionary(check => check.GetProperty("about").GetString()!, check => check.GetProperty("verdict").GetString());
        Assert.That(checks["zoo"], Is.EqualTo("ok"), said.Out);
        Assert.That(checks["ONNX Runtime"], Is.EqualTo("ok"), said.Out);
        Assert.That(said.ExitCode, Is.EqualTo(told.RootElement.GetProperty("failed").GetInt32() == 0 ? 0 : 1));
    }

    [Test]
    public void Doctor_NobodyThere_Fails()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var said = Fleet("doctor", "--broker", $"mqtt://127.0.0.1:{port}");
        Assert.That(said.ExitCode, Is.EqualTo(1), said.Error);
        Assert.That(said.Out, Does.Contain("FAIL").And.Contain("cannot be reached").And.Contain($"{port}"));
    }

    [Test]
    public async Task Doctor_OwnBroker_LosesNothingAndIsLeftClean()
    {
        await using var broker = await EmbeddedBroker.StartAsync(new BrokerOptions { Port = 0 }, TimeProvider.System);
        var before = broker.Counters.Retained;
        var said = Fleet("doctor", "--broker", $"mqtt://127.0.0.1:{broker.Port}");
        Assert.That(said.ExitCode, Is.Zero, said.Out);
        Assert.That(said.Out, Does.Contain("3,000 of 3,000").And.Contain("5,000 of 5,000").And.Not.Contain("cleaning up"));
        Assert.That(broker.Counters.Retained, Is.EqualTo(before));
    }
}
