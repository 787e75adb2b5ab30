using Fleet.Contracts;

namespace Fleet.Controller.Planning;

/// <summary>
/// What it costs a device to take up something else: the files it lacks cross the air once, which takes time and energy, and every change has a price of its own,
/// so that noise does not reshuffle the fleet. Paid back over the inferences of <see cref="Horizon"/>.
/// </summary>
internal sealed class Switching(OptionColumns columns, Weights weights)
{
    /// <summary>How long a plan is thought to stand.</summary>
    private static readonly Seconds Horizon = new(600);

    /// <summary>Share of what a device's choice costs by which another must be better.</summary>
    private const double Hysteresis = 0.05;

    /// <summary>Seconds of the objective an inference, for each block of options; 0 for a device that runs nothing yet.</summary>
    public void Fill(DeviceTerms terms, DeviceView device, Choice? standing)
    {
        Array.Clear(terms.SwitchCost);
        if (standing is null || device.Profile is not { } profile) return;
        var card = columns.Model.Files.Card;
        var noise = Hysteresis * Math.Max(0, standing.Estimate.Latency.Value + weights.JouleWeight * standing.Estimate.Energy.Value);
        var inferences = Math.Max(1, terms.Rate * Horizon.Value);
        for (var block = 0; block < columns.Blocks.Count; block++)
        {
            var (head, crossing) = (columns.Blocks[block].Head, columns.Blocks[block].Crossing);
            var bytes = card.Stages.Skip(standing.Option.Head).Take(Math.Max(0, head - standing.Option.Head)).Sum(stage => (double)stage.FileBytes);
            var bottleneck = crossing == OptionColumns.Local ? 0 : columns.Crossings[crossing].Route.Bottleneck;
            if (bottleneck > 0 && standing.Option.Route?.Bottleneck != bottleneck) bytes += card.Bottleneck(bottleneck).DeviceFiles.Sum(file => (double)file.FileBytes);
            var (time, energy) = (CostModel.AirTime(new Bytes(bytes), device, profile), new Bytes(bytes) * profile.Radio.RxPerByte.Value);
            terms.SwitchCost[block] = (float)(noise + (time.Value + weights.JouleWeight * energy.Value) / inferences);
        }
    }
}
