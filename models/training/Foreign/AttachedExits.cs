using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Replaying;
using Fleet.Onnx;
using Fleet.Terminal;
using Google.Protobuf;

namespace Fleet.Training;

/// <param name="File">The ONNX network.</param>
/// <param name="At">Values that exits go to, the final one's last.</param>
/// <param name="InputShape">Channels, height, width that the network takes.</param>
/// <param name="Name">Of the model that is written.</param>
/// <param name="Images">Training images to learn the exits from.</param>
/// <param name="Epochs">Passes over them.</param>
/// <param name="Seed">Of the order of the images.</param>
public sealed record AttachOptions(string File, IReadOnlyList<string> At, IReadOnlyList<int> InputShape, string Name, int Images, int Epochs, int Seed);

/// <summary>
/// Makes a model of the zoo out of somebody's ONNX network: exits are trained on its features, which stay as they are, and stages, tails,
/// traces and card are written like those of our own.
/// </summary>
public sealed class AttachedExits(AttachOptions options, TaskData task, string directory)
{
    /// <exception cref="FaultsException">The network cannot be cut there or run on our images, or the directory holds something else than a model; the message says why.</exception>
    public async Task<ModelCard> Write(string command)
    {
        var network = new ForeignNetwork(options.File, options.At, options.InputShape, task.Side);
        var trunk = Enumerable.Range(1, network.Cuts.Count).Select(cut => network.Part(cut - 1, cut)).ToList();
        var shapes = Shapes(trunk);
        return await ModelDirectory.Write(directory, async unfinished =>
        {
            var exits = TrainExits(trunk, shapes);
            var stages = trunk.Select((part, i) => WritePiece(Path.Combine(unfinished, $"stage-{i + 1}.onnx"), i + 1, WithExit(part, exits[i], shapes[i + 1], i + 1, isLast: i == trunk.Count - 1), shapes[i])).ToList();
            var tails = trunk.Select((_, cut) => WritePiece(Path.Combine(unfinished, $"tail-{cut}.onnx"), cut, WithExit(network.Part(cut, trunk.Count), exits[^1], shapes[^1], trunk.Count, isLast: true), shapes[cut])).ToList();
            var card = Card(network, shapes, stages, tails, command);
            using var replay = ModelReplay.Open(card, unfinished);
            card = await FeatureRange.Choose(card, replay, task.Sets);
            return await new ModelMeasurement(task, unfinished).Run(card, replay);
        });
    }

    /// <summary>Of our image and of the features at every cut: channels, height, width.</summary>
    private List<IReadOnlyList<int>> Shapes(IReadOnlyList<ModelProto> trunk)
    {
        var shapes = new List<IReadOnlyList<int>> { new[] { 1, task.Side, task.Side } };
        foreach (var part in trunk)
        {
            var shape = PieceShapes.Of(options.File, part, shapes[^1])[PieceExporter.Features].Extents;
            if (shape.Count != 4) throw new FaultsException("--at", $"\"{options.At[shapes.Count - 1]}\" has {shape.Count} dimensions; exits are attached where features are [N, channels, height, width]");
            shapes.Add([.. shape.Skip(1).Select(extent => (int)extent)]);
        }
        return shapes;
    }

    private List<FrozenExit> TrainExits(IReadOnlyList<ModelProto> trunk, IReadOnlyList<IReadOnlyList<int>> shapes)
    {
        var drawn = task.Learning(options.Seed, options.Images);
        var (rows, labels, pixels) = (new float[drawn.Count * task.Side * task.Side], new byte[drawn.Count], new byte[task.Side * task.Side]);
        for (var i = 0; i < labels.Length; i++)
        {
            labels[i] = (byte)drawn.Draw(epoch: 0, i, pixels);
            drawn.Normalisation.Apply(pixels, rows.AsSpan(i * pixels.Length, pixels.Length));
        }
        var exits = new List<FrozenExit>();
        for (var i = 0; i < trunk.Count; i++)
        {
            rows = ProgressBar.Show($"features {i + 1}", progress => PieceRun.Run(trunk[i].ToByteArray(), rows, shapes[i], progress).Features);
            exits.Add(ProgressBar.Show($"exit {i + 1}", progress => FrozenExit.Train(FrozenExit.Pool(rows, shapes[i + 1]), labels, task.Classes.Count, options.Epochs, options.Seed, progress)));
        }
        return exits;
    }

    private static ModelProto WithExit(ModelProto part, FrozenExit exit, IReadOnlyList<int> shape, int number, bool isLast)
    {
        var graph = exit.ToGraph(shape, $"fleet_exit{number}");
        return isLast ? GraphSplice.Join(part, graph, PieceExporter.Features, PieceExporter.Features) : GraphSplice.Join(part, graph, PieceExporter.Features);
    }

    private static ModelPiece WritePiece(string path, int index, ModelProto piece, IReadOnlyList<int> inputShape)
    {
        OnnxFile.Write(piece, path);
        var bytes = File.ReadAllBytes(path);
        var cost = GraphCost.Of(piece, PieceShapes.Of(path, piece, inputShape));
        return new ModelPiece
        {
            Index = index,
            File = Path.GetFileName(path),
            Sha256 = ModelFiles.Sha256(bytes),
            FileBytes = bytes.Length,
            Parameters = cost.Parameters,
            PeakActivationBytes = cost.LayerActivationBytes,
            Work = new KernelWork
            {
                FirstConv = new Macs(cost.FirstConvMacs),
                Conv = new Macs(cost.ConvMacs),
                Pointwise = new Macs(cost.PointwiseMacs),
                Depthwise = new Macs(cost.DepthwiseMacs),
                Dense = new Macs(cost.DenseMacs),
                OutputElements = cost.OutputElements,
                Layers = cost.Layers,
            },
        };
    }

    private ModelCard Card(ForeignNetwork network, IReadOnlyList<IReadOnlyList<int>> shapes, IReadOnlyList<ModelPiece> stages, IReadOnlyList<ModelPiece> tails, string command) => new()
    {
        Name = options.Name,
        Task = "image classification",
        Replays = task.Replays,
        Classes = task.Classes,
        InputMean = task.Normalisation.Mean,
        InputStd = task.Normalisation.Std,
        Parameters = stages.Sum(stage => stage.Parameters),
        Cuts = [.. shapes.SkipLast(1).Select((shape, cut) => new CutPoint { Cut = cut, Shape = shape })],
        Stages = stages,
        Tails = tails,
        Exits = [],
        Routes = [],
        CalibrationTrace = new CardFile { File = TraceRecording.CalibrationFile, Sha256 = "", Samples = 0 },
        TestTrace = new CardFile { File = TraceRecording.TestFile, Sha256 = "", Samples = 0 },
        Provenance = new Provenance
        {
            Command = command,
            Data = $"{task.Description}; exits on the frozen features of {network.Name} at {string.Join(", ", network.Cuts)}, learnt from {task.Learning(options.Seed, options.Images).Count} images",
            Seed = options.Seed,
            Epochs = options.Epochs,
            TrainedAccuracy = [],
        },
    };
}
