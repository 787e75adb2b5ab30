using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Training;

/// <summary>A site whose data differ from what a network was trained on: its images look different, or its classes come in another mixture.</summary>
public sealed record Site
{
    private readonly Drift? drift;
    private readonly LabelShift shift;

    private Site(Drift? drift, LabelShift shift) => (this.drift, this.shift) = (drift, shift);

    public static Site Of(Drift drift) => new(drift, default);

    public static Site Of(LabelShift shift) => new(null, shift);

    /// <summary>By the name of a drift ("noise-2") or of a label shift ("label-6-70").</summary>
    /// <exception cref="FaultsException">The text names neither.</exception>
    public static Site Parse(string text) => LabelShift.Names(text) ? Of(LabelShift.Parse(text)) : Of(Drift.Parse(text));

    public override string ToString() => drift?.ToString() ?? shift.ToString();

    /// <summary>At most so many of the images as the site sees them.</summary>
    public ImageSet See(ImageSet images, int count)
    {
        if (drift is { } drifted) return new(drifted.Of(images.Images, images.FirstIndex, Math.Min(count, images.Count)), images.Normalisation);
        var picked = shift.Pick(images.Labels, count, new Random(Seeds.Mix(shift.Label, shift.Percent)));
        if (picked.Length == 0) throw new FaultsException($"label shift \"{shift}\"", $"leaves no image; the labels are {string.Join(", ", images.Labels.Distinct().Order())}");
        return new(new LabelledImages(picked.Length, images.Side, images.Side, [.. picked.SelectMany(i => images.Image(i).ToArray())], [.. picked.Select(i => images.Labels[i])]), images.Normalisation);
    }

    /// <summary>The task that traces of the site are recorded on: drifted images, each in its place; under a label shift the very same images, of which the site sees some more often.</summary>
    public TaskData Recorded(TaskData task) => drift is null ? task : task with
    {
        Sets = task.Sets with { Calibration = See(task.Sets.Calibration, int.MaxValue), Test = See(task.Sets.Test, int.MaxValue) },
        Description = $"{task.Description}, drifted: {drift}",
    };
}
