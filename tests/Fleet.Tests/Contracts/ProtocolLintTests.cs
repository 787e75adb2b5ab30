using System.Text;
using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>The lint passes what the contracts write and finds each breach of the protocol.</summary>
public sealed class ProtocolLintTests
{
    private static IReadOnlyList<TopicKind> Kinds => Samples.Kinds;

    [TestCaseSource(nameof(Kinds))]
    public void Faults_ValidSample_AreNone(TopicKind kind) => Assert.That(ProtocolLint.Faults(Samples.On(kind).Path, Wire.Encode(Samples.Of(kind))), Is.Empty);

    [TestCaseSource(nameof(Kinds))]
    public void Faults_RetainedMessageTakenBack_AreNone(TopicKind kind)
    {
        if (TopicRule.Of(kind).Retained) Assert.That(ProtocolLint.Faults(Samples.On(kind).Path, []), Is.Empty);
        else Assert.That(ProtocolLint.Faults(Samples.On(kind).Path, []), Is.Not.Empty);
    }

    [Test]
    public void Faults_EveryKeyOfEveryMessage_HasAUnitOrIsAKnownCount()
    {
        foreach (var kind in Kinds)
            foreach (var property in Wire.TypeOf(kind)?.Properties ?? [])
            {
                var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
                if (property.Get is null || type == typeof(string) || type == typeof(bool) || type.IsEnum) continue;
                var faults = ProtocolLint.Faults(Samples.On(kind).Path, Encoding.UTF8.GetBytes($$"""{"{{property.Name}}":1}"""));
                Assert.That(faults, Has.None.Contains("without a unit").And.None.Contains("is no key"));
            }
    }

    [TestCase("fleet/v1/lab/pi-01/battery", "50", "no such topic")]
    [TestCase("fleet/v1/lab/Pi-01/state", "ready", "level \"Pi-01\"")]
    [TestCase("fleet/v1/lab/pi_01/state", "ready", "level \"pi_01\"")]
    [TestCase("fleet/v1/lab//state", "ready", "level \"\"")]
    [TestCase("fleet/v1/lab/a/b/c/d/e/f", "1", "8 slashes; allowed: 7")]
    [TestCase("elsewhere", "1", "no such topic")]
    [TestCase("fleet/v1/lab/pi-01/state", "READY", "allowed: init, ready")]
    [TestCase("fleet/v1/lab/pi-01/state", "{\"state\":\"ready\"}", "allowed: init, ready")]
    [TestCase("fleet/v1/lab/pi-01/budget", "ready", "not JSON")]
    [TestCase("fleet/v1/lab/pi-01/budget", "[1,2]", "Array; allowed: a flat JSON object")]
    [TestCase("fleet/v1/lab/pi-01/budget", "{\"seq\":1,\"sent_unix_s\":1,\"report_s\":5,\"stage_1_s\":[0.1]}", "stage_1_s is Array")]
    [TestCase("fleet/v1/lab/pi-01/budget", "{\"seq\":1,\"sent_unix_s\":1,\"report_s\":5,\"battery_j\":{\"value\":1}}", "battery_j is Object")]
    [TestCase("fleet/v1/lab/pi-01/budget", "{\"seq\":1,\"sent_unix_s\":1,\"report_s\":5,\"battery_j\":null}", "battery_j is Null")]
    [TestCase("fleet/v1/lab/pi-01/budget", "{\"seq\":1,\"sent_unix_s\":1,\"report_s\":5,\"battery_j\":1e999}", "battery_j is 1e999; it must be finite")]
    [TestCase("fleet/v1/lab/pi-01/budget", "{\"sent_unix_s\":1,\"seq\":1,\"report_s\":5}", "seq stands after sent_unix_s")]
    [TestCase("fleet/v1/lab/pi-01/budget", "{\"seq\":1,\"seq\":1,\"sent_unix_s\":1,\"report_s\":5}", "seq stands twice")]
    [TestCase("fleet/v1/lab/pi-01/budget", "{\"seq\":1,\"sent_unix_s\":1,\"report_s\":5,\"voltage\":3.7}", "voltage is no key of this message")]
    [TestCase("fleet/v1/lab/pi-01/budget", "{\"seq\":1,\"sent_unix_s\":1,\"report_s\":5,\"voltage\":3.7}", "voltage is a number without a unit")]
    [TestCase("fleet/v1/lab/pi-01/budget", "{\"seq\":1,\"sent_unix_s\":1,\"report_s\":5,\"battery_ratio\":1.7}", "battery_ratio is 1.7; allowed: 0 to 1")]
    [TestCase("fleet/v1/lab/pi-01/budget", "{\"seq\":1,\"sent_unix_s\":1}", "report_s")]
    [TestCase("fleet/v1/lab/pi-01/desired", "{\"Route\":1}", "Route is no key of this message")]
    [TestCase("fleet/v1/lab/pi-01/infer", "", "not JSON")]
    [TestCase("fleet-data/v1/lab/_edge/e/offload", "hello", "a header alone has 56")]
    [TestCase("fleet-data/v1/lab/pi-01/reply", "{\"request_id\":1,\"status\":\"gone\"}", "status")]
    [TestCase("fleet-data/v1/lab/pi-01/reply", "{\"request_id\":\"\\ud800\",\"status\":\"ok\"}", "not JSON")]
    public void Faults_Breach_IsNamedWithItsTopic(string topic, string payload, string expected) =>
        Assert.That(ProtocolLint.Faults(topic, Encoding.UTF8.GetBytes(payload)), Has.Some.Contains(expected).And.All.StartsWith(topic + ": "));

    [Test]
    public void Faults_TensorUnderTheFleetsRoot_IsBinary() =>
        Assert.That(ProtocolLint.Faults("fleet/v1/lab/pi-01/infer", Wire.Encode(Samples.Frame)), Has.Some.Contains("binary; only fleet-data/v1 carries that"));

    [Test]
    public void Faults_TooLong_NamesTheLimit() =>
        Assert.That(ProtocolLint.Faults("fleet/v1/lab/pi-01/reported", Wire.Encode(Samples.Assignment with { Error = new string('e', 9000) })),
            Has.Some.Contains("bytes; allowed: 8192").And.Some.Contains("error has 9000 characters; allowed: 512"));

    [Test]
    public void LineFaults_OfMosquittoSub_AreThoseOfTopicAndPayload()
    {
        Assert.That(ProtocolLint.LineFaults("fleet/v1/lab/pi-01/state " + Convert.ToHexStringLower(Encoding.ASCII.GetBytes("ready"))), Is.Empty);
        Assert.That(ProtocolLint.LineFaults("fleet/v1/lab/pi-01/state "), Is.Empty);
        Assert.That(ProtocolLint.LineFaults("fleet/v1/lab/pi-01/state 00"), Has.Some.Contains("binary"));
        Assert.That(ProtocolLint.LineFaults("nonsense"), Has.Exactly(1).Items);
    }
}
