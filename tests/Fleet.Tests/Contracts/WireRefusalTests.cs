using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>Whatever arrives, on whatever topic, is read or refused with a reason: never thrown at the reader.</summary>
public sealed class WireRefusalTests
{
    private static readonly string ReplyPath = Samples.On(TopicKind.Reply).Path;
    private static readonly string[] HostileValues =
        ["null", "true", "-1", "0", "1e999", "-1e999", "1e-999", "1.5", "99999999999999999999", "\"x\"", "\"\"", "\"\\ud800\"", "{}", "[]", "[1]", "NaN", "Infinity", "\"NaN\"", "1.7", "\"raw, png\"", "99", "{\"a\":{\"b\":[]}}", ""];

    private static IReadOnlyList<TopicKind> Kinds => Samples.Kinds;

    private static IEnumerable<TopicKind> JsonKinds => Kinds.Where(kind => Wire.TypeOf(kind) is not null);

    private static IEnumerable<TestCaseData> Keys =>
        from kind in JsonKinds
        from property in Wire.TypeOf(kind)!.Properties
        where property.Set is not null && kind is not (TopicKind.EdgeInfo or TopicKind.Reported or TopicKind.EdgeReported)
        select new TestCaseData(kind, property.Name);

    [TestCaseSource(nameof(Kinds))]
    public void Decode_RandomBytes_IsReadOrRefused(TopicKind kind) => Gen.Byte.Array[0, 200].Sample(payload => IsSound(kind, payload), iter: 1000);

    [TestCaseSource(nameof(Kinds))]
    public void Decode_MutatedBytes_IsReadOrRefused(TopicKind kind)
    {
        var random = Gen.Select(AnyMessage.On(kind).Select(Wire.Encode), Gen.Select(Gen.Int[0, 4], Gen.Int[0, 100_000], Gen.Int[0, 40], Gen.Byte).Array[1, 4]);
        random.Sample((payload, mutations) => IsSound(kind, mutations.Aggregate(payload, (bytes, m) => Mutated(bytes, m.Item1, m.Item2, m.Item3, m.Item4))), iter: 1000);
    }

    [TestCaseSource(nameof(JsonKinds))]
    public void Decode_MutatedValues_IsReadOrRefused(TopicKind kind)
    {
        var random = Gen.Select(AnyMessage.On(kind).Select(message => Members(Wire.Encode(message))), Gen.Select(Gen.Int[0, 1000], Gen.OneOf(HostileValues)).Array[1, 3]);
        random.Sample((members, mutations) =>
        {
            foreach (var (at, value) in mutations) members[at % members.Count] = (members[at % members.Count].Key, value);
            return IsSound(kind, Json(members));
        }, iter: 1000);
    }

    [TestCaseSource(nameof(Keys))]
    public void Decode_WrongTypedValue_IsRefusedByTheNameOfItsKey(TopicKind kind, string key)
    {
        foreach (var value in (string[])["{}", "[1]", "{\"value\":1}"]) Assert.That(ReasonOf(kind, key, value), Does.Contain(key), value);
    }

    [TestCaseSource(nameof(Keys))]
    public void Decode_NumberThatIsNotFinite_IsRefusedByTheNameOfItsKey(TopicKind kind, string key)
    {
        foreach (var value in (string[])["1e999", "-1e999"]) Assert.That(ReasonOf(kind, key, value), Does.Contain(key), value);
    }

    [TestCaseSource(nameof(Keys))]
    public void Decode_NullForWhatMustBeThere_IsRefusedByTheNameOfItsKey(TopicKind kind, string key)
    {
        var property = Wire.TypeOf(kind)!.Properties.Single(property => property.Name == key);
        var isUnknownAllowed = Nullable.GetUnderlyingType(property.PropertyType) is not null || !property.PropertyType.IsValueType && property.IsSetNullable;
        if (!isUnknownAllowed) Assert.That(ReasonOf(kind, key, "null"), Does.Contain(key));
        else Assert.That(IsSound(kind, Json(With(kind, key, "null"))), Is.True);
    }

    [TestCaseSource(nameof(Keys))]
    public void Decode_MissingRequiredKey_IsRefusedByItsName(TopicKind kind, string key)
    {
        if (!Wire.TypeOf(kind)!.Properties.Single(property => property.Name == key).IsRequired) return;
        var read = Wire.Decode(Samples.On(kind), Json(Members(Wire.Encode(Samples.Of(kind))).Where(member => member.Key != key)));
        Assert.That(read, Is.InstanceOf<Malformed>().With.Property(nameof(Malformed.Reason)).Contains($"'{key}'"));
    }

