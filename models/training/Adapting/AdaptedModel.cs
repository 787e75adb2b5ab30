using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Replaying;

namespace Fleet.Training;

/// <summary>
/// A model of the zoo fitted to a site whose data differ: a directory of its own, in which only stage 1, the card and the traces differ, so that
/// devices, which know files by their hashes, fetch one file. Its figures and temperatures are those of the site's images.
/// </summary>
public sealed class AdaptedModel(Network net, TaskData task, ModelFiles origin)
{
    /// <param name="site">Whose data it meets.</param>
    /// <param name="way">How to adapt.</param>
    /// <param name="samples">How many of the site's images are learnt from; they are calibration images.</param>
    /// <param name="directory">Where to write; must not be the origin's.</param>
    /// <param name="command">For the card.</param>
    /// <param name="clock">For the training loop.</param>
    /// <returns>The card, and the files that differ from the origin's and are shipped.</returns>
    /// <exception cref="FaultsException">The checkpoint is not the model's, or the directory is the model's own or holds something else than a model; the message says so.</exception>
    public async Task<(ModelCard Card, IReadOnlyList<StoredFile> Shipped)> Write(Site site, Adaptation way, int samples, string directory, string command, TimeProvider clock)
    {
        if (Path.GetFullPath(directory) == Path.GetFullPath(origin.Directory)) throw new FaultsException(directory, "is the model itself; name another directory for the adapted one");
        Require(origin);
        var seen = site.See(task.Sets.Calibration, samples);
        var recorded = site.Recorded(task);
        var card = await ModelDirectory.Write(directory, async unfinished =>
        {
            way.Run(net, seen, clock);
            foreach (var file in origin.Card.StoredFiles) File.Copy(Path.Combine(origin.Directory, file.File), Path.Combine(unfinished, file.File));
            var stage = PieceFile.Write(net, net.Architecture.Stage(1), unfinished);
            var adapted = origin.Card with
            {
                Parameters = origin.Card.Parameters - origin.Card.Stage(1).Parameters + stage.Parameters,
                Stages = [stage, .. origin.Card.Stages.Skip(1)],
                DriftTraces = [],
                Provenance = origin.Card.Provenance with { Command = command, Data = $"{recorded.Description}; adapted to {site}" },
            };
            using var replay = ModelReplay.Open(adapted, unfinished);
            // Features of drifted images have other ranges: they are taken from the samples that the site gave.
            adapted = await FeatureRange.Choose(adapted, replay, recorded.Sets with { Train = seen });
            return await new ModelMeasurement(recorded, unfinished) { TracesMadeBy = command }.Run(adapted, replay);
        });
        var known = origin.Card.StoredFiles.Select(file => file.Sha256).ToHashSet();
        return (card, [.. card.StoredFiles.Where(file => !known.Contains(file.Sha256))]);
    }

    /// <summary>The weights must be those that the model was exported from: its tail is compared, before anything changes.</summary>
    private void Require(ModelFiles files)
    {
        var trained = files.Card.Provenance.TrainedAccuracy;
        var found = JointTraining.Accuracies(net, task.Sets.Test);
        if (!found.SequenceEqual(trained))
            throw new FaultsException(files.Directory, $"was exported from other weights: its card says {string.Join(" ", trained)} for them, the checkpoint's reach {string.Join(" ", found)}");
    }
}
