using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Replaying;
using Microsoft.ML.OnnxRuntime;

namespace Fleet.Emulator.Commands;

/// <summary>
/// `fleet models traces`: makes the traces of a model anew from its ONNX files, or compares those that stand with what the files say now. A
/// trace that would hold the same is left as it is, header and all, so that the card keeps its hash.
/// </summary>
internal sealed class ModelTraces
{
    /// <summary>How cards of adapted models begin their command: their traces are of the site's own images.</summary>
    private const string Adapting = "fleet-training adapt ";

    private readonly ModelFiles model;
    private readonly IReadOnlyList<Wanted> wanted;
    private readonly IReadOnlyDictionary<TraceSet, ImageRun> images;

    private sealed record Wanted(string File, TraceSet Set, string Drift, int Samples);

    /// <param name="only">Files to make; all when empty.</param>
    /// <param name="images">The images of a set that is needed.</param>
    /// <exception cref="FaultsException">The model has no such trace, its traces are not of the task's images, or there are other images than it was recorded on.</exception>
    public ModelTraces(ModelFiles model, IReadOnlyList<string> only, Func<TraceSet, ImageRun> images)
    {
        this.model = model;
        var card = model.Card;
        if (card.Provenance.Command.StartsWith(Adapting, StringComparison.Ordinal)) throw new FaultsException(card.Name, $"has traces of a site's own images, which \"{card.Provenance.Command}\" makes");
        List<Wanted> all =
        [
            new(card.CalibrationTrace.File, TraceSet.Calibration, "", card.CalibrationTrace.Samples),
            new(card.TestTrace.File, TraceSet.Test, "", card.TestTrace.Samples),
            .. card.DriftTraces.Select(trace => new Wanted(trace.File, trace.Set, trace.Drift, trace.Samples)),
        ];
        FaultsException.ThrowIfAny("--only", only.Where(file => all.All(trace => trace.File != file)).Select(file => $"is \"{file}\"; {card.Name} has {string.Join(", ", all.Select(trace => trace.File))}"));
        wanted = only.Count == 0 ? all : [.. all.Where(trace => only.Contains(trace.File))];
        this.images = wanted.Select(trace => trace.Set).Distinct().ToDictionary(set => set, images);
        FaultsException.ThrowIfAny(card.Name, wanted.Where(trace => trace.Drift.Length == 0 ? Set(trace).Count != trace.Samples : Set(trace).Count < trace.Samples).Select(trace => $"{trace.File} is of {trace.Samples} images; there are {Set(trace).Count}"));
    }

    /// <param name="check">Write nothing.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <returns>A line a trace, and whether each agrees with what stands.</returns>
    /// <exception cref="FaultsException">A file of the model is damaged or cannot be run, or it was stopped; nothing is written then.</exception>
    public async Task<IReadOnlyList<Finding>> Run(bool check, Action<double> progress, CancellationToken stop)
    {
        var (findings, made) = (new List<Finding>(), new Dictionary<string, Trace>());
        using var replay = ModelReplay.Open(model.Card, model.Directory);
        var (done, all) = (0, wanted.Sum(trace => trace.Samples));
        foreach (var trace in wanted)
        {
            var (before, samples) = (done, trace.Samples);
            var now = await Make(replay, trace, share => progress((before + share * samples) / all), stop);
            done += samples;
            var difference = Standing(trace)?.Against(now);
            findings.Add(new Finding(trace.File, string.Create(CultureInfo.InvariantCulture, $"{samples:N0} samples"), difference?.ToString() ?? "missing or damaged", difference is { } found && (found.IsNone || found.IsRounding)));
            if (difference is not { IsNone: true }) made[trace.File] = now;
        }
        if (!check && made.Count > 0) Write(made);
        return findings;
    }

    private ImageRun Set(Wanted trace) => images[trace.Set];

    private async Task<Trace> Make(ModelReplay replay, Wanted trace, Action<double> progress, CancellationToken stop)
    {
        var (card, taken) = (model.Card, Set(trace).Take(trace.Samples));
        try
        {
            var outcomes = await replay.Run(card, trace.Drift.Length == 0 ? taken : taken.Drifted(Drift.Parse(trace.Drift)), card.Routes.Select(card.RouteOf), progress, stop);
            return TraceRecording.Of(card, outcomes, TraceRecording.Text(TraceRecording.Command(card.Name), TestImages.Describe(card.Replays), trace.Set), taken.First, trace.Drift);
        }
        catch (OnnxRuntimeException e)
        {
            throw new FaultsException(model.Directory, "the files cannot be run with the shapes the card gives: " + e.Message.Split('\n')[0]);
        }
    }

    /// <summary>Null when the file is missing or damaged.</summary>
    private Trace? Standing(Wanted trace)
    {
        try
        {
            return Trace.Read(Path.Combine(model.Directory, trace.File));
        }
        catch (FaultsException)
        {
            return null;
        }
    }

    /// <summary>Traces first, the card with their hashes last.</summary>
    private void Write(Dictionary<string, Trace> made)
    {
        try
        {
            foreach (var (file, trace) in made)
            {
                var path = Path.Combine(model.Directory, file);
                trace.Write(path + ".tmp");
                File.Move(path + ".tmp", path, overwrite: true);
            }
            string Hash(string file, string known) => made.ContainsKey(file) ? ModelFiles.Sha256(File.ReadAllBytes(Path.Combine(model.Directory, file))) : known;
            CardFile Hashed(CardFile file) => file with { Sha256 = Hash(file.File, file.Sha256) };
            var card = model.Card;
            ModelFiles.WriteCard(model.Directory, card with
            {
                CalibrationTrace = Hashed(card.CalibrationTrace),
                TestTrace = Hashed(card.TestTrace),
                DriftTraces = [.. card.DriftTraces.Select(trace => trace with { Sha256 = Hash(trace.File, trace.Sha256) })],
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException(model.Directory, "cannot be written: " + e.Message);
        }
    }
}
