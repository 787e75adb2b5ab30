using Fleet.Controller.Planning;

namespace Fleet.Emulator.Comparing;

/// <summary>Settings that policies with some are tried with, in hindsight: a rival shall not lose for want of tuning. Around each paper's own values, where it gives any.</summary>
public static class PolicyGrid
{
    private static readonly string[] Deadlines = ["0.005", "0.01", "0.02", "0.05", "0.1", "0.2"];
    private static readonly string[] Losses = ["0.005", "0.02"];

    private static readonly Dictionary<string, IReadOnlyList<string>> Grids = new(StringComparer.Ordinal)
    {
        [StaticSplit.PolicyName] = [.. new[] { "0.5", "0.7", "0.8", "0.9", "0.95", "0.99" }.Select(threshold => $"{StaticSplit.PolicyName}:threshold_ratio={threshold}")],
        [Edgent.PolicyName] = [.. Deadlines.Select(deadline => $"{Edgent.PolicyName}:deadline_s={deadline}")],
        [Spinn.PolicyName] = [.. Deadlines.Select(deadline => $"{Spinn.PolicyName}:deadline_s={deadline}")],
        [Fin.PolicyName] = [.. Deadlines.Skip(1).SelectMany(deadline => Losses.Select(loss => $"{Fin.PolicyName}:deadline_s={deadline}:loss_ratio={loss}"))],
        [DdnnThresholds.PolicyName] = [.. new[] { "0.2", "0.4", "0.6", "0.8", "0.95" }.Select(entropy => $"{DdnnThresholds.PolicyName}:entropy_ratio={entropy}")],
    };

    /// <summary>What a policy is tried with; one that has no settings, or whose settings are given, as it is.</summary>
    public static IReadOnlyList<string> Of(string policy) => Grids.TryGetValue(policy, out var grid) ? grid : [policy];
}
