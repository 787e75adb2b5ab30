using System.Text;
using Fleet.Contracts;
using Fleet.Emulator.Live;
using Fleet.Emulator.Recording;
using Fleet.Tests.Controller;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Recording;

public sealed class RecordingTests
{
    private string path = "";

    [SetUp]
    public void CreatePath() => path = Path.GetTempFileName();

    [TearDown]
    public void RemovePath() => File.Delete(path);

    [Test]
    public void Reader_WhatWasWritten_ReadsTheSame()
    {
        Write(1000);
        using var reader = new RecordingReader(path);
        Assert.That(reader.Header.Filters, Is.EqualTo(new[] { "fleet/#" }));
        for (var i = 0; i < 1000; i++)
        {
            Assert.That(reader.TryRead(out var message));
            Assert.That((Text(message.Topic), Text(message.Properties), Text(message.Payload), message.Quality, message.Retain), Is.EqualTo(($"t/{i}", i % 3 == 0 ? "p" : "", new string('x', i), i % 2, i % 5 == 0)));
        }
        Assert.That(reader.TryRead(out _), Is.False);
        Assert.That(reader.Damage, Is.Null);
    }

    [Test]
    public void Reader_FileCutOffAnywhere_ReadsWholeBlocksAndNamesTheOffset()
    {
        Write(2000);
        var whole = File.ReadAllBytes(path);
        foreach (var length in Enumerable.Range(1, 20).Select(i => whole.Length * i / 21).Append(whole.Length - 1))
        {
            File.WriteAllBytes(path, whole[..length]);
            using var reader = new RecordingReader(path);
            var read = 0;
            while (reader.TryRead(out var message)) Assert.That(Text(message.Topic), Is.EqualTo($"t/{read++}"));
            Assert.That(read, length < BlockEnds(whole)[^2] ? Is.LessThan(2000) : Is.EqualTo(2000));
            Assert.That(reader.Damage, Does.Contain("at byte").And.Contain("cut off"));
        }
    }

    [Test]
    public void Reader_FileCutOffBetweenTwoBlocks_SaysThatItHasNoEnd()
    {
        Write(2000);
        var whole = File.ReadAllBytes(path);
        var blocks = BlockEnds(whole);
        Assert.That(blocks, Has.Count.GreaterThan(10));
        Assert.That(blocks[^1], Is.EqualTo(whole.Length));
        foreach (var length in blocks.SkipLast(1))
        {
            File.WriteAllBytes(path, whole[..length]);
            using var reader = new RecordingReader(path);
            while (reader.TryRead(out _))
            {
            }
            Assert.That(reader.Damage, Does.StartWith($"at byte {length}: ").And.Contain("cut off"));
            Assert.That(reader.Messages, length == blocks[^2] ? Is.EqualTo(2000) : Is.LessThan(2000));
        }
    }

    [Test]
    public void Reader_RecordingWithoutAnEnd_IsReadAndKnownNotToSayWhereItEnds()
    {
        Write(2000);
        var whole = File.ReadAllBytes(path);
        whole[7] = 1;
        File.WriteAllBytes(path, whole[..BlockEnds(whole)[^2]]);
        using var reader = new RecordingReader(path);
        while (reader.TryRead(out _))
        {
        }
        Assert.That(reader, Has.Property("KnowsItsEnd").False.And.Property("Damage").Null.And.Property("Messages").EqualTo(2000));
    }

    [Test]
    public void Reader_SomethingBehindTheEnd_NamesTheOffset()
    {
        Write(20);
        var length = new FileInfo(path).Length;
        File.AppendAllText(path, "more");
        using var reader = new RecordingReader(path);
        while (reader.TryRead(out _))
        {
        }
        Assert.That(reader.Damage, Does.StartWith($"at byte {length - 12}: 4 bytes follow"));
        Assert.That(reader.TryRead(out _), Is.False);
    }

    [Test]
    public void Writer_FullDisk_FaultNamesTheFile() =>
        Assert.That(() => new RecordingWriter("/dev/full", Header, TimeProvider.System), Throws.TypeOf<FaultsException>().With.Message.StartsWith("/dev/full: ").And.Message.Contains("No space left"));

    [Test]
    public void Reader_OneByteChanged_StopsThereAndNamesTheOffset()
    {
        Write(2000);
        var whole = File.ReadAllBytes(path);
        var header = 8 + 12 + BitConverter.ToInt32(whole, 8);
        foreach (var at in Enumerable.Range(0, 40).Select(i => header + (whole.Length - header) * i / 40))
        {
            var damaged = (byte[])whole.Clone();
            damaged[at] ^= 0x10;
            File.WriteAllBytes(path, damaged);
            using var reader = new RecordingReader(path);
            var read = 0;
            while (reader.TryRead(out var message)) Assert.That(Text(message.Topic), Is.EqualTo($"t/{read++}"));
            Assert.That(reader.Damage, Does.StartWith("at byte "), $"byte {at} changed");
            Assert.That(int.Parse(reader.Damage!.Split(' ', ':')[2], System.Globalization.CultureInfo.InvariantCulture), Is.LessThanOrEqualTo(at), "its block begins at or before it");
        }
    }

