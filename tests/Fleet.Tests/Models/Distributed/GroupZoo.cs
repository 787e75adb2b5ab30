using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Tests.Models.Distributed;

/// <summary>The group's model that ships with Fleet, and what its files make of the test pictures.</summary>
internal static class GroupZoo
{
    public static readonly string Directory = Path.Combine(ProjectFiles.Find("models/zoo"), "ddnn");

    private static readonly Lazy<GroupFiles> LazyModel = new(() => GroupFiles.Open(Directory));
    private static readonly Lazy<Task<GroupReplay>> LazyReplay = new(() => Over(Zoo.Images.Count));

    public static GroupFiles Model => LazyModel.Value;

    public static GroupCard Card => Model.Card;

    /// <summary>All test pictures.</summary>
    public static Task<GroupReplay> Replay => LazyReplay.Value;

    /// <summary>The first test pictures.</summary>
    public static Task<GroupReplay> Over(int count) => GroupReplay.Of(
        Model, [.. Enumerable.Range(0, count).Select(Zoo.Images.Image)], [.. Enumerable.Range(0, count).Select(i => (byte)Zoo.Images.Label(i))]);

    /// <summary>Which of six devices are there, by the bits of a number.</summary>
    public static bool[] Choice(int bits) => [.. Enumerable.Range(0, 6).Select(view => (bits >> view & 1) == 1)];
}
