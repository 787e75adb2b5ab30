using Fleet.Contracts;
using Fleet.Controller.Planning;
using Fleet.Emulator.Physics;
using Fleet.Emulator.Radios;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Workload;
using Fleet.Models;

namespace Fleet.Emulator;

/// <summary>What ships with Fleet and does not change: profiles, models, images. Read once, shared by all sites.</summary>
public sealed class Stock
{
    private readonly Dictionary<string, Trace> traces = [];
    private readonly Dictionary<(string Sha256, string Kind, int Number), object> loaded = [];
    private readonly Lock gate = new();
    private readonly Dictionary<ReplaySet, LabelledImages> images = [];

    public Stock(string? zoo = null, string? profiles = null, string? data = null)
    {
        profiles ??= ProjectFiles.Find("hardware-profiles");
        Profiles = ProfileFile.ReadAll(profiles);
        Power = StrictJson.Read(Path.Combine(profiles, "parts", "power.json"), Json.File.Info<PowerParts>(), parts => parts.Faults());
        Radios = StrictJson.Read(Path.Combine(profiles, "parts", "radios.json"), Json.File.Info<RadioParts>(), parts => parts.Faults());
        Models = ModelFiles.OpenAll(zoo ?? ProjectFiles.Find("models/zoo"));
        Groups = GroupFiles.OpenAll(zoo ?? ProjectFiles.Find("models/zoo"));
        DataDirectory = data ?? ProjectFiles.Find(TestImages.Directory);
    }

    public IReadOnlyDictionary<string, HardwareProfile> Profiles { get; }

    /// <summary>Cells and panels.</summary>
    public PowerParts Power { get; }

    public RadioParts Radios { get; }

    public IReadOnlyDictionary<string, ModelFiles> Models { get; }

    /// <summary>Models that groups of devices run together.</summary>
    public IReadOnlyDictionary<string, GroupFiles> Groups { get; }

    public string DataDirectory { get; }

    /// <summary>Whether there is a profile of that name and role.</summary>
    public bool IsRole(string id, string role) => Profiles.TryGetValue(id, out var profile) && profile.Role == role;

    /// <summary>Names of all profiles of a role.</summary>
    public string Roles(string role) => string.Join(", ", Profiles.Values.Where(profile => profile.Role == role).Select(profile => profile.Id));

    /// <summary>The test images, which emulated devices see.</summary>
    public LabelledImages Images(ReplaySet set)
    {
        lock (gate) return images.TryGetValue(set, out var read) ? read : images[set] = TestImages.Read(set, DataDirectory);
    }

    public Trace TestTrace(ModelFiles model)
    {
        lock (gate) return traces.TryGetValue(model.CardSha256, out var trace) ? trace : traces[model.CardSha256] = model.ReadTestTrace();
    }

    /// <summary>The test trace, and behind it those of drifts: what <see cref="ReplayImages"/> numbers.</summary>
    public Trace TestTrace(ModelFiles model, IReadOnlyList<Drift> drifts)
    {
        if (drifts.Count == 0) return TestTrace(model);
        var test = TestTrace(model);
        return Once((model.CardSha256, $"trace {string.Join(' ', drifts)}", 0), () => test.FollowedBy(drifts.Select(drift => model.ReadTrace(ReplayImages.Recorded(model.Card, drift)!))));
    }

    /// <summary>What devices that run a model see.</summary>
    public ReplayImages Replays(ModelCard card, IReadOnlyList<Drift> drifts, InferenceKind inference)
    {
        var plain = Images(card.Replays);
        return Once((card.Name, $"images {inference} {string.Join(' ', drifts)}", 0), () => ReplayImages.Of(plain, card, drifts, inference));
    }

    /// <summary>Recorded arrivals; throws <see cref="FaultsException"/> with all that is wrong with the file.</summary>
    public RecordedTimes Recorded(string path) => Once((Path.GetFullPath(path), "arrivals", 0), () => RecordedTimes.Read(path));

    /// <summary>What a planner may know of a model.</summary>
    public PlannedModel Planned(ModelFiles model) => new(model, model.ReadCalibrationTrace());

    /// <summary>A loaded stage; sessions are shared by all devices.</summary>
    public OnnxPiece Stage(ModelFiles model, int stage) => Once((model.CardSha256, "stage", stage), () => model.LoadStage(stage));

    public OnnxPiece Tail(ModelFiles model, TailStart start) =>
        Once((model.CardSha256, start.Bottleneck == 0 ? "tail" : "latent", start.Bottleneck == 0 ? start.Cut : start.Bottleneck), () => model.LoadTail(start));

    /// <summary>A loaded encoder with its tables.</summary>
    public EncoderPiece Encoder(ModelFiles model, int bottleneck) => Once((model.CardSha256, "encoder", bottleneck), () => model.LoadEncoder(bottleneck));

    /// <summary>The loaded network of one view of a group.</summary>
    public OnnxPiece View(GroupFiles model, int view) => Once((model.CardSha256, "view", view), () => model.LoadView(view));

    /// <summary>What is behind the devices of a group, loaded.</summary>
    public IReadOnlyList<OnnxPiece> Upper(GroupFiles model) => Once((model.CardSha256, "upper", 0), model.LoadUpper);

    private T Once<T>((string, string, int) key, Func<T> load) where T : class
    {
        lock (gate) return (T)(loaded.TryGetValue(key, out var known) ? known : loaded[key] = load());
    }
}
