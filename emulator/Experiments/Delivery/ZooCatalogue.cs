using Fleet.Contracts;
using Fleet.Controller.Placement;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>Which ways of answering a catalogue offers; each includes those before it.</summary>
public enum Splitting
{
    /// <summary>An exit on the device, or the whole network further up, from the input.</summary>
    None,

    /// <summary>Heads on devices and tails further up, features crossing as int8.</summary>
    Features,

    /// <summary>Encoders behind heads too, their latents range-coded.</summary>
    Bottlenecks,
}

/// <summary>
/// Our own zoo, one task a model: accuracies, bytes that cross and file sizes from the cards, delays from the hardware profiles' claim for each piece's work.
/// Heads run on devices, tails on edge servers and in the cloud.
/// </summary>
public sealed class ZooCatalogue
{
    /// <summary>Classes of hardware: device, edge server, cloud.</summary>
    public static readonly IReadOnlyList<string> Profiles = ["pi-zero-2w", "n5105-mini-pc", "i7-13700k"];

    private readonly List<Piece> pieces = [];
    private readonly List<Way> ways = [];
    private readonly Stock stock;
    private readonly Seconds slot;

    private ZooCatalogue(Stock stock, Seconds slot) => (this.stock, this.slot) = (stock, slot);

    /// <param name="slot">A piece serves one request after the other for so long.</param>
    public static Catalogue Of(Stock stock, Splitting splitting, Seconds slot)
    {
        var made = new ZooCatalogue(stock, slot);
        var cards = stock.Models.Values.Select(model => model.Card).OrderBy(card => card.Name, StringComparer.Ordinal).ToList();
        for (var task = 0; task < cards.Count; task++) made.Add(task, cards[task], splitting);
        return new Catalogue([.. cards.Select(card => new Bytes(card.Cuts[0].Elements))], made.pieces, made.ways);
    }

    private void Add(int task, ModelCard card, Splitting splitting)
    {
        var heads = Enumerable.Range(1, card.StageCount).Select(depth => Head($"{card.Name}/head-{depth}", [.. card.Stages.Take(depth)])).ToList();
        for (var exit = 1; exit <= card.StageCount; exit++) ways.Add(new Way(task, card.Exit(exit).Accuracy, heads[exit - 1]));
        var tails = card.Tails.Select((tail, cut) => Tail($"{card.Name}/tail-{cut}", tail)).ToList();
        ways.Add(new Way(task, card.Exit(card.StageCount).Accuracy, tails[0]));
        if (splitting is Splitting.None) return;
        foreach (var route in card.Routes.Where(route => route.Bottleneck.Length == 0 && route.Codec is FeatureCodec.Int8))
            ways.Add(new Way(task, route.Accuracy, heads[route.Cut - 1], tails[route.Cut], route.Payload));
        if (splitting is Splitting.Features) return;
        foreach (var bottleneck in card.Bottlenecks)
        {
            var routes = card.Routes.Where(route => route.Bottleneck == bottleneck.Name).ToList();
            if (routes.Count == 0) continue;
            var route = routes.MinBy(route => route.Payload.Value)!;
            ways.Add(new Way(task, route.Accuracy, Head($"{card.Name}/{bottleneck.Name}-head", [.. card.Stages.Take(bottleneck.Cut), bottleneck.Encoder]), Tail($"{card.Name}/{bottleneck.Name}-tail", bottleneck.Tail), route.Payload));
        }
    }

    private int Head(string name, IReadOnlyList<ModelPiece> parts) => Add(name, parts, [Profiles[0], null, null]);

    private int Tail(string name, ModelPiece part) => Add(name, [part], [null, Profiles[1], Profiles[2]]);

    private int Add(string name, IReadOnlyList<ModelPiece> parts, IReadOnlyList<string?> profiles)
    {
        var size = parts.Aggregate(default(Bytes), (sum, part) => sum + new Bytes(part.FileBytes));
        pieces.Add(new Piece(name, size, [.. profiles.Select(profile => profile is null ? null : Service(stock.Profiles[profile], parts))]));
        return pieces.Count - 1;
    }

    private PieceService? Service(HardwareProfile profile, IReadOnlyList<ModelPiece> parts)
    {
        var delay = parts.Aggregate(Seconds.Zero, (sum, part) => sum + profile.NominalTime(part));
        return new PieceService(delay, slot / delay);
    }
}
