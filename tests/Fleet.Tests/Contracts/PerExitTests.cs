using System.Text;
using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

/// <summary>A number for each exit: a value in memory, scalar keys on the wire.</summary>
public sealed class PerExitTests
{
    private static readonly Topic BudgetTopic = new(TopicKind.Budget, "site", "dev");

    [Test]
    public void Equals_SameNumbers_IsTrueAndHashesAgree()
    {
        var a = new PerExit([0.5, 0.25]);
        Assert.That(a, Is.EqualTo(new PerExit([0.5, 0.25])));
        Assert.That(a.GetHashCode(), Is.EqualTo(new PerExit([0.5, 0.25]).GetHashCode()));
        Assert.That(a.Equals((object)new PerExit([0.5, 0.25])), Is.True);
        Assert.That(PerExit.None, Is.EqualTo(new PerExit([])));
        var (gap, same) = (new PerExit([double.NaN, 1]), new PerExit([double.NaN, 1]));
        Assert.That(gap, Is.EqualTo(same));
    }

    [Test]
    public void Equals_OtherNumbers_IsFalse()
    {
        var a = new PerExit([0.5, 0.25]);
        Assert.That(a.Equals(new PerExit([0.5])), Is.False);
        Assert.That(a.Equals(new PerExit([0.25, 0.5])), Is.False);
        Assert.That(a.Equals((object)"x"), Is.False);
        Assert.That(a.Equals((PerExit?)null), Is.False);
    }

    [Test]
    public void Find_BeyondTheLastOrInAGap_IsNull()
    {
        var a = new PerExit([0.5, double.NaN, 0.25]);
        Assert.That((a.Of(1), a.Find(1), a.Find(2), a.Find(3), a.Find(4)), Is.EqualTo((0.5, (double?)0.5, (double?)null, (double?)0.25, (double?)null)));
        Assert.That(a, Has.Count.EqualTo(3));
    }

    [Test]
    public void Constructor_MoreThanTheProtocolCarries_Throws() => Assert.That(() => new PerExit(new double[PerExit.Max + 1]), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void Constructor_UnknownNumbersAtTheEnd_AreLeftOffAsOnTheWire()
    {
        var load = Samples.EdgeLoad with { TailSeconds = new PerExit([double.NaN, 0.004, double.NaN, double.NaN]) };
        Assert.That(load.TailSeconds, Has.Count.EqualTo(2));
        Assert.That(Text(load), Does.Contain("\"tail_1_s\":0.004").And.Not.Contain("tail_0_s").And.Not.Contain("tail_2_s"));
        Assert.That(Wire.Decode(Samples.On(TopicKind.EdgeLoad), Wire.Encode(load)), Is.EqualTo(load));
    }

    [Test]
    public void Constructor_SourceChangedLater_KeepsItsOwnNumbers()
    {
        double[] source = [1, 2];
        var a = new PerExit(source);
        source[0] = 9;
        Assert.That(a.Of(1), Is.EqualTo(1));
    }

    [Test]
    public void Encode_EightNumbers_GivesEightKeysInOrder()
    {
        var text = Text(Samples.Budget with { StageSeconds = new PerExit([1, 2, 3, 4, 5, 6, 7, 8]), StageJoules = new PerExit([0.5]) });
        Assert.That(text, Does.Contain("\"stage_1_s\":1,\"stage_2_s\":2,\"stage_3_s\":3,\"stage_4_s\":4,\"stage_5_s\":5,\"stage_6_s\":6,\"stage_7_s\":7,\"stage_8_s\":8,\"stage_1_j\":0.5}"));
    }

    [Test]
    public void Encode_Gap_LeavesTheKeyOut()
    {
        var text = Text(Samples.Assignment with { Thresholds = new PerExit([0.9, double.NaN, 0.8]) });
        Assert.That(text, Does.Contain("\"exit_1_threshold\":0.9,\"exit_3_threshold\":0.8,"));
        Assert.That(text, Does.Not.Contain("exit_2_threshold"));
        Assert.That(text, Does.Not.Contain("{n}"));
    }

    [Test]
    public void Decode_Gap_IsRefusedByName()
    {
        var read = Wire.Decode(new Topic(TopicKind.Desired, "site", "dev"), Encoding.UTF8.GetBytes("""
            {"version":1,"epoch":1,"model":"m","card_sha256":"x","head":3,"exit_1_threshold":0.5,"exit_3_threshold":0.5,"exit_1_temperature":1,"exit_2_temperature":1,"exit_3_temperature":1}
            """));
        Assert.That(read, Is.InstanceOf<Malformed>().With.Property(nameof(Malformed.Reason)).Contains("exit_2_threshold"));
    }

    [Test]
    public void Decode_KeysInAnyOrder_FillTheirPlaces()
    {
        var read = (Budget)Wire.Decode(BudgetTopic, Encoding.UTF8.GetBytes("""{"stage_2_s":0.2,"seq":1,"stage_3_s":0.3,"sent_unix_s":1,"stage_1_s":0.1,"report_s":5}"""));
        Assert.That(read.StageSeconds, Is.EqualTo(new PerExit([0.1, 0.2, 0.3])));
        Assert.That(read.StageJoules, Is.EqualTo(PerExit.None));
    }

    [Test]
    public void Decode_TwoMessages_ShareNoNumbers()
    {
        var first = (Budget)Wire.Decode(BudgetTopic, """{"seq":1,"sent_unix_s":1,"report_s":5,"stage_1_s":0.1}"""u8);
        var second = (Budget)Wire.Decode(BudgetTopic, """{"seq":1,"sent_unix_s":1,"report_s":5}"""u8);
        Assert.That((first.StageSeconds.Count, second.StageSeconds.Count), Is.EqualTo((1, 0)));
        // An escaped key is left to the serializer.
        var third = (Budget)Wire.Decode(BudgetTopic, """{"seq":1,"sent_unix_s":1,"report_s":5,"stage\u005f1_s":0.1}"""u8);
        Assert.That((third.StageSeconds.Count, PerExit.None.Count), Is.EqualTo((1, 0)));
    }

    [Test]
    public void Decode_NinthExit_IsAnUnknownKey()
    {
        var read = (Budget)Wire.Decode(BudgetTopic, """{"seq":1,"sent_unix_s":1,"report_s":5,"stage_9_s":0.1,"stage_0_s":1}"""u8);
        Assert.That(read.StageSeconds, Is.Empty);
    }

    private static string Text(Message message) => Encoding.UTF8.GetString(Wire.Encode(message));
}
