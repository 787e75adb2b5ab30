using Fleet.Contracts;

namespace Fleet.Training;

/// <summary>Images of three kinds; none is in two of them.</summary>
/// <param name="Train">Learnt from. Of scenes: some, drawn like those that are learnt from.</param>
/// <param name="Calibration">Temperatures, thresholds and planners see these.</param>
/// <param name="Test">Only figures come from these.</param>
public sealed record ImageSets(ImageSet Train, ImageSet Calibration, ImageSet Test);

/// <summary>A classification task and all data for it.</summary>
/// <param name="Name">"fmnist" or "scenes".</param>
/// <param name="Description">Of the data, for cards and traces.</param>
/// <param name="Replays">What the test images are to a fleet.</param>
/// <param name="Classes">Their names, in the order of the labels.</param>
/// <param name="Sets">The images.</param>
/// <param name="Learning">What is learnt from, given a seed and, for less, a number of images.</param>
public sealed record TaskData(string Name, string Description, ReplaySet Replays, IReadOnlyList<string> Classes, ImageSets Sets, Func<int, int?, ITrainingImages> Learning)
{
    /// <summary>Of test images; the training images are normalised alike.</summary>
    public Normalisation Normalisation => Sets.Test.Normalisation;

    public int Side => Sets.Test.Side;
}
