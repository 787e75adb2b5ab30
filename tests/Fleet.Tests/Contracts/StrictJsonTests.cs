using System.Text;
using System.Text.Json.Serialization;
using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>A file with mistakes is refused whole, every mistake named with where it stands.</summary>
public sealed class StrictJsonTests
{
    private const string Sound = """
        {
          // a comment
          "name": "north", "beds": 3, "codec": "png", "pump_w": 4.5, /* another */
          "plants": [ { "kind": "bean", "rows": [1, 2, ] }, { "kind": "pea", "rows": [] }, ],
        }
        """;

    [Test]
    public void Parse_CommentsAndTrailingCommas_AreAllowed()
    {
        var garden = Parse(Sound);
        Assert.That((garden.Name, garden.Beds, garden.Codec, garden.Pump, garden.Plants.Count), Is.EqualTo(("north", 3, FeatureCodec.Png, (Watts?)new Watts(4.5), 2)));
        Assert.That(garden.Plants[0].Rows, Is.EqualTo(new[] { 1, 2 }));
    }

    [Test]
    public void Parse_KeyLeftOut_KeepsItsDefault()
    {
        var garden = Parse("""{"name":"north","beds":1}""");
        Assert.That((garden.Codec, garden.Pump, garden.Plants.Count), Is.EqualTo((FeatureCodec.Webp, (Watts?)null, 0)));
    }

    [Test]
    public void Parse_FiveDifferentMistakes_GiveFiveFaultsWithTheirPaths()
    {
        var faults = FaultsOf("""
            {
              "name": "north", "beds": "three", "pumps_w": 4.5, "codec": "jpeg",
              "plants": [ { "kind": "bean", "rows": [1, 2.5] }, { "rows": [] } ]
            }
            """);
        Assert.That(faults, Has.Count.EqualTo(5));
        Assert.That(faults, Has.Exactly(1).EqualTo("beds is \"three\"; expected a whole number"));
        Assert.That(faults, Has.Exactly(1).EqualTo("pumps_w is unknown; allowed: name, beds, codec, pump_w, open, plants"));
        Assert.That(faults, Has.Exactly(1).EqualTo("codec is \"jpeg\"; expected one of none, int8, fp16, fp32, raw, png, webp, coded, bits"));
        Assert.That(faults, Has.Exactly(1).EqualTo("plants[0].rows[1] is 2.5; expected a whole number"));
        Assert.That(faults, Has.Exactly(1).EqualTo("plants[1].kind is missing"));
    }

    [Test]
    public void Parse_MistakeAndWhatTheRecordFinds_AreToldTogether() =>
        Assert.That(FaultsOf("""{"name":"north","beds":0,"pump_w":"x"}"""), Is.EqualTo(new[] { "pump_w is \"x\"; expected a number", "beds is 0; at least 1" }));

    [Test]
    public void Parse_RecordFindsFault_IsRefused() => Assert.That(FaultsOf("""{"name":"north","beds":0}"""), Is.EqualTo(new[] { "beds is 0; at least 1" }));

    [Test]
    public void Parse_MissingRequired_NamesEachKeyOnce() => Assert.That(FaultsOf("{}"), Is.EqualTo(new[] { "name is missing", "beds is missing" }));

    [Test]
    public void Parse_RequiredKeyOfTheWrongType_IsToldOnce() => Assert.That(FaultsOf("""{"name":7,"beds":1}"""), Is.EqualTo(new[] { "name is 7; expected a text" }));

    [TestCase("""{"name":"a","name":"b","beds":1}""", "name")]
    [TestCase("""{"name":"a","beds":1,"plants":[{"kind":"x","kind":"y","rows":[]}]}""", "kind")]
    public void Parse_DuplicateKey_IsRefusedByName(string text, string key) => Assert.That(FaultsOf(text), Has.Exactly(1).Contains($"'{key}'"));