    [TestCase(TopicKind.Budget, "battery_ratio", "1.7", "0 to 1")]
    [TestCase(TopicKind.Budget, "battery_ratio", "-0.1", "0 to 1")]
    [TestCase(TopicKind.Budget, "compute_share_ratio", "2", "0 to 1")]
    [TestCase(TopicKind.Budget, "link_loss_ratio", "1.01", "0 to 1")]
    [TestCase(TopicKind.Desired, "version", "-1", "0 to 9007199254740991")]
    [TestCase(TopicKind.Desired, "epoch", "9223372036854775807", "0 to 9007199254740991")]
    [TestCase(TopicKind.Reported, "version", "-1", "0 to 9007199254740991")]
    [TestCase(TopicKind.Reported, "epoch", "9223372036854775807", "0 to 9007199254740991")]
    [TestCase(TopicKind.EdgeDesired, "version", "-1", "0 to 9007199254740991")]
    [TestCase(TopicKind.EdgeDesired, "epoch", "9223372036854775807", "0 to 9007199254740991")]
    [TestCase(TopicKind.Plan, "version", "-1", "0 to 9007199254740991")]
    [TestCase(TopicKind.Plan, "epoch", "9223372036854775807", "0 to 9007199254740991")]
    [TestCase(TopicKind.Budget, "battery_j", "-1", "0 or more")]
    [TestCase(TopicKind.Budget, "report_s", "-1", "0 or more")]
    [TestCase(TopicKind.Budget, "tx_energy_j_per_byte", "-1", "0 or more")]
    [TestCase(TopicKind.Budget, "stage_2_s", "-0.5", "0 or more")]
    [TestCase(TopicKind.Budget, "stage_1_j", "-0.5", "0 or more")]
    [TestCase(TopicKind.Infer, "count", "-1", "0 or more")]
    [TestCase(TopicKind.Infer, "labelled", "11", "0 to count")]
    [TestCase(TopicKind.Infer, "correct", "11", "0 to labelled")]
    [TestCase(TopicKind.Infer, "offloaded", "3", "must equal count")]
    [TestCase(TopicKind.Infer, "offloaded", "-1", "0 or more")]
    [TestCase(TopicKind.Infer, "exit_1", "-1", "0 or more")]
    [TestCase(TopicKind.Infer, "energy_j", "-1", "0 or more")]
    [TestCase(TopicKind.Infer, "latency_p95_s", "-1", "0 or more")]
    [TestCase(TopicKind.Infer, "bytes_sent", "-1", "0 or more")]
    [TestCase(TopicKind.Infer, "confidence_mean", "1.2", "0 to 1")]
    [TestCase(TopicKind.Infer, "audited", "-1", "0 or more")]
    [TestCase(TopicKind.Desired, "head", "0", "1 to 8")]
    [TestCase(TopicKind.Desired, "head", "9", "1 to 8")]
    [TestCase(TopicKind.Desired, "cut", "1", "0 (the input) or head (2)")]
    [TestCase(TopicKind.Desired, "exit_1_threshold", "2.5", "0 (always answers) to 1")]
    [TestCase(TopicKind.Desired, "exit_1_temperature", "0", "above 0 to 100")]
    [TestCase(TopicKind.Desired, "exit_rule", "\"entropy\"", "exit_rule")]
    [TestCase(TopicKind.Desired, "exit_rule", "99", "exit_rule")]
    [TestCase(TopicKind.Desired, "feature_dtype", "\"int4\"", "feature_dtype")]
    [TestCase(TopicKind.Desired, "feature_dtype", "1", "feature_dtype")]
    [TestCase(TopicKind.Desired, "feature_dtype", "\"raw\"", "int8, fp16 or fp32")]
    [TestCase(TopicKind.Desired, "model", "\"../x\"", "lower-case letters")]
    [TestCase(TopicKind.Desired, "offload_to", "\"a/b\"", "lower-case letters")]
    [TestCase(TopicKind.Desired, "transport", "\"http\"", "mqtt")]
    [TestCase(TopicKind.Desired, "feature_dtype", "\"coded\"", "coded with a bottleneck")]
    [TestCase(TopicKind.Desired, "bottleneck", "\"B 1\"", "lower-case letters")]
    [TestCase(TopicKind.EdgeDesired, "bottlenecks", "\"b1,\"", "lower-case letters")]
    [TestCase(TopicKind.EdgeDesired, "bottlenecks", "\"b1,b2,b1\"", "each name stands once")]
    [TestCase(TopicKind.Desired, "deadline_s", "0", "above 0 to 3600")]
    [TestCase(TopicKind.Desired, "report_s", "0.01", "0.1 to 86400")]
    [TestCase(TopicKind.Desired, "budget_s", "4", "report_s (5) to 86400")]
    [TestCase(TopicKind.Budget, "budget_s", "-1", "0 or more")]
    [TestCase(TopicKind.Desired, "audit_ratio", "1.5", "0 to 1")]
    [TestCase(TopicKind.Desired, "charge_reserve_j", "-1", "0 or more")]
    [TestCase(TopicKind.Desired, "charge_band_j", "0", "above 0")]
    [TestCase(TopicKind.Infer, "spared", "-1", "0 or more")]
    [TestCase(TopicKind.Desired, "audit_to", "\"a/b\"", "lower-case letters")]
    [TestCase(TopicKind.Audit, "exit", "9", "0 (the edge server) to 8")]
    [TestCase(TopicKind.Audit, "tail_label", "-1", "0 or more")]
    [TestCase(TopicKind.Audit, "label", "-1", "0 or more, or none")]
    [TestCase(TopicKind.Audit, "drawn_ratio", "0", "above 0 to 1")]
    [TestCase(TopicKind.Audit, "tail_confidence", "1.5", "0 to 1")]
    [TestCase(TopicKind.Audit, "logits", "\"***\"", "base64url")]
    [TestCase(TopicKind.EdgeDesired, "tails", "\"0,x\"", "cut numbers separated by commas")]
    [TestCase(TopicKind.EdgeDesired, "temperature", "0", "above 0 to 100")]
    [TestCase(TopicKind.EdgeLoad, "busy_ratio", "1.5", "0 to 1")]
    [TestCase(TopicKind.EdgeLoad, "rate_hz", "-2", "0 or more")]
    [TestCase(TopicKind.EdgeLoad, "queue", "-2", "0 or more")]
    [TestCase(TopicKind.EdgeLoad, "compute_mean_s", "-2", "0 or more")]
    [TestCase(TopicKind.Info, "memory_bytes", "-2", "0 or more")]
    [TestCase(TopicKind.Command, "status", "\"done\"", "init, executing, successful, failed")]
    [TestCase(TopicKind.Reply, "status", "7", "status")]
    public void Decode_OutOfRange_IsRefusedWithKeyOrAllowedRange(TopicKind kind, string key, string value, string expected)
    {
        var reason = ReasonOf(kind, key, value);
        Assert.That(reason, Does.Contain(expected));
        Assert.That(reason, Does.Contain(key).Or.Contain("allowed").Or.Contain("must equal").Or.Contain("does not exist"));
    }

