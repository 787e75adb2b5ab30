using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>
/// Runs a group's ONNX files over a set of pictures: every device's network once, then what is behind them for any choice of devices
/// that are there. All accuracies of a group's card come from here.
/// </summary>
public sealed class GroupReplay
{
    private const int Batch = 100;

    private readonly GroupFiles files;
    private readonly byte[] labels;

    private GroupReplay(GroupFiles files, byte[] labels, float[][] vectors, float[][] maps) => (this.files, this.labels, Vectors, Maps) = (files, labels, vectors, maps);

    /// <summary>Of view 1..: [sample, class], flattened.</summary>
    public float[][] Vectors { get; }

    /// <summary>Signs of view 1..: [sample, element], flattened.</summary>
    public float[][] Maps { get; }

    /// <summary>Runs the devices' networks as devices do, one picture at a time.</summary>
    /// <param name="files">The group's.</param>
    /// <param name="pictures">Whole, to be cut.</param>
    /// <param name="labels">Of the pictures.</param>
    /// <exception cref="FaultsException">A file is damaged or cannot be run.</exception>
    public static async Task<GroupReplay> Of(GroupFiles files, IReadOnlyList<ReadOnlyMemory<byte>> pictures, byte[] labels)
    {
        var (card, grid) = (files.Card, ViewGrid.Of(files.Card));
        var (vectors, maps) = (new float[grid.Views][], new float[grid.Views][]);
        for (var view = 1; view <= grid.Views; view++)
        {
            var (classes, elements) = (card.Classes.Count, card.MapElements);
            var (ofVector, ofMap) = (vectors[view - 1] = new float[pictures.Count * classes], maps[view - 1] = new float[pictures.Count * elements]);
            using var head = files.LoadHead(view);
            for (var i = 0; i < pictures.Count; i++)
            {
                head.Load(new Sample(i, labels[i], grid.Cut(pictures[i].Span, view)));
                await head.Run(1);
                head.Logits(1).CopyTo(ofVector.AsSpan(i * classes));
                head.Features(1).CopyTo(ofMap.AsSpan(i * elements));
            }
        }
        return new GroupReplay(files, labels, vectors, maps);
    }

    /// <summary>Accuracy of the own exit of view 1...</summary>
    public double OwnAccuracy(int view) => Calibration.Accuracy(Vectors[view - 1], labels, files.Card.Classes.Count);

    /// <summary>What the exits say when only some devices are there.</summary>
    public async Task<GroupExits> With(IReadOnlyList<bool> present)
    {
        var (card, classes) = (files.Card, files.Card.Classes.Count);
        var (local, edge, cloud) = (new float[labels.Length * classes], new float[labels.Length * classes], new float[labels.Length * classes]);
        var pieces = files.LoadUpper();
        using var tail = GroupTail.Onnx(card, files.Hash, pieces, Batch);
        for (var first = 0; first < labels.Length; first += Batch)
        {
            var count = Math.Min(Batch, labels.Length - first);
            for (var row = 0; row < count; row++) Load(tail, row, first + row, present);
            await tail.RunLocal(count);
            await tail.RunEdge(count);
            await tail.RunCloud(count);
            for (var row = 0; row < count; row++)
            {
                tail.LocalLogits(row).CopyTo(local.AsSpan((first + row) * classes));
                tail.EdgeLogits(row).CopyTo(edge.AsSpan((first + row) * classes));
                tail.CloudLogits(row).CopyTo(cloud.AsSpan((first + row) * classes));
            }
        }
        foreach (var piece in pieces) piece.Dispose();
        return new GroupExits(labels, classes, local, edge, cloud);
    }

    private void Load(GroupTail tail, int row, int sample, IReadOnlyList<bool> present)
    {
        var (classes, elements) = (files.Card.Classes.Count, files.Card.MapElements);
        tail.Clear(row);
        for (var view = 1; view <= present.Count; view++)
        {
            if (!present[view - 1]) continue;
            Vectors[view - 1].AsSpan(sample * classes, classes).CopyTo(tail.Vector(row, view));
            Maps[view - 1].AsSpan(sample * elements, elements).CopyTo(tail.Map(row, view));
        }
    }
}