    [TestCase("\"beds\":null", "beds is null; expected a whole number")]
    [TestCase("\"beds\":1e999", "beds is 1e999; expected a whole number")]
    [TestCase("\"beds\":99999999999", "beds is 99999999999; expected a whole number")]
    [TestCase("\"beds\":1,\"pump_w\":1e999", "pump_w is 1e999; expected a number")]
    [TestCase("\"beds\":1,\"codec\":3", "codec is 3; expected one of none, int8")]
    [TestCase("\"beds\":1,\"codec\":null", "codec is null; expected one of none, int8")]
    [TestCase("\"beds\":1,\"open\":\"yes\"", "open is \"yes\"; expected true or false")]
    [TestCase("\"beds\":1,\"plants\":{}", "plants is {}; expected a list")]
    [TestCase("\"beds\":1,\"plants\":[7]", "plants[0] is 7; expected an object")]
    [TestCase("\"beds\":1,\"plants\":[null]", "plants[0] is null; expected an object")]
    [TestCase("\"beds\":1,\"Area\":7", "Area is unknown; allowed: name")]
    [TestCase("\"beds\":1,\"Name\":\"x\"", "Name is unknown; allowed: name")]
    public void Parse_OneWrongValue_IsOneFault(string members, string expected) =>
        Assert.That(FaultsOf($$"""{"name":"north",{{members}}}"""), Has.Exactly(1).Items.And.Exactly(1).StartsWith(expected));

    [TestCase("")]
    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("7")]
    [TestCase("{")]
    [TestCase("{} {}")]
    [TestCase("{\"name\":\"\\ud800\",\"beds\":1}")]
    [TestCase("{\"\\ud800\":1,\"name\":\"a\",\"beds\":1}")]
    public void Parse_NoSuchFile_IsRefused(string text) => Assert.That(FaultsOf(text), Has.Exactly(1).Items);

    [Test]
    public void Parse_BytesThatAreNoText_AreRefused() =>
        Assert.That(() => StrictJson.Parse("garden.json", [.. "{\"name\":\""u8, 0xc3, 0x28, .. "\",\"beds\":1}"u8], Json.File.Info<Garden>(), garden => garden.Faults()), Throws.TypeOf<FaultsException>());

    [Test]
    public void Parse_VeryLongWrongValue_IsQuotedShort() => Assert.That(FaultsOf($$"""{"name":"a","beds":"{{new string('x', 5000)}}"}""")[0], Has.Length.LessThan(120));

    [Test]
    public void Read_NoSuchFile_NamesIt()
    {
        var path = Path.Combine(TestContext.CurrentContext.WorkDirectory, "no-such-garden.json");
        Assert.That(() => StrictJson.Read(path, Json.File.Info<Garden>(), garden => garden.Faults()), Throws.TypeOf<FaultsException>().With.Property(nameof(FaultsException.Subject)).EqualTo(path));
    }

    [Test]
    public void Message_OfManyFaults_ListsThemUnderTheSubject()
    {
        var e = Assert.Throws<FaultsException>(() => Parse("{}"))!;
        Assert.That(e.Message, Is.EqualTo("garden.json: 2 faults\n  - name is missing\n  - beds is missing"));
        Assert.That(e.Subject, Is.EqualTo("garden.json"));
    }

    private static Garden Parse(string text) => StrictJson.Parse("garden.json", Encoding.UTF8.GetBytes(text), Json.File.Info<Garden>(), garden => garden.Faults());

    private static IReadOnlyList<string> FaultsOf(string text) => Assert.Throws<FaultsException>(() => Parse(text))!.Faults;

    private sealed record Plant
    {
        [JsonPropertyName("kind")] public required string Kind { get; init; }
        [JsonPropertyName("rows")] public required IReadOnlyList<int> Rows { get; init; }
    }

    private sealed record Garden
    {
        [JsonPropertyName("name")] public required string Name { get; init; }
        [JsonPropertyName("beds")] public required int Beds { get; init; }
        [JsonPropertyName("codec")] public FeatureCodec Codec { get; init; } = FeatureCodec.Webp;
        [JsonPropertyName("pump_w")] public Watts? Pump { get; init; }
        [JsonPropertyName("open")] public bool Open { get; init; }
        [JsonPropertyName("plants")] public IReadOnlyList<Plant> Plants { get; init; } = [];

        [JsonIgnore] public int Area => Beds * 2;

        public IEnumerable<string> Faults()
        {
            if (Beds < 1) yield return $"beds is {Beds}; at least 1";
        }
    }
}