    [TestCase("1.5", "confidence is 1.5; allowed: 0 to 1")]
    [TestCase("-0.5", "confidence is -0.5; allowed: 0 to 1")]
    public void Decode_AnswerWithImpossibleConfidence_IsRefused(string confidence, string expected)
    {
        var read = Wire.Decode(Samples.On(TopicKind.Reply), Encoding.UTF8.GetBytes($$"""{"request_id":1,"status":"ok","label":1,"confidence":{{confidence}}}"""));
        Assert.That(read, Is.InstanceOf<Malformed>().With.Property(nameof(Malformed.Reason)).EqualTo(expected));
    }

    [TestCaseSource(nameof(Kinds))]
    public void Decode_Oversize_IsRefusedWithTheLimit(TopicKind kind)
    {
        var payload = Wire.Encode(Samples.Of(kind));
        if (kind is TopicKind.Offload)
        {
            Assert.That(Read(kind, new byte[TensorFrame.FrameBytesMax + 1]), Is.InstanceOf<Malformed>().With.Property(nameof(Malformed.Reason)).Contains("16777216"));
            return;
        }
        var padded = payload.Concat(Enumerable.Repeat((byte)' ', Wire.FleetBytesMax + 1 - payload.Length)).ToArray();
        Assert.That(Read(kind, padded), Is.EqualTo(new Malformed("8193 bytes; allowed: 8192", 8193)));
        if (Wire.TypeOf(kind) is not null) Assert.That(Read(kind, padded.AsSpan(0, Wire.FleetBytesMax)), Is.EqualTo(Samples.Of(kind)));
    }

