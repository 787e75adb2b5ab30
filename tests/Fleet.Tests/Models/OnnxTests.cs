using Fleet.Onnx;
using Google.Protobuf;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Reading and building ONNX graphs; no torch here.</summary>
public sealed class OnnxTests
{
    [TestCase("", "no IR version")]
    [TestCase("08 08", "no operator set")]
    [TestCase("08 08 42 02 10 11", "no nodes")]
    [TestCase("3C 68 74 6D 6C 3E", "not an ONNX model")]
    public void Parse_WrongBytes_NamesTheFileAndWhy(string hex, string why) => Assert.That(
        () => OnnxFile.Parse(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), "a.onnx"),
        Throws.TypeOf<InvalidDataException>().With.Message.StartsWith("a.onnx: ").And.Message.Contains(why));

    [Test]
    public void Parse_TruncatedModel_NeverGivesAModelSilently()
    {
        var bytes = Networks.Residual().ToByteArray();
        for (var length = 0; length < bytes.Length; length++)
            Assert.That(() => OnnxFile.Parse(bytes.AsSpan(0, length), "a.onnx"), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void Parse_FieldsUnknownToTheSchema_SurviveRewriting()
    {
        // Field 25 (functions) of ModelProto, which the schema does not list.
        var bytes = Networks.Residual().ToByteArray().Concat(Convert.FromHexString("CA0103010203")).ToArray();
        Assert.That(OnnxFile.Parse(bytes, "a.onnx").ToByteArray(), Is.EqualTo(bytes));
    }

    [Test]
    public void Fold_BatchNormalisation_EqualsTheFormula()
    {
        var norm = new BatchNormalization([2f, -1f], [0.5f, 0.25f], [0.1f, -0.2f], [4f, 0.25f], 1e-5);
        var (weights, bias) = norm.Fold([1f, 2f, 3f, 4f]);
        // With x = (x0, x1): gamma (w x - mean) / sqrt(variance + epsilon) + beta.
        double Expected(int channel, double wx) => norm.Gamma[channel] * (wx - norm.Mean[channel]) / Math.Sqrt(norm.Variance[channel] + 1e-5) + norm.Beta[channel];
        Assert.Multiple(() =>
        {
            Assert.That(weights[0] * 0.3 + weights[1] * 0.7 + bias[0], Is.EqualTo(Expected(0, 0.3 + 2 * 0.7)).Within(1e-6));
            Assert.That(weights[2] * 0.3 + weights[3] * 0.7 + bias[1], Is.EqualTo(Expected(1, 3 * 0.3 + 4 * 0.7)).Within(1e-6));
        });
    }

    [Test]
    public void Build_ValueNobodyMade_IsRefused() =>
        Assert.That(() => new GraphBuilder("g").Relu("ghost", "y"), Throws.ArgumentException.With.Message.Contains("ghost"));
}
