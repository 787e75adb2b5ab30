using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Fleet.Contracts;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Commands;

[NonParallelizable]
public sealed partial class ModelTableTests : CommandFixture
{
    private string Zoo => Path.Combine(Scratch, "zoo");

    private string Out => Path.Combine(Scratch, "out");

    [GeneratedRegex(@"\]\(([^)#]+)\)")]
    private static partial Regex Links();

    [GeneratedRegex(@"\]\(#([^)]+)\)")]
    private static partial Regex Anchors();

    /// <summary>The zoo's model, and what training jobs of its task and of one without a model may leave.</summary>
    [SetUp]
    public void MakeZoo()
    {
        var model = Path.Combine(Zoo, "fmnist");
        Directory.CreateDirectory(model);
        foreach (var file in Directory.EnumerateFiles(ProjectFiles.Find("models/zoo/fmnist"))) File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        Comparison("fmnist-codecs", "fmnist", Point("webp, server retrained", "quality 10", 0.9, 100), Point("webp, server retrained", "quality 0", 0.925, 40));
        Comparison("fmnist-bottlenecks", "fmnist", Point("bottleneck, two stages", "small", 0.912, 90), Point("bottleneck, labels only", "small", 0.9, 88));
        Comparison("weights", "fmnist", Point("joint", "exit 1", 0.88, bytes: null), Point("separate", "exit 1", 0.87, bytes: null));
        Comparison("other-codecs", "other", Point("jpeg", "quality | 10", 0.8, 300), Point("bottleneck, entropic", "a", 0.81, 200));
    }

    [Test]
    public void Table_Zoo_WritesAllThatItLinksTo()
    {
        var files = Make();
        var document = files["README.md"];
        var linked = Links().Matches(document).Select(match => match.Groups[1].Value).Where(link => !link.StartsWith("..", StringComparison.Ordinal)).ToHashSet();
        Assert.That(linked, Is.EquivalentTo(files.Keys.Where(name => name != "README.md")));
        var headings = document.Split('\n').Where(line => line.StartsWith('#')).Select(Anchor).ToList();
        Assert.That(Anchors().Matches(document).Select(match => match.Groups[1].Value).Distinct().ToList(), Is.Not.Empty.And.SubsetOf(headings));
        foreach (var (name, content) in files.Where(file => file.Key.EndsWith(".svg", StringComparison.Ordinal))) Assert.That(() => XDocument.Parse(content), Throws.Nothing, name);
    }

