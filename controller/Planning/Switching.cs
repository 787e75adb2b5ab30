using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>
/// What it costs a device to take up something else. The files it lacks cross the air once, which takes energy, and until they are there all stays as it is; every change
/// has a price of its own, so that noise does not reshuffle the fleet. Paid back over the inferences of <see cref="Horizon"/>. A device that runs nothing yet answers nothing
/// until its first files are there, and nobody has measured its link: it begins with what comes soonest even over a bad one, and alone if it can. Fetching that tells what the link is like,
/// and what is better follows while it answers.
/// </summary>
internal sealed class Switching(OptionColumns columns, Weights weights)
{
    /// <summary>How long a plan is thought to stand.</summary>
    private static readonly Seconds Horizon = new(600);

    /// <summary>How soon a first plan can be followed by a better one: a report and the next look at the fleet.</summary>
    private static readonly Seconds FirstHorizon = new(2);

    /// <summary>How many times slower than its radio's claim an unmeasured link is in the mean, if any slowness from 1 to 100 is as likely by its logarithm: 99 / ln 100.</summary>
    private const double Slowness = 21.5;

    /// <summary>Share of what a device's choice costs by which another must be better.</summary>
    private const double Hysteresis = 0.05;

    /// <summary>Seconds of the objective an inference, for each block of options.</summary>
    public void Fill(DeviceTerms terms, DeviceView device, Choice? standing)
    {
        Array.Clear(terms.SwitchCost);
        if (device.Profile is not { } profile) return;
        if (device.Reported is null) FillFirst(terms, device, profile);
        else if (standing is not null) FillNext(terms, device, profile, standing);
    }

    /// <summary>An input that nobody answers is an error. Ways that send count as if every input were sent: what they promise rests on a link that nobody knows.</summary>
    private void FillFirst(DeviceTerms terms, DeviceView device, HardwareProfile profile)
    {
        for (var block = 0; block < columns.Blocks.Count; block++)
        {
            var crossing = columns.Blocks[block].Crossing;
            var sending = crossing == OptionColumns.Local ? 0 : terms.CrossTime[crossing];
            terms.SwitchCost[block] = (float)(Slowness * (weights.ErrorWeight * (CostModel.AirTime(Files(columns.Blocks[block], 0, 0), device, profile) / FirstHorizon) + sending));
        }
    }

    private void FillNext(DeviceTerms terms, DeviceView device, HardwareProfile profile, Choice standing)
    {
        for (var block = 0; block < columns.Blocks.Count; block++)
            terms.SwitchCost[block] = (float)PriceOf(Files(columns.Blocks[block], standing.Option.Head, standing.Option.Route?.Bottleneck ?? 0), device, profile, standing.Estimate, terms.Rate, weights);
    }

    /// <summary>What it costs a device that runs something to take up what another option needs: seconds of the objective an inference.</summary>
    public static double Price(Option from, in Estimate estimate, Option to, DeviceView device, Weights weights) =>
        PriceOf(to.Model.Lacking(to.Head, to.Route?.Bottleneck ?? 0, from.Head, from.Route?.Bottleneck ?? 0), device, device.Profile!, estimate, device.Budget?.RequestRate.Value ?? 0, weights);

    private static double PriceOf(Bytes files, DeviceView device, HardwareProfile profile, in Estimate estimate, double rate, Weights weights)
    {
        var inferences = Math.Max(1, rate * Horizon.Value);
        var cost = Math.Max(0, estimate.Latency.Value + weights.JouleWeight * estimate.Energy.Value);
        var loss = weights.ErrorWeight * Math.Max(0, estimate.AccuracyLost);
        var energy = files * profile.Radio.RxPerByte.Value;
        var waiting = Math.Min(1, CostModel.AirTime(files, device, profile) / Horizon);
        return Hysteresis * cost + waiting * (cost + loss) + weights.JouleWeight * energy.Value / inferences;
    }

    private Bytes Files(OptionBlock block, int head, int bottleneck) =>
        columns.Model.Lacking(block.Head, block.Crossing == OptionColumns.Local ? 0 : columns.Crossings[block.Crossing].Route.Bottleneck, head, bottleneck);
}
