using System.Text.Json.Serialization;
using Fleet.Contracts;

namespace Fleet.Controller.Tails;

/// <summary>Who decides which tails edge servers hold that have not memory for all.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PlacementKind>))]
public enum PlacementKind
{
    /// <summary>Nobody: they hold all, and where memory ends those that come first in the card.</summary>
    [JsonStringEnumMemberName("all")] All,

    /// <summary>What saves most for its size, on what was asked for in the last slot.</summary>
    [JsonStringEnumMemberName("greedy")] Greedy,

    /// <summary>A learner of what is asked for, rounded.</summary>
    [JsonStringEnumMemberName("infida")] Infida,
}

/// <summary>How tails are placed, on the slow time scale; which of them devices use is planned on the fast one.</summary>
public sealed record PlacementOptions
{
    public PlacementKind Kind { get; init; }

    /// <summary>A slot: requests of that time decide.</summary>
    public Seconds Period { get; init; } = new(30);

    /// <summary>Of a slot, in seconds.</summary>
    public static Bounds PeriodBounds { get; } = new(1, 86_400);

    /// <summary>What loading a byte is worth, in the objective's seconds, summed over the requests of a slot. K: a megabyte pays when it saves five seconds a slot.</summary>
    public Seconds SwapPrice { get; init; } = new(5e-6);

    /// <summary>Of a byte's price, in seconds.</summary>
    public static Bounds SwapPriceBounds { get; } = new(0, 1);

    /// <summary>How long devices may still use a tail that they shall no longer; then it goes all the same, and who asks is refused.</summary>
    public Seconds Grace { get; init; } = new(10);

    /// <summary>Of what is drawn in rounding.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Throws <see cref="FaultsException"/> that lists the names there are.</summary>
    /// <param name="what">What is named so.</param>
    public static PlacementKind KindNamed(string what, string name)
    {
        foreach (var kind in Enum.GetValues<PlacementKind>())
            if (NameOf(kind) == name) return kind;
        throw new FaultsException(what, $"is \"{name}\"; allowed: {string.Join(", ", Enum.GetValues<PlacementKind>().Select(NameOf))}");
    }

    public static string NameOf(PlacementKind kind) => kind.ToString().ToLowerInvariant();
}
