using Fleet.Contracts;

namespace Fleet.Models.Replaying;

/// <summary>What a model's ONNX files say about every image of a set.</summary>
/// <param name="Labels">The true class of each image.</param>
/// <param name="Classes">Logits an image has.</param>
/// <param name="Exits">For exit 1..N: [image, class], flattened.</param>
/// <param name="Routes">What the final exit says when the work crosses the network.</param>
public sealed record Outcomes(byte[] Labels, int Classes, IReadOnlyList<float[]> Exits, IReadOnlyList<RouteOutcome> Routes)
{
    /// <summary>Accuracy of exit 1..N.</summary>
    public double Accuracy(int exit) => Calibration.Accuracy(Exits[exit - 1], Labels, Classes);

    public double Accuracy(RouteOutcome route) => Calibration.Accuracy(route.Logits, Labels, Classes);

    /// <summary>Expected calibration error of exit 1..N at a temperature.</summary>
    public double Ece(int exit, double temperature) => Calibration.Ece(Exits[exit - 1], Labels, Classes, temperature);

    public RouteOutcome Of(Route route) => Routes.Single(outcome => outcome.Route == route);
}

/// <param name="Route">What crossed.</param>
/// <param name="Logits">[image, class], flattened, by the tail that starts from the route's cut.</param>
/// <param name="PayloadBytes">One an image, without the frame's header.</param>
public sealed record RouteOutcome(Route Route, float[] Logits, int[] PayloadBytes)
{
    public Bytes MeanPayload => new(PayloadBytes.Average(size => size));
}
