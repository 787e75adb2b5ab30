using System.Text.Json;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Tests.DeviceAgent;

/// <summary>A model of three stages whose files are random bytes: enough to install, not to run.</summary>
internal sealed record HeadStoreModel(byte[] Card, IReadOnlyDictionary<string, byte[]> Files)
{
    public string CardSha256 => ModelFiles.Sha256(Card);

    public static HeadStoreModel Make(int seed)
    {
        var random = new Random(seed);
        var files = new Dictionary<string, byte[]>();
        for (var stage = 1; stage <= 3; stage++) random.NextBytes(files[$"stage{stage}.onnx"] = new byte[300 * stage]);
        return Of(files);
    }

    public HeadStoreModel With(string file, byte[] bytes) => Of(new Dictionary<string, byte[]>(Files) { [file] = bytes });

    public HeadStoreModel WithCard(byte[] card) => this with { Card = card };

    public HeadStoreModel WithStageFile(int stage, string file) => WithStage(stage, piece => piece with { File = file });

    public HeadStoreModel WithStageBytes(int stage, long bytes) => WithStage(stage, piece => piece with { FileBytes = bytes });

    public HeadStoreModel Put(string zoo, string name = "tiny", bool filesToo = true)
    {
        var folder = Directory.CreateDirectory(Path.Combine(zoo, name)).FullName;
        File.WriteAllBytes(Path.Combine(folder, ModelFiles.CardName), Card);
        if (!filesToo) return this;
        foreach (var (file, bytes) in Files) File.WriteAllBytes(Path.Combine(folder, file), bytes);
        return this;
    }

    public Assignment Assignment(int head, string artifactsUrl = "") => new()
    {
        Version = 1,
        Epoch = 1,
        Model = "tiny",
        CardSha256 = CardSha256,
        Head = head,
        ArtifactsUrl = artifactsUrl,
        Thresholds = new PerExit(Enumerable.Repeat(0.5, head)),
        Temperatures = new PerExit(Enumerable.Repeat(1.5, head)),
    };

    private HeadStoreModel WithStage(int stage, Func<ModelPiece, ModelPiece> change)
    {
        var card = JsonSerializer.Deserialize(Card, Json.File.Info<ModelCard>())!;
        return this with { Card = Bytes(card with { Stages = [.. card.Stages.Select(piece => piece.Index == stage ? change(piece) : piece)] }) };
    }

    private static HeadStoreModel Of(Dictionary<string, byte[]> files) => new(Bytes(new ModelCard
    {
        Name = "tiny",
        Task = "test",
        Classes = ["a", "b"],
        InputMean = 0,
        InputStd = 1,
        Parameters = 0,
        Cuts = [.. Enumerable.Range(0, 3).Select(cut => new CutPoint { Cut = cut, Shape = [1, 2, 2] })],
        Stages = [.. Enumerable.Range(1, 3).Select(stage => Piece(stage, $"stage{stage}.onnx", files[$"stage{stage}.onnx"]))],
        Tails = [.. Enumerable.Range(0, 3).Select(cut => Piece(cut, $"tail{cut}.onnx", [1]))],
        Exits = [.. Enumerable.Range(1, 3).Select(exit => new ExitCard { Exit = exit, Temperature = 1, Accuracy = 0.5, CalibrationAccuracy = 0.5, EceBefore = 0, EceAfter = 0 })],
        Routes = [],
        CalibrationTrace = new CardFile { File = "calibration.trace", Sha256 = "", Samples = 0 },
        TestTrace = new CardFile { File = "test.trace", Sha256 = "", Samples = 0 },
        Provenance = new Provenance { Command = "", Data = "", Seed = 0, Epochs = 0, TrainedAccuracy = [] },
    }), files);

    private static ModelPiece Piece(int index, string file, byte[] bytes) => new()
    {
        Index = index,
        File = file,
        Sha256 = ModelFiles.Sha256(bytes),
        FileBytes = bytes.Length,
        Parameters = 0,
        PeakActivationBytes = 0,
        Work = new KernelWork(),
    };

    private static byte[] Bytes(ModelCard card) => JsonSerializer.SerializeToUtf8Bytes(card, Json.File.Info<ModelCard>());
}
