using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Controller;

/// <summary>
/// Devices that run a group's model together with one edge server. Nobody plans them: who sees what is how cameras hang, and the
/// network was trained for it. Devices and edge server are taken from the planner's fleet.
/// </summary>
/// <param name="Name">The group's.</param>
/// <param name="Model">What it runs.</param>
/// <param name="Edge">Where it is answered; it serves nobody else.</param>
/// <param name="Members">The device of view 1, 2, ....</param>
/// <param name="Gather">How long the edge server waits, twice a sample, for what the devices send.</param>
public sealed record ViewGroup(string Name, GroupFiles Model, string Edge, IReadOnlyList<string> Members, Seconds Gather)
{
    /// <summary>An exit threshold that no confidence reaches: a device alone answers only when nobody else does.</summary>
    private const double Never = 2;

    /// <summary>"NAME=MODEL@EDGE:DEVICE,DEVICE,..." as the command line gives it, one device a view.</summary>
    /// <exception cref="FaultsException">It is not of that form, or the model is none of <paramref name="models"/>, or has another number of views.</exception>
    public static ViewGroup Parse(string text, IReadOnlyDictionary<string, GroupFiles> models, Seconds gather)
    {
        var (name, rest) = Split(text, '=');
        var (model, place) = Split(rest, '@');
        var (edge, devices) = Split(place, ':');
        if (!models.TryGetValue(model, out var files)) throw new FaultsException("--group", $"names model \"{model}\"; allowed: {string.Join(", ", models.Keys)}");
        var group = new ViewGroup(name, files, edge, devices.Split(','), gather);
        FaultsException.ThrowIfAny("--group", group.Faults());
        return group;

        (string, string) Split(string whole, char at) => whole.IndexOf(at, StringComparison.Ordinal) is > 0 and var place
            ? (whole[..place], whole[(place + 1)..])
            : throw new FaultsException("--group", $"is \"{text}\"; allowed: NAME=MODEL@EDGE:DEVICE,DEVICE,... with one device a view");
    }

    /// <summary>What is wrong with it, one sentence a fault.</summary>
    public IEnumerable<string> Faults()
    {
        if (!Contracts.Name.IsValid(Name)) yield return Contracts.Name.Fault("group", Name);
        if (!Contracts.Name.IsValid(Edge)) yield return Contracts.Name.Fault("edge", Edge);
        foreach (var member in Members.Where(member => !Contracts.Name.IsValid(member))) yield return Contracts.Name.Fault("device", member);
        if (Members.Distinct().Count() != Members.Count) yield return $"devices are {string.Join(", ", Members)}; each stands once";
        if (Members.Count != Model.Card.Views.Count) yield return $"{Members.Count} devices; {Model.Card.Name} has {Model.Card.Views.Count} views";
        if (!(Gather.Value is > 0 and <= 60)) yield return $"gather_s is {Gather.Value}; allowed: above 0 to 60";
    }

    /// <summary>What the device of view 1.. shall run.</summary>
    public Assignment Assign(int view, ControllerOptions options) => new()
    {
        Version = 0,
        Epoch = 0,
        Model = Model.Card.Name,
        CardSha256 = Model.CardSha256,
        Head = 1,
        ArtifactsUrl = options.ArtifactsUrl,
        Cut = 1,
        FeatureDType = FeatureCodec.Bits,
        Thresholds = new PerExit([Never]),
        Temperatures = new PerExit([Model.Card.View(view).Temperature]),
        OffloadTo = Edge,
        Deadline = options.Deadline,
        Group = Name,
        View = view,
        ReportPeriod = options.ReportPeriod,
        BudgetPeriod = options.BudgetPeriod,
        Reason = $"view {view} of {Members.Count} in its group",
    };

    /// <summary>What its edge server shall hold.</summary>
    public TailAssignment AssignTails(ControllerOptions options) => new()
    {
        Version = 0,
        Epoch = 0,
        Model = Model.Card.Name,
        CardSha256 = Model.CardSha256,
        ArtifactsUrl = options.ArtifactsUrl,
        Tails = "",
        Temperature = Model.Card.Cloud.Temperature,
        Gather = Gather,
        ReportPeriod = options.ReportPeriod,
        Reason = $"answers group {Name}",
    };
}
