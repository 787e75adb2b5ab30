using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Offloading;

namespace Fleet.DeviceAgent;

/// <summary>
/// What a device has learnt about its own exits, through all assignments of one model: another head, edge server or decider goes on from there, another
/// model begins anew, since its exits are other exits.
/// </summary>
public sealed class Learners
{
    private Learnt? learnt;

    /// <summary>Why nobody can decide for an assignment, one sentence a fault.</summary>
    public static IEnumerable<string> Faults(Assignment assignment, ModelCard model) =>
    [
        .. Outlook.Faults(assignment.Outlook, "head", assignment.Head),
        .. Labels(assignment).Where(label => label >= model.Classes.Count).Select(label => $"alarm_classes names class {label}; {model.Name} has classes 0 to {model.Classes.Count - 1}"),
    ];

    /// <summary>Who decides for an assignment without faults; null: its thresholds do.</summary>
    /// <param name="isAlone">No controller is there.</param>
    public Decider? For(Assignment assignment, ModelCard model, bool isAlone)
    {
        if (assignment.OffloadTo.Length == 0 || assignment.View > 0 || Kind(assignment, isAlone) is not { } kind) return null;
        if (learnt?.Card != assignment.CardSha256) learnt = new Learnt(assignment.CardSha256);
        var (exit, price) = (assignment.Head, assignment.ErrorPrice!.Value.Value);
        return kind switch
        {
            DecisionKind.Hierarchical => new HierarchicalDecider(new Hierarchical(Outlook.Parse(assignment.Outlook!), price, first: 1, assignment.Head, assignment.Cut)),
            DecisionKind.HiLcb => new HiLcbDecider(learnt.Monotone[exit - 1] ??= new HiLcb(isMonotone: true), exit, price),
            DecisionKind.HiLcbLite => new HiLcbDecider(learnt.Lite[exit - 1] ??= new HiLcb(isMonotone: false), exit, price),
            _ => new H2t2Decider(learnt.Pairs[exit - 1] ??= new H2t2(), exit, price, Alarms(assignment, model)),
        };
    }

    /// <summary>What a needless and a missed alarm cost; none where the assignment names no classes.</summary>
    public static AlarmCosts Alarms(Assignment assignment, ModelCard model)
    {
        if (assignment.AlarmClasses is null) return AlarmCosts.None;
        var alarms = new bool[model.Classes.Count];
        foreach (var label in Labels(assignment)) alarms[label] = true;
        return new AlarmCosts(assignment.AlarmMissed ?? 1, assignment.AlarmFalse ?? 1, alarms);
    }

    private static IEnumerable<int> Labels(Assignment assignment) =>
        assignment.AlarmClasses?.Split(',').Select(text => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture)) ?? [];

    private static DecisionKind? Kind(Assignment assignment, bool isAlone) => isAlone ? assignment.Alone ?? assignment.Decision : assignment.Decision;

    /// <summary>Of one model, for each exit from the first.</summary>
    private sealed class Learnt(string card)
    {
        public string Card => card;

        public HiLcb?[] Monotone { get; } = new HiLcb?[PerExit.Max];

        public HiLcb?[] Lite { get; } = new HiLcb?[PerExit.Max];

        public H2t2?[] Pairs { get; } = new H2t2?[PerExit.Max];
    }
}
