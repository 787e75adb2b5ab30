using Fleet.Emulator.Tables;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Tables;

public sealed class TextTests
{
    [Test]
    public void Csv_CellsWithCommasAndQuotes_AreQuoted() =>
        Assert.That(Text.Csv(["a", "b"], [new[] { "1,5", "say \"x\"" }]), Is.EqualTo("a,b\n\"1,5\",\"say \"\"x\"\"\"\n"));

    [Test]
    public void Markdown_Figures_StandToTheRight() =>
        Assert.That(Text.Markdown(["name", ">figure"], [new[] { "a|b", "1" }]), Is.EqualTo("| name | figure |\n|---|---:|\n| a\\|b | 1 |\n"));
}
