using System.CommandLine;
using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests.Contracts;

public sealed class ProcessEdgeTests
{
    private enum Colour
    {
        Red,
        Blue,
    }

    [TestCase("run --count x", "--count is \"x\"; it must be a whole number")]
    [TestCase("run --share much", "--share is \"much\"; it must be a number")]
    [TestCase("run --colour green", "--colour is \"green\"; it must be one of Red, Blue")]
    [TestCase("run --frobnicate", "--frobnicate is no option of \"run\"; allowed: --colour, --count, --help, --share, --site")]
    [TestCase("run name --frobnicate", "--frobnicate is no option of \"run\"; allowed: --colour, --count, --help, --share, --site")]
    public void Faults_OfAWrongLine_NameCulpritAndRange(string line, string fault) => Assert.That(ProcessEdge.Faults(Root().Parse(line.Split(' '))), Is.EqualTo([fault]));

    [TestCase("rnu", "rnu is no command of \"NAME\"; allowed: run")]
    [TestCase("--site s", "a command of \"NAME\" is missing; allowed: run")]
    public void Faults_OfALineWithoutACommand_NameThoseThereAre(string line, string fault) =>
        Assert.That(ProcessEdge.Faults(Root().Parse(line.Split(' '))), Is.EqualTo([fault.Replace("NAME", Root().Name, StringComparison.Ordinal)]));

    [TestCase("run")]
    [TestCase("run name --count 3 --share 0.5 --colour blue --site s")]
    [TestCase("run -- --name")]
    public void Faults_OfALineThatIsRight_AreNone(string line) => Assert.That(ProcessEdge.Faults(Root().Parse(line.Split(' '))), Is.Empty);

    private static RootCommand Root()
    {
        var run = new System.CommandLine.Command("run")
        {
            new Argument<string?>("NAME") { Arity = ArgumentArity.ZeroOrOne }, new Option<int?>("--count"), new Option<double>("--share"), new Option<Colour>("--colour"),
        };
        return new RootCommand { run, new Option<string>("--site") { Recursive = true } };
    }
}
