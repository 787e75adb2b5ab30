using System.Numerics.Tensors;
using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Deciding;

namespace Fleet.Controller.Planning;

/// <summary>
/// DDNN's rule for devices that are alone: the first exit answers when its normalised entropy is below a fixed threshold, else the features of cut 1 go on.
/// Teerapittayanon, McDanel and Kung, "Distributed deep neural networks over the cloud, the edge and end devices", ICDCS 2017, where 0.8 was
/// best. Agents ask the largest probability, so the threshold is the probability that lets as many calibration samples leave.
/// </summary>
/// <param name="options">What there is.</param>
/// <param name="costs">Whether it fits.</param>
/// <param name="entropy">Normalised, 0 to 1.</param>
public sealed class DdnnThresholds(OptionTable options, CostModel costs, double entropy) : IPlanner
{
    public const string PolicyName = "ddnn";
    public const double DefaultEntropy = 0.8;

    private readonly Option option = Equivalent(options, entropy);
    private readonly LocalOnly local = new(options, costs);

    public string Name => PolicyName;

    public (Plan Plan, PlannerState State) Plan(FleetSnapshot fleet, PlannerState last, Random random) => option.Route is null
        ? local.Plan(fleet, last, random)
        : Choices.Spread(this, fleet, last, costs, option, $"ddnn: {option.Route} above entropy {Quantity.Rounded(entropy)}");

    private static Option Equivalent(OptionTable options, double entropy)
    {
        var route = options.All.Where(known => known is { Head: 1, Route.Cut: 1 }).OrderByDescending(known => known.Route == new Route(1, FeatureCodec.Int8)).FirstOrDefault()?.Route;
        return options.Count(1, [route is null ? 0 : Threshold(options.Model, entropy)], route);
    }

    private static double Threshold(PlannedModel model, double entropy)
    {
        var (trace, temperature) = (model.Calibration, model.Files.Card.Exit(1).Temperature);
        var (logits, confidences, leaving) = (new float[trace.Classes], new double[trace.Samples], 0);
        for (var sample = 0; sample < trace.Samples; sample++)
        {
            TensorPrimitives.ConvertToSingle(trace.ExitLogits(1, sample), logits);
            confidences[sample] = Confidence.MaxProbability(logits, temperature, out _);
            if (new ExitRule(ExitScore.NormalisedEntropy, entropy).Exits(logits, temperature)) leaving++;
        }
        Array.Sort(confidences);
        return leaving == 0 ? OptionTable.Never : Math.Round(confidences[^leaving], 6);
    }
}
