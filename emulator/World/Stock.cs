using Fleet.Contracts;
using Fleet.Controller.Planning;
using Fleet.Models;

namespace Fleet.Emulator;

/// <summary>What ships with Fleet and does not change: profiles, models, images. Read once, shared by all sites.</summary>
public sealed class Stock
{
    private readonly Dictionary<string, Trace> traces = [];
    private readonly Dictionary<(string Model, bool IsTail, int Index), OnnxPiece> pieces = [];
    private readonly Lock gate = new();
    private LabelledImages? images;

    public Stock(string? zoo = null, string? profiles = null, string? data = null)
    {
        Profiles = ProfileFile.ReadAll(profiles ?? ProjectFiles.Find("hardware-profiles"));
        Models = ModelFiles.OpenAll(zoo ?? ProjectFiles.Find("models/zoo"));
        DataDirectory = data ?? ProjectFiles.Find("data/fashion-mnist");
    }

    public IReadOnlyDictionary<string, HardwareProfile> Profiles { get; }

    public IReadOnlyDictionary<string, ModelFiles> Models { get; }

    public string DataDirectory { get; }

    /// <summary>The test images, which emulated devices see.</summary>
    public LabelledImages Images
    {
        get
        {
            lock (gate) return images ??= IdxFile.Read(Path.Combine(DataDirectory, "t10k-images-idx3-ubyte.gz"), Path.Combine(DataDirectory, "t10k-labels-idx1-ubyte.gz"));
        }
    }

    public Trace TestTrace(ModelFiles model)
    {
        lock (gate) return traces.TryGetValue(model.CardSha256, out var trace) ? trace : traces[model.CardSha256] = model.ReadTestTrace();
    }

    /// <summary>What a planner may know of a model.</summary>
    public PlannedModel Planned(ModelFiles model) => new(model, model.ReadCalibrationTrace());

    /// <summary>A loaded stage; sessions are shared by all devices.</summary>
    public OnnxPiece Stage(ModelFiles model, int stage) => Piece((model.CardSha256, false, stage), () => model.LoadStage(stage));

    public OnnxPiece Tail(ModelFiles model, int cut) => Piece((model.CardSha256, true, cut), () => model.LoadTail(cut));

    private OnnxPiece Piece((string, bool, int) key, Func<OnnxPiece> load)
    {
        lock (gate) return pieces.TryGetValue(key, out var piece) ? piece : pieces[key] = load();
    }
}
