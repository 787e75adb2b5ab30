using System.Runtime.CompilerServices;
using Fleet.Contracts;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Radios;
using Fleet.Emulator.Scenarios;
using Fleet.Models;

namespace Fleet.Emulator;

/// <summary>What a device remembers through its power losses: the files of heads, and what it ran last.</summary>
/// <param name="drifts">How the images drift that the device sees.</param>
public sealed class Flash(Stock stock, InferenceKind inference, IReadOnlyList<Drift> drifts)
{
    // Few: no set finds one of them faster.
    private string[] held = [];

    /// <summary>Run after a reboot until the controller says something else.</summary>
    public Assignment? Last { get; set; }

    /// <summary>Fetches the stages and the encoder it does not hold yet over the device's own link, then loads them on its board.</summary>
    [AsyncMethodBuilder(typeof(LoopMethod<>))]
    public async ValueTask<Head> Install(Assignment wanted, Func<Bytes, ValueTask> download, Board board)
    {
        if (wanted.View > 0) return await InstallView(wanted, download, board);
        if (!stock.Models.TryGetValue(wanted.Model, out var model) || model.CardSha256 != wanted.CardSha256)
            throw new FaultsException("card_sha256", $"is {wanted.CardSha256} for {wanted.Model}; the emulator has {string.Join(", ", stock.Models.Values.Select(known => $"{known.Card.Name} {known.CardSha256}"))}");
        FaultsException.ThrowIfAny("assignment", wanted.FaultsWith(model.Card));
        int[] bottlenecks = model.Card.NumberOf(wanted.Bottleneck) is > 0 and var number ? [number] : [];
        var files = model.Card.Stages.Take(wanted.Head).Select(stage => stage.Stored).Concat(bottlenecks.SelectMany(bottleneck => model.Card.Bottleneck(bottleneck).DeviceFiles));
        var missing = files.Where(file => Add(file.Sha256)).Sum(file => file.FileBytes);
        if (missing > 0) await download(new Bytes(missing));
        var head = inference is InferenceKind.Trace
            ? Head.Traced(model.Card, model.Hash, stock.TestTrace(model, drifts), wanted.Head, bottlenecks)
            : Head.Onnx(model.Card, model.Hash, [.. Enumerable.Range(1, wanted.Head).Select(stage => stock.Stage(model, stage))], encoders: [.. bottlenecks.Select(bottleneck => stock.Encoder(model, bottleneck))]);
        return head.Wrap((piece, engine) => new BoardEngine(engine, piece, board));
    }

    private bool Add(string file)
    {
        if (held.Contains(file)) return false;
        held = [.. held, file];
        return true;
    }

    private async ValueTask<Head> InstallView(Assignment wanted, Func<Bytes, ValueTask> download, Board board)
    {
        if (!stock.Groups.TryGetValue(wanted.Model, out var model) || model.CardSha256 != wanted.CardSha256)
            throw new FaultsException("card_sha256", $"is {wanted.CardSha256} for {wanted.Model}; the emulator has {string.Join(", ", stock.Groups.Values.Select(known => $"{known.Card.Name} {known.CardSha256}"))}");
        var piece = model.Card.View(wanted.View).Piece;
        if (Add(piece.Sha256)) await download(new Bytes(piece.FileBytes));
        var head = Head.Onnx(model.Card.OfView(wanted.View), model.Hash, [stock.View(model, wanted.View)]);
        return head.Wrap((_, engine) => new BoardEngine(engine, piece, board));
    }
}