    [TestCaseSource(nameof(Kinds))]
    public void Decode_TruncatedAnywhere_IsRefused(TopicKind kind)
    {
        var payload = Wire.Encode(Samples.Of(kind));
        // Nothing at all takes an objective back.
        if (TopicRule.Of(kind).IsTakenBack) Assert.That(Read(kind, []), Is.EqualTo(Cleared.Payload));
        for (var length = TopicRule.Of(kind).IsTakenBack ? 1 : 0; length < payload.Length; length++)
            Assert.That(Read(kind, payload.AsSpan(0, length)), Is.InstanceOf<Malformed>().With.Property(nameof(Malformed.PayloadBytes)).EqualTo(length), $"{length} bytes");
    }

    [TestCaseSource(nameof(Kinds))]
    public void Decode_PayloadOfEveryOtherKind_IsReadOrRefused(TopicKind kind)
    {
        foreach (var other in Kinds) Assert.That(IsSound(kind, Wire.Encode(Samples.Of(other))), Is.True, other.ToString());
    }

    [TestCaseSource(nameof(Kinds))]
    public void Decode_Garbage_IsRefusedWithAShortReason(TopicKind kind)
    {
        byte[][] garbage = ["null"u8.ToArray(), "[]"u8.ToArray(), "true"u8.ToArray(), "\"ready\""u8.ToArray(), "{"u8.ToArray(), "{}{}"u8.ToArray(), [0xff, 0xfe, 0], new byte[100], "READY"u8.ToArray(),
            Encoding.UTF8.GetBytes(new string('[', 8000)), Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", 1500))), "{\"\\ud800\":1}"u8.ToArray(), [.. "{\"a\":\""u8, 0xc3, 0x28, .. "\"}"u8]];
        foreach (var payload in garbage)
            Assert.That(Read(kind, payload), Is.InstanceOf<Malformed>().With.Property(nameof(Malformed.Reason)).Length.InRange(1, 400), Encoding.Latin1.GetString(payload)[..Math.Min(40, payload.Length)]);
    }

    private static Message Read(TopicKind kind, ReadOnlySpan<byte> payload) => Wire.Decode(Samples.On(kind), payload, ReplyPath);

    /// <summary>Refused with a reason, or read as what the topic carries, in range, and fit to be said again.</summary>
    private static bool IsSound(TopicKind kind, byte[] payload)
    {
        var read = Read(kind, payload);
        if (read is Malformed malformed) return malformed.Reason.Length is > 0 and <= 400 && malformed.PayloadBytes == payload.Length;
        if (read is Cleared) return payload.Length == 0 && TopicRule.Of(kind).IsTakenBack;
        return read.GetType() == Samples.Of(kind).GetType() && !read.Faults().Any() && WireTests.IsSame(read, Read(kind, Wire.Encode(read)));
    }

    private static string ReasonOf(TopicKind kind, string key, string value)
    {
        var read = Read(kind, Json(With(kind, key, value)));
        Assert.That(read, Is.InstanceOf<Malformed>(), $"{key} = {value}");
        return ((Malformed)read).Reason;
    }

    private static List<(string Key, string Value)> With(TopicKind kind, string key, string value)
    {
        var members = Members(Wire.Encode(Samples.Of(kind)));
        members.RemoveAll(member => member.Key == key);
        members.Add((key, value));
        return members;
    }

    private static List<(string Key, string Value)> Members(byte[] payload) => [.. JsonNode.Parse(payload)!.AsObject().Select(member => (member.Key, member.Value!.ToJsonString()))];

    private static byte[] Json(IEnumerable<(string Key, string Value)> members) =>
        Encoding.UTF8.GetBytes("{" + string.Join(",", members.Select(member => $"{JsonSerializer.Serialize(member.Key)}:{member.Value}")) + "}");

    private static byte[] Mutated(byte[] bytes, int how, int at, int length, byte value)
    {
        var from = bytes.Length == 0 ? 0 : at % bytes.Length;
        var to = Math.Min(bytes.Length, from + length);
        return how switch
        {
            0 => [.. bytes[..from], value, .. bytes[Math.Min(bytes.Length, from + 1)..]],
            1 => [.. bytes[..from], .. bytes[to..]],
            2 => [.. bytes[..to], .. bytes[from..]],
            3 => bytes[..from],
            _ => [.. bytes[..from], value, .. bytes[from..]],
        };
    }
}
