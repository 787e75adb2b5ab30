using System.Text;
using System.Text.Json;
using CsCheck;
using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>The quick writer and reader of messages and the serializer write the same bytes and read the same messages, whatever the numbers.</summary>
public sealed class FlatJsonTests
{
    [Test]
    public void Encode_AnyMessage_IsWhatTheSerializerWrites() => Gen.OneOf(AnyMessage.Info, AnyMessage.Budget, AnyMessage.InferWindow, AnyMessage.Assignment, AnyMessage.Reply, AnyMessage.EdgeLoad, AnyMessage.TailAssignment, AnyMessage.Summary).Sample(
        message => Assert.That(Text(Wire.Encode(message)), Is.EqualTo(Serialized(message))), iter: 2000, threads: 1);

    [TestCase(0.0)]
    [TestCase(-0.0)]
    [TestCase(1e-4)]
    [TestCase(9.99999e-5)]
    [TestCase(1e-5)]
    [TestCase(1.2e-16)]
    [TestCase(5e-324)]
    [TestCase(1e15)]
    [TestCase(999999999999999)]
    [TestCase(1764000000.123)]
    [TestCase(0.1 + 0.2)]
    [TestCase(double.MaxValue)]
    [TestCase(-1.5)]
    [TestCase(4.35)]
    [TestCase(100000.5)]
    public void Encode_Number_IsWhatTheSerializerWrites(double number) => Assert.That(Text(Wire.Encode(Budget(number))), Is.EqualTo(Serialized(Budget(number))));

    /// <summary>Rounded ones, as reports hold, and sums of them, which need all digits, over all magnitudes.</summary>
    [Test]
    public void Encode_AnyNumber_IsWhatTheSerializerWrites() => Gen.Select(Gen.Double[1, 10], Gen.Int[-20, 20], Gen.Int[0, 2]).Sample(
        (mantissa, exponent, kind) =>
        {
            var number = mantissa * Math.Pow(10, exponent);
            number = kind switch { 0 => number, 1 => Quantity.Rounded(number), _ => Math.Round(number, 3) };
            Assert.That(Text(Wire.Encode(Budget(number))), Is.EqualTo(Serialized(Budget(number))));
        },
        iter: 20_000, threads: 1);

    [Test]
    public void Read_AnyMessage_IsWhatTheSerializerReads() => Gen.OneOf(AnyMessage.Info, AnyMessage.Budget, AnyMessage.InferWindow, AnyMessage.Assignment, AnyMessage.Reply, AnyMessage.EdgeLoad, AnyMessage.TailAssignment, AnyMessage.Summary).Sample(
        message => Assert.That(FlatJson.Read(message.GetType(), JsonSerializer.SerializeToUtf8Bytes(message, message.GetType(), Json.Wire)), Is.EqualTo(message).Or.Null),
        iter: 2000, threads: 1);

    /// <summary>The serializer takes several times as long, and gives each message words of its own.</summary>
    [TestCaseSource(nameof(Usual))]
    public void Read_UsualMessage_NeedsNoSerializer(Message message) => Assert.That(FlatJson.Read(message.GetType(), Wire.Encode(message)), Is.EqualTo(message));

    private static readonly Message[] Usual = [Samples.Info, Samples.Budget, Samples.InferWindow, Samples.Assignment, Samples.TailAssignment, Samples.EdgeLoad, Samples.Reply, Samples.Audit, Samples.Command, Samples.Summary];

    [TestCase("""{"seq":1,"sent_unix_s":2,"report_s":3}""", true)]
    [TestCase("""{"report_s":3,"stage_2_s":0.5,"seq":1,"sent_unix_s":2e0,"power_measured":true}""", true, TestName = "another order")]
    [TestCase("""{"seq":1,"from_the_future":{"a":[1,{}]},"sent_unix_s":2,"report_s":3}""", true, TestName = "an unknown key")]
    [TestCase("""{"seq":1,"seq":7,"sent_unix_s":2,"report_s":3}""", true, TestName = "a key twice")]
    [TestCase("""{"seq":1,"sent_unix_s":2}""", false, TestName = "a required key is missing")]
    [TestCase("""{"seq":1.5,"sent_unix_s":2,"report_s":3}""", false, TestName = "no whole number")]
    [TestCase("""{"seq":1,"sent_unix_s":1e999,"report_s":3}""", false, TestName = "no finite number")]
    [TestCase("""{"seq":1,"sent_unix_s":"2","report_s":3}""", false, TestName = "a number in quotes")]
    [TestCase("""{"seq":1,"sent_unix_s":2,"report_s":3,"battery_j":null}""", false, TestName = "null")]
    [TestCase("""{"\u0073eq":1,"sent_unix_s":2,"report_s":3}""", false, TestName = "an escaped key")]
    [TestCase("""{"seq":1,"sent_unix_s":2,"report_s":3}}""", false, TestName = "more than an object")]
    [TestCase("""{"seq":1,"sent_unix_s":2,"report_s":3""", false, TestName = "less than an object")]
    [TestCase("""[1]""", false, TestName = "no object")]
    public void Read_Budget_IsWhatTheSerializerReadsOrLeftToIt(string json, bool isUsual)
    {
        var read = FlatJson.Read(typeof(Budget), Encoding.UTF8.GetBytes(json));
        if (isUsual) Assert.That(read, Is.EqualTo(JsonSerializer.Deserialize<Budget>(json, Json.Wire)));
        else Assert.That(read, Is.Null);
    }

    private static Budget Budget(double number) => new() { Sequence = 1, SentAt = new Seconds(1), ReportPeriod = new Seconds(5), CpuTemperature = new Celsius(number) };

    private static string Serialized(Message message) => Text(JsonSerializer.SerializeToUtf8Bytes(message, message.GetType(), Json.Wire));

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