    [Test]
    public void Reader_NoRecording_FaultSaysSo()
    {
        File.WriteAllText(path, "something else altogether");
        Assert.That(() => new RecordingReader(path), Throws.TypeOf<FaultsException>().With.Message.Contains(path).And.Message.Contains("no recording"));
    }

    [Test]
    public void Recorder_ThenReplayer_SaysTheSameAgain() => BrokerFixture.OnLoop(async loop =>
    {
        await using (var broker = await BrokerFixture.StartAsync())
        {
            using var speaker = broker.ConnectInProcess(loop);
            speaker.Publish(BrokerFixture.StateOf("early"), State.Ready);
            await using var recorder = await Recorder.StartAsync(Connection(broker.Port, "recorder"), path, ["fleet/#"], TimeProvider.System, default);
            for (var i = 0; i < 100; i++)
            {
                speaker.Publish(BrokerFixture.StateOf($"dev-{i}"), State.Ready);
                speaker.Publish(BrokerFixture.BudgetOf($"dev-{i}"), BrokerFixture.Budget(i));
            }
            speaker.Publish(new Topic(TopicKind.Desired, "lab", "dev-1"), Fleet.Tests.Contracts.Samples.Assignment);
            for (var i = 0; i < 1000 && recorder.Messages < 202; i++) await TimeProvider.System.Delay(new Seconds(0.01));
            Assert.That(recorder.Messages, Is.EqualTo(202));
        }

        await using var again = await BrokerFixture.StartAsync();
        using var listener = again.ConnectInProcess(loop);
        var inbox = new Inbox();
        listener.Subscribe("fleet/#", inbox.Add);
        using var recording = new RecordingReader(path);
        var figures = await new Replayer(recording, Connection(again.Port, "replayer"), SaidBy.Fleet, 10, new Seconds(30), OnDrift.Stop, TimeProvider.System, _ =>
        {
        }).Run(default);
        await inbox.UntilAsync(201);

        Assert.That(figures, Has.Property("Published").EqualTo(201).And.Property("LeftOut").EqualTo(1).And.Property("Unacknowledged").Zero);
        Assert.That(inbox.All.Select(entry => entry.Topic.Kind).Distinct(), Is.EquivalentTo(new[] { TopicKind.State, TopicKind.Budget }), "what the controller said is left out");
        Assert.That(inbox.Messages.OfType<Budget>().Select(budget => budget.Sequence), Is.EqualTo(Enumerable.Range(0, 100)));
        Assert.That(again.Counters.Retained, Is.EqualTo(201), "retained as it was");
    });

    [Test]
    public void Replayer_BrokerThatStopsReading_StopsAndNamesIt() => BrokerFixture.OnLoop(async _ =>
    {
        Write(200, quality: 1);
        await using var deaf = new Live.DeafBroker();
        using var recording = new RecordingReader(path);
        var figures = await new Replayer(recording, Connection(deaf.Port, "replayer"), SaidBy.All, 1, new Seconds(0.2), OnDrift.Stop, TimeProvider.System, _ =>
        {
        }).Run(default);
        Assert.That(figures.Stopped.Length > 0 ? figures.Stopped : $"unacknowledged {figures.Unacknowledged}", Does.Contain("broker cannot keep up").Or.EqualTo("unacknowledged 200"));
    });

    private static RecordingHeader Header => new() { RecordedAt = new Seconds(1), Broker = "mqtt://here", Filters = ["fleet/#"], Version = "1" };

    /// <summary>Where each block ends, the header's first.</summary>
    private static List<int> BlockEnds(byte[] recording)
    {
        var ends = new List<int>();
        for (var at = 8; at < recording.Length; ends.Add(at)) at += 12 + BitConverter.ToInt32(recording, at);
        return ends;
    }

    private static ConnectionOptions Connection(int port, string id) => new() { Broker = MqttAddress.Loopback(port), ClientId = id };

    private void Write(int messages, int? quality = null)
    {
        using var writer = new RecordingWriter(path, Header, TimeProvider.System);
        for (var i = 0; i < messages; i++) writer.Add(Encoding.UTF8.GetBytes($"t/{i}"), i % 3 == 0 && quality is null ? "p"u8 : [], Encoding.UTF8.GetBytes(new string('x', i)), quality ?? i % 2, i % 5 == 0);
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