    [Test]
    public void Table_Zoo_TellsTheFiguresOfCardAndComparisons()
    {
        var files = Make();
        var card = ModelFiles.Open(Path.Combine(Zoo, "fmnist")).Card;
        foreach (var exit in card.Exits) Assert.That(files["fmnist-ways.csv"], Does.Contain($"exit,exit {exit.Exit},answers all,{exit.Accuracy.ToString("0.######", CultureInfo.InvariantCulture)},0,"));
        Assert.That(files["fmnist-ways.csv"], Does.Contain("bottleneck,\"bottleneck, two stages\",small,0.912,90,"));
        Assert.That(files["README.md"], Does.Contain("joint | exit 1 | 88.00 %").And.Contain("quality \\| 10").And.Contain("| separate | exit 1 | 87.00 %"));
        Assert.That(files["fmnist-winners.csv"], Does.Match($"\n40,[0-9]+,\"bottleneck, bottlefit, tiny, coded\",{Accuracy(card, "tiny")},\"webp, server retrained, quality 0\",0.925,codec\n"));
        Assert.That(files["fmnist-winners.csv"], Does.Match($",\"bottleneck, bottlefit, small, coded\",{Accuracy(card, "small")},\"webp, server retrained, quality 0\",0.925,bottleneck\n"));
    }

    private static string Accuracy(ModelCard card, string bottleneck) => card.Routes.Single(route => route.Bottleneck == bottleneck).Accuracy.ToString("0.######", CultureInfo.InvariantCulture);

    /// <summary>The front is chosen on one set and told of another: it must begin with the least work and end near the full network.</summary>
    [Test]
    public void Table_Cascade_GrowsInWorkAndReachesTheFullNetwork()
    {
        var rows = Make()["fmnist-cascade.csv"].Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(',').Select(cell => double.Parse(cell, CultureInfo.InvariantCulture)).ToArray()).ToList();
        Assert.That(rows, Has.Count.GreaterThan(10));
        Assert.That(rows[^1][^4], Is.GreaterThan(2 * rows[0][^4]));
        Assert.That(rows.Select(row => row[^3..].Sum()), Is.All.EqualTo(1).Within(1e-5));
        Assert.That(rows[^1][^5], Is.EqualTo(ModelFiles.Open(Path.Combine(Zoo, "fmnist")).Card.Exits[^1].Accuracy).Within(0.005));
    }

    [Test]
    public void Table_SameZoo_GivesTheSameBytes()
    {
        var once = Make();
        Assert.That(Make(), Is.EqualTo(once));
    }

    [Test]
    public void Table_Checked_NamesEachFileThatDiffers()
    {
        Make();
        var current = Fleet("models", "table", "--zoo", Zoo, "--out", Out, "--check");
        File.AppendAllText(Path.Combine(Out, "README.md"), "by hand");
        File.Delete(Path.Combine(Out, "fmnist-ways.csv"));
        File.WriteAllText(Path.Combine(Out, "old.svg"), "");
        var stale = Fleet("models", "table", "--zoo", Zoo, "--out", Out, "--check");
        Assert.Multiple(() =>
        {
            Assert.That(current.ExitCode, Is.Zero, current.Out);
            Assert.That(stale.ExitCode, Is.EqualTo(1));
            Assert.That(stale.Out, Does.Contain("README.md differs").And.Contain("fmnist-ways.csv is missing").And.Contain("old.svg is left over"));
            Assert.That(Path.Combine(Out, "fmnist-ways.csv"), Does.Not.Exist, "a check writes nothing");
        });
    }

    [Test]
    public void Table_EmptyZoo_SaysSo()
    {
        var empty = Directory.CreateDirectory(Path.Combine(Scratch, "empty")).FullName;
        var said = Fleet("models", "table", "--zoo", empty, "--out", Out);
        Assert.That(said.ExitCode, Is.EqualTo(2));
        Assert.That(said.Error, Does.Contain(empty).And.Contain("nothing to put into a table"));
    }

    [Test]
    public void Table_CardThatItsTraceContradicts_IsAFault()
    {
        var card = ModelFiles.Open(Path.Combine(Zoo, "fmnist")).Card;
        ModelFiles.WriteCard(Path.Combine(Zoo, "fmnist"), card with { Exits = [card.Exits[0] with { Accuracy = 0.95 }, .. card.Exits.Skip(1)] });
        var said = Fleet("models", "table", "--zoo", Zoo, "--out", Out);
        Assert.That(said.ExitCode, Is.EqualTo(2), said.Out);
        Assert.That(said.Error, Does.Contain("card.json").And.Match("exit 1 accuracy is 0\\.9500; its trace says 0\\.8"));
    }

    [Test]
    public void Table_ZooWithoutComparisons_IsAFault()
    {
        Directory.Delete(Path.Combine(Zoo, "comparison"), recursive: true);
        var said = Fleet("models", "table", "--zoo", Zoo, "--out", Out);
        Assert.That(said.ExitCode, Is.EqualTo(2), said.Out);
        Assert.That(said.Error, Does.Contain("comparison").And.Contain("rival"));
    }

    [Test]
    public void Table_DirectoryThatIsAFile_SaysSo()
    {
        File.WriteAllText(Out, "");
        var said = Fleet("models", "table", "--zoo", Zoo, "--out", Out);
        Assert.That(said.ExitCode, Is.EqualTo(2));
        Assert.That(said.Error, Does.Contain("--out"));
    }

    private Dictionary<string, string> Make()
    {
        var said = Fleet("models", "table", "--zoo", Zoo, "--out", Out);
        Assert.That(said.ExitCode, Is.Zero, said.Error);
        return Directory.EnumerateFiles(Out).ToDictionary(file => Path.GetFileName(file), File.ReadAllText);
    }

    private void Comparison(string name, string task, params ComparisonPoint[] points) =>
        new Comparison { Name = name, Task = task, Text = $"What {name} is.", Command = $"train {name}", Points = points }.Write(Path.Combine(Zoo, "comparison"));

    private static ComparisonPoint Point(string method, string variant, double accuracy, double? bytes) =>
        new() { Method = method, Variant = variant, Accuracy = accuracy, Wire = bytes is { } size ? new Bytes(size) : null };

    /// <summary>As GitHub names a heading.</summary>
    private static string Anchor(string heading) => new([.. heading.TrimStart('#').Trim().ToLowerInvariant().Replace(' ', '-').Where(letter => char.IsLetterOrDigit(letter) || letter == '-')]);
}
