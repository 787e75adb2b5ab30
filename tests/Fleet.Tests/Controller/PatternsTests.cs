using System.Text;
using CsCheck;
using Fleet.Controller.Broker;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

/// <summary>What is packed comes back byte for byte, whatever it is; what differs in figures only shares a pattern.</summary>
public sealed class PatternsTests
{
    private static readonly string[] Pieces = ["{\"a\":", "\"", ",", "1", "-2.5e-7", "1E+9", "--", "e5", "-", "3.14.15", "0a9f", "dev-01", "x_1", " 12 ms, ", "}", "\0", "é", "7"];

    [Test]
    public void Unpack_AnyText_IsWhatWasPacked() => Gen.Int[0, Pieces.Length - 1].Array[0, 12].Select(pieces => Encoding.UTF8.GetBytes(string.Concat(pieces.Select(piece => Pieces[piece])))).List[1, 20].Sample(
        texts =>
        {
            var patterns = new Patterns();
            var kept = texts.ConvertAll(text => patterns.Pack(text, room: 1));
            for (var i = 0; i < texts.Count; i++) Assert.That(patterns.Unpack(kept[i], room: 1), Is.EqualTo(texts[i]));
        },
        iter: 2000, threads: 1);

    [Test]
    public void Unpack_AnyBytes_IsWhatWasPacked() => Gen.Byte.Array[0, 3000].Sample(
        bytes =>
        {
            var patterns = new Patterns();
            Assert.That(patterns.Unpack(patterns.Pack(bytes, room: 0), room: 0), Is.EqualTo(bytes));
        },
        iter: 300, threads: 1);

    [Test]
    public void Pack_TextsThatDifferInFigures_TakesHalfAByteForEachOfTheirCharacters()
    {
        var patterns = new Patterns();
        var kept = Enumerable.Range(0, 1000).Select(i => patterns.Pack(Encoding.UTF8.GetBytes($"{{\"seq\":{i + 1000},\"rtt_s\":0.00{i + 1000},\"hash\":\"9f86d081884c7d65\"}}"), room: 0)).ToList();

        Assert.That(patterns.Count, Is.EqualTo(1));
        Assert.That(kept.Select(bytes => bytes.Length), Is.All.EqualTo(2 + (4 + 1 + 8 + 1) / 2), "the pattern's number, then figures with an end each");
    }

    [Test]
    public void Pack_MorePatternsThanAreKept_KeepsTextsAsTheyAre()
    {
        var patterns = new Patterns();
        var texts = Enumerable.Range(0, Patterns.CountMax + 10).Select(i => Encoding.UTF8.GetBytes($"name-{i}x")).ToList();
        var kept = texts.ConvertAll(text => patterns.Pack(text, room: 0));

        Assert.That(patterns.Count, Is.EqualTo(Patterns.CountMax));
        Assert.That(texts.Zip(kept, (text, packed) => patterns.Unpack(packed, room: 0).SequenceEqual(text)), Is.All.True);
    }
}
