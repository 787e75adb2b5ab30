using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Fleet.Controller.Planning;

/// <summary>
/// What the devices of a site get, in order of their ids. Each device has a place, also one that gets nothing; plans for the same devices share the
/// places, so that making the next plan takes no sorting and comparing two of them no look-ups.
/// </summary>
public sealed class ChoiceTable : IReadOnlyDictionary<string, Choice>
{
    private readonly Places places;
    private readonly Choice?[] choices;

    private ChoiceTable(Places places, Choice?[] choices)
    {
        (this.places, this.choices) = (places, choices);
        foreach (var choice in choices)
            if (choice is not null) Count++;
    }

    public int Count { get; }

    public IEnumerable<string> Keys => this.Select(pair => pair.Key);

    public IEnumerable<Choice> Values => choices.OfType<Choice>();

    public Choice this[string key] => TryGetValue(key, out var choice) ? choice : throw new KeyNotFoundException($"no choice for {key}");

    /// <param name="choices">In any order.</param>
    public static ChoiceTable Of(IEnumerable<KeyValuePair<string, Choice>> choices)
    {
        var inOrder = choices.ToArray();
        Array.Sort(inOrder, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        return new ChoiceTable(new Places([.. inOrder.Select(pair => pair.Key)]), [.. inOrder.Select(pair => pair.Value)]);
    }

    /// <summary>One choice, or null, for each of the devices, which stand in order of their ids.</summary>
    /// <param name="last">Choices made before: a table's places are shared where it is of the same devices.</param>
    internal static ChoiceTable Of(IReadOnlyList<DeviceView> devices, Choice?[] choices, IReadOnlyDictionary<string, Choice>? last = null) =>
        new(last is ChoiceTable table && table.places.AreOf(devices) ? table.places : new Places([.. devices.Select(device => device.Id)]), choices);

    internal Choice? At(int place) => choices[place];

    /// <summary>What makes a device do something else than an earlier plan made it do: another option, edge server or way of deciding, or none was chosen for it then.</summary>
    public IEnumerable<KeyValuePair<string, Choice>> Since(ChoiceTable? before)
    {
        for (var place = 0; place < choices.Length; place++)
        {
            if (choices[place] is not { } choice) continue;
            var old = before is null ? null : before.places == places ? before.choices[place] : before.GetValueOrDefault(places.Ids[place]);
            if (old == (object)choice || old is not null && old.Option == (object)choice.Option && old.Edge == choice.Edge && Equals(old.Decision, choice.Decision)) continue;
            yield return new(places.Ids[place], choice);
        }
    }

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out Choice value)
    {
        value = places.Find(key) is >= 0 and var place ? choices[place] : null;
        return value is not null;
    }

    public IEnumerator<KeyValuePair<string, Choice>> GetEnumerator()
    {
        for (var place = 0; place < choices.Length; place++)
            if (choices[place] is { } choice) yield return new(places.Ids[place], choice);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Ids in order, and where each stands.</summary>
    private sealed class Places(string[] ids)
    {
        private Dictionary<string, int>? byId;

        public string[] Ids => ids;

        public bool AreOf(IReadOnlyList<DeviceView> devices)
        {
            if (ids.Length != devices.Count) return false;
            for (var place = 0; place < ids.Length; place++)
                if (ids[place] != devices[place].Id) return false;
            return true;
        }

        /// <summary>-1 when nobody has that id.</summary>
        public int Find(string id)
        {
            byId ??= ids.Index().ToDictionary(one => one.Item, one => one.Index, StringComparer.Ordinal);
            return byId.TryGetValue(id, out var place) ? place : -1;
        }
    }
}
