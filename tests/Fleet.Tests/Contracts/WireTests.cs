using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>What one process says is what the other reads.</summary>
public sealed class WireTests
{
    private static IReadOnlyList<TopicKind> Kinds => Samples.Kinds;

    private static IEnumerable<TopicKind> JsonKinds => Kinds.Where(kind => Wire.TypeOf(kind) is not null);

    [TestCaseSource(nameof(Kinds))]
    public void Decode_OfEncodedMessage_GivesItBack(TopicKind kind) =>
        AnyMessage.On(kind).Sample(message => IsSame(message, Wire.Decode(Samples.On(kind), Wire.Encode(message), Samples.On(TopicKind.Reply).Path)), iter: 300);

    [TestCaseSource(nameof(Kinds))]
    public void Decode_OfEncodedSample_GivesItBack(TopicKind kind) =>
        Assert.That(IsSame(Samples.Of(kind), Wire.Decode(Samples.On(kind), Wire.Encode(Samples.Of(kind)), Samples.On(TopicKind.Reply).Path)), Is.True);

    [TestCaseSource(nameof(Kinds))]
    public void Length_OfAnyMessage_IsThatOfItsBytes(TopicKind kind) => AnyMessage.On(kind).Sample(message => Wire.Length(message) == Wire.Encode(message).Length, iter: 300);

    [TestCaseSource(nameof(Kinds))]
    public void EncodeShared_OfAnyMessageButAFrame_IsItsBytes(TopicKind kind)
    {
        if (kind is TopicKind.Offload) return;
        AnyMessage.On(kind).Sample(message => Wire.EncodeShared(message).SequenceEqual(Wire.Encode(message)), iter: 300);
    }

    [TestCaseSource(nameof(JsonKinds))]
    public void Encode_Sample_IsFlatWithTheKeysInTheirOrder(TopicKind kind)
    {
        var keys = JsonNode.Parse(Wire.Encode(Samples.Of(kind)))!.AsObject().Select(member => member.Key).ToList();
        Assert.That(keys, Is.SubsetOf(Wire.TypeOf(kind)!.Properties.Select(property => property.Name)));
        Assert.That(keys, Is.EqualTo(Wire.TypeOf(kind)!.Properties.Select(property => property.Name).Where(keys.Contains)));
    }

    [TestCaseSource(nameof(JsonKinds))]
    public void Decode_UnknownKeys_AreIgnoredUnlessAPersonTypedThem(TopicKind kind)
    {
        var payload = JsonNode.Parse(Wire.Encode(Samples.Of(kind)))!.AsObject();
        payload.Insert(0, "of_a_newer_peer", new JsonObject { ["deep"] = new JsonArray(1, "two", null) });
        payload["another"] = null;
        var read = Wire.Decode(Samples.On(kind), Bytes(payload));
        if (kind is not TopicKind.Objective) Assert.That(read, Is.EqualTo(Samples.Of(kind)));
        else Assert.That(read, Is.InstanceOf<Malformed>().With.Property(nameof(Malformed.Reason)).StartsWith("of_a_newer_peer is unknown; allowed: name, joule_weight, "));
    }

    /// <summary>A limit whose unit was forgotten would otherwise be no limit.</summary>
    [Test]
    public void Decode_ObjectiveAsTypedInAViewer_IsReadOverLinesAndRefusedByItsSlip()
    {
        var topic = Samples.On(TopicKind.Objective);
        Assert.That(Wire.Decode(topic, "{\n  \"name\": \"thrift\",\n  \"energy_max_j\": 0.001\n}"u8), Is.EqualTo(new Objective { Name = "thrift", EnergyMax = new Joules(0.001) }));
        Assert.That(Wire.Decode(topic, """{"name":"thrift","energy_max":0.001}"""u8), Is.InstanceOf<Malformed>().With.Property(nameof(Malformed.Reason)).StartsWith("energy_max is unknown; allowed: name, "));
    }

    [Test]
    public void Decode_AssignmentWithRequiredKeysOnly_KeepsEveryDefault()
    {
        var read = Wire.Decode(Samples.On(TopicKind.Desired), """{"version":1,"epoch":2,"model":"m","card_sha256":"c","head":1,"exit_1_threshold":0,"exit_1_temperature":1}"""u8);
        Assert.That(read, Is.EqualTo(new Assignment { Version = 1, Epoch = 2, Model = "m", CardSha256 = "c", Head = 1, Thresholds = new PerExit([0]), Temperatures = new PerExit([1]) }));
        var assignment = (Assignment)read;
        Assert.That((assignment.InputCodec, assignment.FeatureDType, assignment.Deadline, assignment.ReportPeriod, assignment.Transport, assignment.ExitRule),
            Is.EqualTo((FeatureCodec.Raw, FeatureCodec.Int8, new Seconds(0.5), new Seconds(5), "mqtt", ExitRuleKind.MaxProbability)));
    }

