using Fleet.Contracts;
using Fleet.DeviceAgent.Heads;
using NUnit.Framework;
using NUnit.Framework.Constraints;

namespace Fleet.Tests.DeviceAgent;

/// <summary>A store in a folder of its own, fed from a folder and from a web server on this machine.</summary>
public abstract class HeadStoreFixture
{
    private protected HttpClient Http { get; private set; } = null!;

    private protected string Root { get; private set; } = "";

    [SetUp]
    public void MakeRoot()
    {
        Http = new HttpClient();
        Root = Directory.CreateTempSubdirectory("fleet-heads-").FullName;
    }

    [TearDown]
    public void RemoveRoot()
    {
        Http.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    private protected string StorePath => Path.Combine(Root, "store");

    private protected string Zoo => Path.Combine(Root, "zoo");

    private protected HeadStore Store() => new(StorePath, Zoo, Http, TimeProvider.System);

    private protected static IResolveConstraint Fault(string culprit, params string[] words)
    {
        var constraint = Throws.TypeOf<FaultsException>().With.Message.Contains(culprit);
        foreach (var word in words) constraint = constraint.And.Message.Contains(word);
        return constraint;
    }

    private protected static void Damage(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private protected static List<string> FilesIn(string folder) => [.. Directory.GetFiles(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private protected List<string> Temporaries()
    {
        var incoming = Path.Combine(StorePath, ".incoming");
        return Directory.Exists(incoming) ? FilesIn(incoming) : [];
    }
}
