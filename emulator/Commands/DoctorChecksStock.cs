using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Emulator.Commands;

/// <summary>What ships with Fleet: there, sound, and able to run here.</summary>
internal static class StockChecks
{
    private const int Runs = 50;

    public static IEnumerable<Check> All()
    {
        yield return Looked("hardware profiles", "hardware-profiles", directory => $"{ProfileFile.ReadAll(directory).Count} sound");
        IReadOnlyDictionary<string, ModelFiles> models = new Dictionary<string, ModelFiles>();
        yield return Looked("zoo", "models/zoo", directory =>
        {
            models = ModelFiles.OpenAll(directory);
            if (models.Count == 0) throw new FaultsException(directory, "holds no model");
            return string.Join(", ", models.Values.Select(Sound));
        });
        LabelledImages? images = null;
        yield return Looked("test images", TestImages.Directory, directory =>
        {
            images = TestImages.Read(ReplaySet.FashionMnist, directory);
            return FormattableString.Invariant($"{images.Count:N0} of {images.Columns} x {images.Rows} pixels, labelled");
        });
        yield return models.Count > 0 && images is not null
            ? Runtime(models.Values.First(model => model.Card.Replays is ReplaySet.FashionMnist), images)
            : new Check("ONNX Runtime", Verdict.Fail, "not tried", "a sound model and images to try it with", "mend what failed above");
    }

    private static Check Looked(string about, string name, Func<string, string> look)
    {
        try
        {
            return Check.Ok(about, look(ProjectFiles.Find(name)));
        }
        catch (FaultsException e)
        {
            return new Check(about, Verdict.Fail, e.Message.ReplaceLineEndings(" "), $"{name} beside or above the executable, as it was shipped", "copy it again from the release or the repository");
        }
    }

    private static string Sound(ModelFiles model)
    {
        var files = model.Card.Stages.Concat(model.Card.Tails).Select(piece => (piece.File, piece.Sha256))
            .Append((model.Card.TestTrace.File, model.Card.TestTrace.Sha256)).Append((model.Card.CalibrationTrace.File, model.Card.CalibrationTrace.Sha256)).ToList();
        foreach (var (file, sha256) in files) model.ReadChecked(file, sha256);
        return $"{model.Card.Name} ({model.Card.StageCount} stages, {files.Count} files as the card says)";
    }

    private static Check Runtime(ModelFiles model, LabelledImages images)
    {
        const string About = "ONNX Runtime";
        const string Needed = "loads, and answers as recorded in the zoo's trace";
        try
        {
            using var piece = model.LoadStage(1);
            using var head = Head.Onnx(model.Card, model.Hash, [piece]);
            head.Load(images.Sample(0));
            var times = new double[Runs];
            // Computed inline: the task is complete when it comes.
            for (var run = 0; run < Runs; run++) times[run] = head.Run(1).AsTask().GetAwaiter().GetResult().Value;
            var recorded = model.ReadTestTrace().ExitLogits(1, 0);
            var difference = 0.0;
            for (var c = 0; c < recorded.Length; c++) difference = Math.Max(difference, Math.Abs((double)recorded[c] - head.Logits(1)[c]));
            var found = FormattableString.Invariant($"stage 1 of {model.Card.Name} in {times.Order().ElementAt(Runs / 2) * 1e6:F0} us, one thread");
            return difference <= 0.02
                ? Check.Ok(About, found + ", logits as recorded")
                : new Check(About, Verdict.Fail, FormattableString.Invariant($"{found}, logits off by {difference:G3}"), Needed, "fleet models verify");
        }
        catch (Exception e) when (e is FaultsException or DllNotFoundException or BadImageFormatException or TypeInitializationException or EntryPointNotFoundException)
        {
            return new Check(About, Verdict.Fail, e.GetBaseException().Message.ReplaceLineEndings(" "), Needed, "use the build for this architecture, on a system with glibc and libstdc++ (Alpine has neither)");
        }
    }
}
