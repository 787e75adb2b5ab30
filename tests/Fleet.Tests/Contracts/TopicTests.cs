using System.Text;
using CsCheck;
using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>Paths of the protocol are read back as what they were made from; everything else is refused.</summary>
public sealed class TopicTests
{
    private static readonly Gen<string> AnyName = Gen.Select(Gen.Char["abcxyz0189"], Gen.String[Gen.Char["abz019-"], 0, Name.LengthMax - 1], (first, rest) => first + rest);
    private static readonly TopicKind[] Kinds = Enum.GetValues<TopicKind>();
    private static readonly string[] Hostile =
    [
        "", "/", "//", "///", "////", "/////", "fleet", "fleet/v1", "fleet/v1/site", "fleet/v1/site/", "fleet/v1/site/dev", "fleet/v1/site/dev/", "/fleet/v1/site/dev/state",
        "fleet/v1//dev/state", "fleet/v1/site//state", "fleet/v1/site//cmd/x", "fleet/v1/site/dev/cmd/", "fleet/v1/site/dev/cmd", "fleet/v1/site/_edge//state", "fleet-data/v1/site//reply",
        "fleet-data/v1/site/_edge//offload", "fleet/v1//_summary", "fleet/v1/site/_gateway//state",
        "Fleet/v1/site/dev/state", "fleet/V1/site/dev/state", "fleet/v1/Site/dev/state", "fleet/v1/site/Dev/state", "fleet/v1/site/dev/State", "fleet/v1/site/_Edge/e/state",
        "fleet/v2/site/dev/state", "fleet/v1/site/dev/state/", "fleet/v1/site/dev/state/x", "fleet/v1/site/dev/cmd/x/y", "fleet/v1/site/a/b/c/d/e/f/g/h/i",
        "fleet/v1/+/dev/state", "fleet/v1/site/+/state", "fleet/v1/site/dev/+", "fleet/v1/site/#", "#", "+", "fleet/#", "fleet/v1/site/dev#/state", "fleet/v1/site/dev/cmd/+",
        "fleet/v1/site/dev\0/state", "fleet/v1/site\0/dev/state", "fleet/v1/site/dev/state\0", "fleet/v1/site/d\u00e9v/state", "fleet/v1/site/dev ice/state", "fleet/v1/site/dev\n/state",
        "fleet/v1/site/-dev/state", "fleet/v1/-site/dev/state", "fleet/v1/site/_dev/state", "fleet/v1/site/_edge/state", "fleet/v1/site/_edge/cmd/x", "fleet/v1/site/_gateway/g/info",
        "fleet/v1/site/{id}/state", "fleet/v1/{site}/dev/state", "fleet/v1/site/_summary/state", "fleet/v1/site/_edge/e/budget", "fleet/v1/site/dev/load", "fleet/v1/site/dev/offload",
        "fleet/v1/site/dev/reply", "fleet-data/v1/site/dev/state", "fleet-data/v1/site/dev/offload", "fleet-data/v1/site/_edge/reply", "fleet/v1/site/_controller/info", "fleet/v1/site/_controller/e/state", "$SYS/broker/load", "$share/g/fleet/v1/site/dev/state",
    ];

    [Test]
    public void TryParse_EveryKindWithAnyNames_RoundTrips() => Gen.Select(Gen.Int[0, Kinds.Length - 1], AnyName, AnyName, AnyName).Sample((kind, site, id, command) =>
    {
        var pattern = TopicRule.Of(Kinds[kind]).Pattern;
        var topic = new Topic(Kinds[kind], site, pattern.Contains("{id}", StringComparison.Ordinal) ? id : "", pattern.Contains("{command}", StringComparison.Ordinal) ? command : "");
        return Topic.TryParse(topic.Path, out var read) && read == topic && read.Path.Count(c => c == '/') <= 7 && read.Rule.Kind == read.Kind;
    }, iter: 2000);