    [Test]
    public void Decode_BudgetTailsAndReplyWithRequiredKeysOnly_KeepEveryDefault()
    {
        Assert.That(((Budget)Wire.Decode(Samples.On(TopicKind.Budget), """{"seq":1,"sent_unix_s":2,"report_s":5}"""u8)).ComputeShare, Is.EqualTo(1));
        Assert.That(((Budget)Wire.Decode(Samples.On(TopicKind.Budget), """{"seq":1,"sent_unix_s":2,"report_s":5}"""u8)).Battery, Is.Null);
        var tails = (TailAssignment)Wire.Decode(Samples.On(TopicKind.EdgeDesired), """{"version":1,"epoch":1,"model":"m","card_sha256":"c","tails":""}"""u8);
        Assert.That((tails.Temperature, tails.ReportPeriod), Is.EqualTo((1.0, new Seconds(5))));
        Assert.That(((Reply)Wire.Decode(Samples.On(TopicKind.Reply), """{"request_id":1,"status":"full"}"""u8)).Label, Is.EqualTo(-1));
    }

    [TestCase("init", Presence.Init)]
    [TestCase("ready", Presence.Ready)]
    [TestCase("sleeping", Presence.Sleeping)]
    [TestCase("disconnected", Presence.Disconnected)]
    [TestCase("lost", Presence.Lost)]
    public void Encode_State_IsItsPlainWord(string word, Presence presence) => Assert.That(Encoding.UTF8.GetString(Wire.Encode(new State(presence))), Is.EqualTo(word));

    [Test]
    public void Encode_Command_IsThisText() =>
        Assert.That(Encoding.UTF8.GetString(Wire.Encode(Samples.Command)), Is.EqualTo("""{"command":"measure","status":"init","error":""}"""));

    [Test]
    public void Encode_Reply_IsThisText() => Assert.That(Encoding.UTF8.GetString(Wire.Encode(Samples.Reply)),
        Is.EqualTo("""{"request_id":18446744073709551615,"status":"not-held","label":3,"confidence":0.9,"queue_s":0.001,"compute_s":0.004,"batch":4}"""));

    [Test]
    public void Encode_UnknownQuantity_LeavesTheKeyOut()
    {
        var text = Encoding.UTF8.GetString(Wire.Encode(new Budget { Sequence = 1, SentAt = new Seconds(2), ReportPeriod = new Seconds(5) }));
        Assert.That(text, Is.EqualTo("""{"seq":1,"sent_unix_s":2,"report_s":5,"compute_share_ratio":1,"power_measured":false,"request_rate_hz":0}"""));
    }

    [Test]
    public void RunsAs_SameWorkOfAnotherVersion_IsTrueAndOtherWorkFalse()
    {
        var assignment = Samples.Assignment;
        Assert.That(assignment.RunsAs(assignment with { Version = 99, Epoch = 9, Reason = "x", Error = "y" }), Is.True);
        Assert.That(assignment.RunsAs(assignment with { Thresholds = new PerExit([0.9, 1.4]) }), Is.False);
        Assert.That(Samples.TailAssignment.RunsAs(Samples.TailAssignment with { Version = 99 }), Is.True);
        Assert.That(Samples.TailAssignment.RunsAs(Samples.TailAssignment with { Tails = "1" }), Is.False);
    }

    /// <summary>Whatever is added to an assignment counts, unless it says who decided, when, why, and how it went.</summary>
    [Test]
    public void RunsAs_AnythingElseIsAnother_IsFalse()
    {
        string[] about = [nameof(Assignment.Version), nameof(Assignment.Epoch), nameof(Assignment.ArtifactsUrl), nameof(Assignment.Reason), nameof(Assignment.Error)];
        foreach (var property in typeof(Assignment).GetProperties().Where(property => property.CanWrite))
        {
            var other = Samples.Assignment with { };
            property.SetValue(other, property.GetValue(other) is { } value ? Another(value) : Something(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType));
            Assert.That(Samples.Assignment.RunsAs(other), Is.EqualTo(about.Contains(property.Name)), property.Name);
        }
        // What is unknown becomes known.
        static object Something(Type type) => type == typeof(string) ? "x" : Activator.CreateInstance(type)!;
        static object Another(object value) => value switch
        {
            long number => number + 1,
            Joules energy => energy + new Joules(1),
            int number => number + 1,
            double number => number + 0.25,
            string text => text + "x",
            Seconds time => time * 2,
            PerExit { Count: 0 } => new PerExit([0.5]),
            PerExit values => new PerExit([.. values.Select(each => each + 0.125)]),
            FeatureCodec codec => codec is FeatureCodec.Raw ? FeatureCodec.Png : FeatureCodec.Raw,
            Enum kind => Enum.ToObject(kind.GetType(), 99),
            _ => throw new InvalidOperationException($"another {value.GetType().Name}?"),
        };
    }

    [Test]
    public void TypeOf_EveryKind_IsTheTypeOfItsMessage()
    {
        foreach (var kind in JsonKinds) Assert.That(Wire.TypeOf(kind)!.Type, Is.EqualTo(Samples.Of(kind).GetType()), kind.ToString());
        Assert.That(Kinds.Except(JsonKinds), Is.EquivalentTo([TopicKind.State, TopicKind.EdgeState, TopicKind.GatewayState, TopicKind.ControllerState, TopicKind.Offload]));
    }

    internal static bool IsSame(Message a, Message b) => a is TensorFrame frame
        ? b is TensorFrame other && frame.Payload.Span.SequenceEqual(other.Payload.Span) && frame.Shape.SequenceEqual(other.Shape) && frame == other with { Payload = frame.Payload, Shape = frame.Shape }
        : a == b;

    private static byte[] Bytes(JsonNode node) => Encoding.UTF8.GetBytes(node.ToJsonString());
}
