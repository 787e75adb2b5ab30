using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Models;
using Fleet.Tests.Models.Distributed;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

public sealed class ViewGroupTests
{
    private static readonly Dictionary<string, GroupFiles> Models = new() { ["ddnn"] = GroupZoo.Model };

    [Test]
    public void Parse_OneDeviceAView_AssignsEachItsOwn()
    {
        var group = ViewGroup.Parse("gate=ddnn@edge-1:a,b,c,d,e,f", Models, new Seconds(0.2));
        var options = new ControllerOptions { Deadline = new Seconds(0.7) };
        var assigned = group.Members.Select((_, i) => group.Assign(i + 1, options)).ToList();
        Assert.That(group.Members, Is.EqualTo(["a", "b", "c", "d", "e", "f"]));
        Assert.That(assigned.Select(assignment => (assignment.View, assignment.Group, assignment.OffloadTo)), Is.EqualTo(Enumerable.Range(1, 6).Select(view => (view, "gate", "edge-1"))));
        Assert.That(assigned.SelectMany(assignment => assignment.Faults()).Concat(group.AssignTails(options).Faults()), Is.Empty);
        Assert.That(assigned.Zip(GroupZoo.Card.Views).Select(pair => pair.First.Temperatures.Of(1) - pair.Second.Temperature), Is.All.Zero);
        Assert.That((group.AssignTails(options).Gather?.Value, assigned[0].Deadline.Value), Is.EqualTo((0.2, 0.7)));
    }

    [TestCase("gate", "is \"gate\"; allowed: NAME=MODEL@EDGE:DEVICE")]
    [TestCase("gate=ddnn@edge-1", "allowed: NAME=MODEL@EDGE:DEVICE")]
    [TestCase("gate=other@edge-1:a,b,c,d,e,f", "model \"other\"; allowed: ddnn")]
    [TestCase("gate=ddnn@edge-1:a,b,c", "3 devices; ddnn has 6 views")]
    [TestCase("gate=ddnn@edge-1:a,a,c,d,e,f", "each stands once")]
    [TestCase("gate=ddnn@Edge:a,b,c,d,e,f", "edge")]
    public void Parse_Mistake_IsNamed(string text, string expected) =>
        Assert.That(() => ViewGroup.Parse(text, Models, new Seconds(0.1)), Throws.TypeOf<FaultsException>().With.Message.Contains(expected));
}