    [Test]
    public void WritePath_AnyTopic_IsReadAsTheSame() => Gen.Select(Gen.Int[0, Kinds.Length - 1], AnyName, AnyName, AnyName).Sample((kind, site, id, command) =>
    {
        var topic = new Topic(Kinds[kind], site, id, command);
        Span<byte> path = stackalloc byte[300];
        path = path[..topic.WritePath(path)];
        Assert.That(Encoding.ASCII.GetString(path), Is.EqualTo(topic.Path));
        Assert.That(Topic.TryParse(path, out var read) && read.Path == topic.Path && read.GetHashCode() == (read with { }).GetHashCode(), Is.True);
    }, iter: 500);

    [TestCaseSource(nameof(Hostile))]
    public void TryParse_HostilePath_IsRefused(string path)
    {
        Assert.That(Topic.TryParse(path, out _), Is.False);
        Assert.That(Topic.TryParse(Encoding.UTF8.GetBytes(path), out _), Is.False);
    }

    [Test]
    public void TryParse_VeryLongPath_IsRefused()
    {
        Assert.That(Topic.TryParse(new string('a', 10_000), out _), Is.False);
        Assert.That(Topic.TryParse(new string('/', 10_000), out _), Is.False);
        Assert.That(Topic.TryParse($"fleet/v1/site/{new string('a', 10_000)}/state", out _), Is.False);
        Assert.That(Topic.TryParse($"fleet/v1/site/{new string('a', Name.LengthMax + 1)}/state", out _), Is.False);
        Assert.That(Topic.TryParse($"fleet/v1/site/{new string('a', Name.LengthMax)}/state", out _), Is.True);
    }

    [Test]
    public void TryParse_AnyText_NeverThrowsAndReadsOnlyWhatItWouldWrite()
    {
        var level = Gen.OneOf("fleet", "fleet-data", "v1", "site", "dev", "_edge", "_gateway", "_summary", "_plan", "cmd", "state", "info", "reply", "offload", "", "+", "#", "{id}", "\0");
        Gen.OneOf(Gen.String, level.Array[0, 8].Select(levels => string.Join('/', levels))).Sample(path => !Topic.TryParse(path, out var topic) ? Topic.KindOf(path) is null : topic.Path == path && Topic.KindOf(path) == topic.Kind && new Topic(topic.Kind, topic.Site, topic.Id, topic.CommandId).Path == path, iter: 20_000);
    }

    [Test]
    public void TryParse_OneStrayCharacter_IsRefused() => Gen.Select(Gen.Int[0, Kinds.Length - 1], Gen.Char[" +#\0ABZ_$.~\u00e9\u212a"], Gen.Int[0, 100]).Sample((kind, stray, at) =>
    {
        var path = new Topic(Kinds[kind], "site", "dev", "c1").Path;
        return !Topic.TryParse(path.Insert(at % (path.Length + 1), stray.ToString()), out _);
    }, iter: 5000);

    [Test]
    public void Rules_TableOrder_IsThatOfTheKinds()
    {
        Assert.That(TopicRule.All.Select(rule => rule.Kind), Is.EqualTo(Kinds));
        Assert.That(TopicRule.All.Select(rule => rule.Pattern), Is.Unique);
    }

    [Test]
    public void Rules_EveryPattern_StaysWithinTheProtocol()
    {
        foreach (var rule in TopicRule.All)
        {
            Assert.That(rule.Pattern.Count(c => c == '/'), Is.LessThanOrEqualTo(7), rule.Pattern);
            Assert.That(rule.Pattern, Does.Match("^fleet(-data)?/v1/\\{site\\}/[a-z_{}/]+$"));
            var isData = rule.Kind is TopicKind.Offload or TopicKind.Reply or TopicKind.EdgeReply or TopicKind.Placement or TopicKind.Audit;
            Assert.That(rule.Pattern.StartsWith(TopicRule.DataRoot + "/", StringComparison.Ordinal), Is.EqualTo(isData), rule.Pattern);
            if (isData) Assert.That(rule.Retained, Is.False, rule.Pattern);
            if (rule.Kind is TopicKind.Offload or TopicKind.Reply or TopicKind.EdgeReply) Assert.That(rule.Delivery, Is.EqualTo(Delivery.AtMostOnce));
        }
    }

