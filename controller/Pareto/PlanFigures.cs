using Fleet.Contracts;
using Fleet.Controller.Planning;

namespace Fleet.Controller.Pareto;

/// <summary>What a plan is expected to give a request of the site in the mean. All four are the better the smaller.</summary>
/// <param name="Error">Share of wrong answers, 0 to 1.</param>
/// <param name="Energy">Of the device: computing and radio.</param>
/// <param name="Sent">On the network, headers included.</param>
public readonly record struct PlanFigures(double Error, Seconds Latency, Joules Energy, Bytes Sent)
{
    public const int Count = 4;

    /// <summary>What an option that was estimated for a device gives it.</summary>
    public static PlanFigures Of(Option option, in Estimate estimate, DeviceView device) => new(1 - estimate.Accuracy, estimate.Latency, estimate.Energy, CostModel.Sent(option, device.Profile!));

    /// <summary>In the order of the parameters.</summary>
    public double this[int figure] => figure switch
    {
        0 => Error,
        1 => Latency.Value,
        2 => Energy.Value,
        _ => Sent.Value,
    };

    /// <summary>Whether it is at least as good in everything; equal figures do not beat each other.</summary>
    public bool Beats(in PlanFigures other) => IsNoWorse(other) && this != other;

    /// <summary>Whether it is at least as good in everything.</summary>
    public bool IsNoWorse(in PlanFigures other) => Error <= other.Error && Latency <= other.Latency && Energy <= other.Energy && Sent <= other.Sent;

    public static PlanFigures operator +(in PlanFigures a, in PlanFigures b) => new(a.Error + b.Error, a.Latency + b.Latency, a.Energy + b.Energy, a.Sent + b.Sent);

    public static PlanFigures operator -(in PlanFigures a, in PlanFigures b) => new(a.Error - b.Error, a.Latency - b.Latency, a.Energy - b.Energy, a.Sent - b.Sent);

    public static PlanFigures operator *(in PlanFigures a, double factor) => new(a.Error * factor, a.Latency * factor, a.Energy * factor, a.Sent * factor);
}
