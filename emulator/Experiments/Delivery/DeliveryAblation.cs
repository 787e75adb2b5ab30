using Fleet.Controller.Placement;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>What each ingredient of practical rounding is worth: all without one, and none but one.</summary>
public static class DeliveryAblation
{
    private static readonly RoundingOptions All = RoundingOptions.Practical;
    private static readonly RoundingOptions None = RoundingOptions.Plain;

    public static readonly IReadOnlyList<(string Name, RoundingOptions Options)> Variants =
    [
        ("none (plain)", None),
        ("repair alone", None with { Repairs = true }),
        ("repair and filling alone", None with { Repairs = true, Fills = true }),
        ("8 draws alone", None with { Draws = All.Draws }),
        ("incumbent alone", None with { KeepsIncumbent = true, Margin = All.Margin }),
        ("coupling alone", None with { IsCoupled = true }),
        ("refresh every 10 slots alone", None with { Refresh = 10 }),
        ("all but repair", All with { Repairs = false }),
        ("all but filling", All with { Fills = false }),
        ("all but draws", All with { Draws = 1 }),
        ("all but the incumbent", All with { KeepsIncumbent = false }),
        ("all but the margin", All with { Margin = 0 }),
        ("all but coupling", All with { IsCoupled = false }),
        ("all, refreshed every 10 slots", All with { Refresh = 10 }),
        ("all (practical)", All),
    ];

    /// <summary>Learners by name, whose fractional allocations are compared without any rounding.</summary>
    public static readonly IReadOnlyList<(string Name, Func<Idn, ILearner> Make)> Learners =
    [
        ("mirror ascent, rate 0.5", idn => new MirrorAscent(idn, new AscentOptions { Rate = 0.5 })),
        ("mirror ascent, rate 2", idn => new MirrorAscent(idn, new AscentOptions { Rate = 2 })),
        ("mirror ascent, rate 8", idn => new MirrorAscent(idn, new AscentOptions { Rate = 8 })),
        ("optimistic, rate 2", idn => new MirrorAscent(idn, new AscentOptions { Rate = 2, IsOptimistic = true })),
        ("optimistic, rate 8", idn => new MirrorAscent(idn, new AscentOptions { Rate = 8, IsOptimistic = true })),
        ("fixed share 1 %, rate 8", idn => new MirrorAscent(idn, new AscentOptions { Rate = 8, Share = 0.01 })),
        ("rates hedged, fixed share 0.5 %", DeliveryCell.Learner),
    ];

    public static PolicyRun Round(DeliveryWorld world, int slots, RoundingOptions options)
    {
        var idn = world.MakeIdn();
        return PolicyRun.Of(new Infida("infida", DeliveryCell.Learner(idn), options, DeliveryCell.Luck(world, "ablation")), DeliveryCell.Batches(world, idn, slots));
    }

    public static double Learn(DeliveryWorld world, int slots, Func<Idn, ILearner> make)
    {
        var idn = world.MakeIdn();
        return PolicyRun.OfLearner(make(idn), DeliveryCell.Batches(world, idn, slots));
    }
}
