using System.Buffers;
using System.Text;
using CsCheck;
using Fleet.Contracts;
using Fleet.Controller.Broker;
using MQTTnet;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

/// <summary>The tree of retained messages holds what a plain dictionary would, and finds what the filters' definition says.</summary>
public sealed class RetainedStoreTests
{
    private static readonly string[] Filters = ["#", "+", "a/#", "+/#", "a/+", "+/+", "a/b", "a", "/#", "/+", "+/b/+", "a/+/b", "$s/#", "$s/a", "a/b/c/#"];
    private static readonly string[] Levels = ["a", "b", "c", "", "$s", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9"];
    private static readonly Gen<string> Topic = Gen.Int[0, Levels.Length - 1].Array[1, 4].Select(levels => string.Join('/', levels.Select(level => Levels[level]))).Where(topic => topic.Length > 0);

    [Test]
    public void Matching_AfterAnyChanges_IsWhatEachTopicSays() => Gen.Select(Topic, Gen.Int[0, 3]).List[0, 60].Sample(
        changes =>
        {
            var store = new RetainedStore(1000, TimeProvider.System);
            var plain = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var (topic, said) in changes)
            {
                if (said == 0) Assert.That(store.Remove(topic), Is.EqualTo(plain.Remove(topic)));
                else Assert.That(store.TryPut(Message(topic, plain[topic] = $"said {said}")), Is.True);
            }
            Assert.That(store.Count, Is.EqualTo(plain.Count));
            foreach (var filter in Filters)
                Assert.That(store.Matching(filter), Is.EquivalentTo(plain.Keys.Where(topic => (filter[0] == '$' || topic[0] != '$') && TopicFilter.Matches(filter, topic))), filter);
            foreach (var (topic, text) in plain) Assert.That(Encoding.UTF8.GetString(store.Find(topic)!.Payload.ToArray()), Is.EqualTo(text));
        },
        iter: 500, threads: 1);

    [Test]
    public void TryPut_OneTopicTooMany_IsRefusedButKnownOnesChange()
    {
        var store = new RetainedStore(2, TimeProvider.System);
        Assert.That(store.TryPut(Message("a/1", "x")) && store.TryPut(Message("a/2", "x")), Is.True);
        Assert.That(store.TryPut(Message("a/3", "x")), Is.False);
        Assert.That(store.TryPut(Message("a/2", "y")), Is.True);
        Assert.That(store.Find("a/3"), Is.Null);
        Assert.That(store.Count, Is.EqualTo(2));
    }

    [Test]
    public void Find_MessageWithMoreThanAPayload_GivesAllOfIt()
    {
        var store = new RetainedStore(2, TimeProvider.System);
        store.TryPut(new MqttApplicationMessage { Topic = "a", Payload = Bytes("x"), ContentType = "text/plain", CorrelationData = [1, 2], MessageExpiryInterval = 60 });

        Assert.That(store.Find("a"), Has.Property("ContentType").EqualTo("text/plain").And.Property("CorrelationData").EqualTo(new byte[] { 1, 2 }));
        Assert.That(store.TimeLeft("a"), Is.InRange(1, 60));
    }

    private static MqttApplicationMessage Message(string topic, string text) => new() { Topic = topic, Payload = Bytes(text), Retain = true };

    private static ReadOnlySequence<byte> Bytes(string text) => new(Encoding.UTF8.GetBytes(text));
}
