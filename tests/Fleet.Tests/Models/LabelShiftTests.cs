using CsCheck;
using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models;

public sealed class LabelShiftTests
{
    private static readonly Gen<(byte[] Labels, LabelShift Shift)> Any =
        Gen.Select(Gen.Byte[0, 4].Array[20, 400], Gen.Int[0, 4], Gen.Int[1, 99], (labels, label, percent) => (labels, new LabelShift(label, percent)));

    [Test]
    public void Pick_AnyLabels_HasTheShareAndTakesNothingTwice() => Any.Sample((labels, shift) =>
    {
        var picked = shift.Pick(labels, 100, new Random(1));
        var frequent = picked.Count(i => labels[i] == shift.Label);
        return picked.Length <= 100 && picked.Distinct().Count() == picked.Length && Math.Abs(frequent - picked.Length * shift.Percent / 100.0) <= 1;
    });

    [Test]
    public void Pick_SameSeed_IsTheSame() => Any.Sample((labels, shift) =>
        shift.Pick(labels, 50, new Random(7)).SequenceEqual(shift.Pick(labels, 50, new Random(7))));

    [Test]
    public void Pick_MoreThanThereAre_TakesAllOfTheSideThatRunsShort()
    {
        byte[] labels = [.. Enumerable.Repeat((byte)1, 10), .. Enumerable.Repeat((byte)0, 90)];
        var picked = new LabelShift(1, 50).Pick(labels, int.MaxValue, new Random(1));
        Assert.That((picked.Length, picked.Count(i => i < 10)), Is.EqualTo((20, 10)));
    }

    [Test]
    public void Parse_ItsName_GivesItBack() => Assert.That(LabelShift.Parse(new LabelShift(6, 70).ToString()), Is.EqualTo(new LabelShift(6, 70)));

    [TestCase("label-6")]
    [TestCase("label-6-0")]
    [TestCase("label-6-100")]
    [TestCase("label-256-50")]
    [TestCase("label--1-50")]
    [TestCase("shift-6-50")]
    public void Parse_Nonsense_SaysHowOneIsCalled(string text) =>
        Assert.That(() => LabelShift.Parse(text), Throws.TypeOf<FaultsException>().With.Message.Contains(text).And.Message.Contains("label-6-70"));
}
