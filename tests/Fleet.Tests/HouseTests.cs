using System.Xml.Linq;
using Fleet.Contracts;
using NUnit.Framework;

namespace Fleet.Tests;

/// <summary>The rooms and the arrows between them, held over the project files: the compiler drops references that nobody uses.</summary>
public sealed class HouseTests
{
    private static readonly string Root = Path.GetDirectoryName(ProjectFiles.Find("hardware-profiles"))!;

    /// <summary>Each room and the rooms it may look into.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["contracts"] = [],
        ["terminal"] = ["contracts"],
        ["models"] = ["contracts"],
        ["models/onnx"] = [],
        ["models/training"] = ["contracts", "terminal", "models", "models/onnx"],
        ["controller"] = ["contracts", "models"],
        ["controller/judge"] = ["controller"],
        ["edge-server"] = ["contracts", "models"],
        ["device-agent"] = ["contracts", "models"],
        ["emulator"] = ["contracts", "terminal", "models", "models/onnx", "controller", "controller/judge", "edge-server", "device-agent"],
    };

    [Test]
    public void Rooms_References_PointOneWay()
    {
        foreach (var (room, path) in Projects().Where(project => !project.Room.StartsWith("tests", StringComparison.Ordinal)))
        {
            Assert.That(Arrows.Keys, Does.Contain(room), $"{room} is no room of the house");
            Assert.That(References(path), Is.SubsetOf(Arrows[room]), $"{room} looks where it must not");
        }
    }

    [Test]
    public void Solution_HoldsEveryRoom_ButTraining()
    {
        var solution = File.ReadAllText(Path.Combine(Root, "Fleet.sln")).Replace('\\', '/');
        foreach (var (room, path) in Projects())
        {
            var isTraining = room is "models/training" or "tests/Fleet.Training.Tests";
            Assert.That(solution.Contains(Path.GetFileName(path), StringComparison.Ordinal), Is.EqualTo(!isTraining), room);
        }
        Assert.That(Directory.EnumerateFiles(Root, "*.slnx"), Is.Empty);
    }

    [Test]
    public void Projects_Packages_AreVersionedInOnePlace()
    {
        foreach (var (room, path) in Projects())
            Assert.That(XDocument.Load(path).Descendants("PackageReference").Where(package => package.Attribute("Version") is not null), Is.Empty, room);
    }

    [Test]
    public void CentralVersions_AreExact()
    {
        var versions = XDocument.Load(Path.Combine(Root, "Directory.Packages.props")).Descendants("PackageVersion").Select(package => package.Attribute("Version")!.Value);
        Assert.That(versions, Has.All.Match(@"^\[[^,]+\]$"));
    }

    private static IEnumerable<(string Room, string Path)> Projects() =>
        Directory.EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal))
            .Select(path => (Path.GetRelativePath(Root, Path.GetDirectoryName(path)!).Replace('\\', '/'), path));

    private static IEnumerable<string> References(string project) =>
        XDocument.Load(project).Descendants("ProjectReference")
            .Select(reference => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(project)!, reference.Attribute("Include")!.Value)))
            .Select(path => Path.GetRelativePath(Root, Path.GetDirectoryName(path)!).Replace('\\', '/'));
}