    [Test]
    public void Filter_OfAKind_MatchesThatKindOnItsSiteAndNoOther()
    {
        foreach (var kind in Kinds)
            foreach (var other in Kinds)
            {
                var filter = Topic.Filter(kind, "site");
                Assert.That(TopicFilter.Matches(filter, new Topic(other, "site", "dev", "c1").Path), Is.EqualTo(kind == other), $"{filter} and {other}");
                Assert.That(TopicFilter.Matches(filter, new Topic(other, "elsewhere", "dev", "c1").Path), Is.False, $"{filter} and {other} elsewhere");
            }
    }

    // MQTT Version 5.0, sections 4.7.1.2, 4.7.1.3 and 4.7.3: the examples, and their neighbours. Names that begin with $ are the broker's business.
    [TestCase("sport/tennis/player1/#", "sport/tennis/player1", true)]
    [TestCase("sport/tennis/player1/#", "sport/tennis/player1/ranking", true)]
    [TestCase("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true)]
    [TestCase("sport/tennis/player1/#", "sport/tennis/player2", false)]
    [TestCase("sport/tennis/player1/#", "sport/tennis/player10", false)]
    [TestCase("sport/#", "sport", true)]
    [TestCase("#", "sport/tennis", true)]
    [TestCase("#", "sport", true)]
    [TestCase("sport/tennis/#", "sport", false)]
    [TestCase("sport/tennis/+", "sport/tennis/player1", true)]
    [TestCase("sport/tennis/+", "sport/tennis/player2", true)]
    [TestCase("sport/tennis/+", "sport/tennis/player1/ranking", false)]
    [TestCase("sport/+", "sport", false)]
    [TestCase("sport/+", "sport/", true)]
    [TestCase("+", "sport", true)]
    [TestCase("+/tennis/#", "sport/tennis", true)]
    [TestCase("+/tennis/#", "sport/tennis/player1", true)]
    [TestCase("+/tennis/#", "sport/golf", false)]
    [TestCase("sport/+/player1", "sport/tennis/player1", true)]
    [TestCase("sport/+/player1", "sport/tennis/player2", false)]
    [TestCase("+/+", "/finance", true)]
    [TestCase("/+", "/finance", true)]
    [TestCase("+", "/finance", false)]
    [TestCase("/finance", "finance", false)]
    [TestCase("ACCOUNTS", "Accounts", false)]
    [TestCase("Accounts payable", "Accounts payable", true)]
    [TestCase("a/b", "a/b", true)]
    [TestCase("a/b", "a/b/", false)]
    [TestCase("a/b/", "a/b", false)]
    [TestCase("a//c", "a//c", true)]
    [TestCase("a/+/c", "a//c", true)]
    public void Matches_SpecificationExample_IsAsSpecified(string filter, string path, bool expected) => Assert.That(TopicFilter.Matches(filter, path), Is.EqualTo(expected));

    [Test]
    public void Matches_AnyFilterMadeFromThePath_Matches()
    {
        var levels = Gen.OneOf("a", "b", "cc", "").Array[1, 6];
        Gen.Select(levels, Gen.Int[0, 63], Gen.Int[0, 6]).Sample((path, plus, hash) =>
        {
            var filter = path.Select((level, i) => (plus >> i & 1) == 1 ? "+" : level).Take(hash);
            if (hash <= path.Length) filter = filter.Append("#");
            return TopicFilter.Matches(string.Join('/', filter), string.Join('/', path));
        }, iter: 5000);
    }

    [TestCase("fleet/v1/a/b/state", true)]
    [TestCase("fleet/v1/+/b/state", false)]
    [TestCase("fleet/#", false)]
    public void IsExact_Filter_IsTrueWithoutWildcards(string filter, bool expected) => Assert.That(TopicFilter.IsExact(filter), Is.EqualTo(expected));

    [TestCase("a", true)]
    [TestCase("0-", true)]
    [TestCase("", false)]
    [TestCase("-a", false)]
    [TestCase("A", false)]
    [TestCase("a_b", false)]
    [TestCase("a/b", false)]
    [TestCase("\u0661", false)]
    public void IsValid_Name_IsLowerCaseLettersDigitsAndDashes(string name, bool expected) => Assert.That(Name.IsValid(name), Is.EqualTo(expected));
}
