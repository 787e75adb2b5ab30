using System.Text;
using System.Text.RegularExpressions;

namespace Fleet.Contracts;

/// <summary>What a topic carries. The order is the order of <see cref="TopicRule.All"/>.</summary>
public enum TopicKind
{
    Summary,
    Plan,
    State,
    Info,
    Budget,
    Infer,
    Desired,
    Reported,
    Command,
    EdgeState,
    EdgeInfo,
    EdgeLoad,
    EdgeDesired,
    EdgeReported,
    GatewayState,
    Offload,
    Reply,
    Prediction,
    Placement,
    EdgeReply,
    ControllerState,
    Audit,
    Objective,
}

/// <summary>At most once, or at least once.</summary>
public enum Delivery
{
    AtMostOnce = 0,
    AtLeastOnce = 1,
}

/// <summary>The protocol's table: how each kind of message travels, and who sends it.</summary>
public sealed record TopicRule(TopicKind Kind, string Pattern, Delivery Delivery, bool Retained, string Sender, string Description)
{
    public const string Root = "fleet/v1";

    /// <summary>Tensors travel under a root of their own, so that a viewer subscribed to the fleet never receives one.</summary>
    public const string DataRoot = "fleet-data/v1";

    internal const string SitePart = "{site}", IdPart = "{id}", CommandPart = "{command}";

    public static readonly IReadOnlyList<TopicRule> All =
    [
        new(TopicKind.Summary, Root + "/{site}/_summary", Delivery.AtLeastOnce, true, "controller", "The site in numbers."),
        new(TopicKind.Plan, Root + "/{site}/_plan", Delivery.AtLeastOnce, true, "controller", "The plan in force and what it is expected to give."),
        new(TopicKind.State, Root + "/{site}/{id}/state", Delivery.AtLeastOnce, true, "device", "One word; lost is the will."),
        new(TopicKind.Info, Root + "/{site}/{id}/info", Delivery.AtLeastOnce, true, "device", "What the device is."),
        new(TopicKind.Budget, Root + "/{site}/{id}/budget", Delivery.AtMostOnce, true, "device", "What the device can spare now."),
        new(TopicKind.Infer, Root + "/{site}/{id}/infer", Delivery.AtMostOnce, false, "device", "One window of inferences."),
        new(TopicKind.Desired, Root + "/{site}/{id}/desired", Delivery.AtLeastOnce, true, "controller", "What the device shall run."),
        new(TopicKind.Reported, Root + "/{site}/{id}/reported", Delivery.AtLeastOnce, true, "device", "What the device runs, and the error if it could not change."),
        new(TopicKind.Command, Root + "/{site}/{id}/cmd/{command}", Delivery.AtLeastOnce, true, "controller and device", "A command with its status."),
        new(TopicKind.EdgeState, Root + "/{site}/_edge/{id}/state", Delivery.AtLeastOnce, true, "edge server", "One word; lost is the will."),
        new(TopicKind.EdgeInfo, Root + "/{site}/_edge/{id}/info", Delivery.AtLeastOnce, true, "edge server", "What the edge server is."),
        new(TopicKind.EdgeLoad, Root + "/{site}/_edge/{id}/load", Delivery.AtMostOnce, true, "edge server", "Queue, rate and capacity over one window."),
        new(TopicKind.EdgeDesired, Root + "/{site}/_edge/{id}/desired", Delivery.AtLeastOnce, true, "controller", "Which tails the edge server shall hold."),
        new(TopicKind.EdgeReported, Root + "/{site}/_edge/{id}/reported", Delivery.AtLeastOnce, true, "edge server", "Which tails the edge server holds."),
        new(TopicKind.GatewayState, Root + "/{site}/_gateway/{id}/state", Delivery.AtLeastOnce, true, "gateway", "One word; a connection that carries many devices wills its own state."),
        new(TopicKind.Offload, DataRoot + "/{site}/_edge/{id}/offload", Delivery.AtMostOnce, false, "device", "One binary tensor frame."),
        new(TopicKind.Reply, DataRoot + "/{site}/{id}/reply", Delivery.AtMostOnce, false, "edge server", "The answer to one offload."),
        new(TopicKind.Prediction, Root + "/{site}/{id}/prediction", Delivery.AtLeastOnce, true, "emulator", "What a real board's profile predicts, beside what it measures."),
        new(TopicKind.Placement, DataRoot + "/{site}/_edge/{id}/placement", Delivery.AtLeastOnce, false, "edge server", "What nodes that learn together where models go tell each other along a request path."),
        new(TopicKind.EdgeReply, DataRoot + "/{site}/_edge/{id}/reply", Delivery.AtMostOnce, false, "edge server", "The answer to what an edge server has passed on."),
        new(TopicKind.ControllerState, Root + "/{site}/_controller", Delivery.AtLeastOnce, true, "controller", "One word, again in each report period; said where devices decide for themselves. Lost is the will."),
        new(TopicKind.Audit, DataRoot + "/{site}/{id}/audit", Delivery.AtMostOnce, false, "device", "One input drawn to check the exits: what they make of it, and what the tail says."),
        new(TopicKind.Objective, Root + "/{site}/_objective", Delivery.AtLeastOnce, true, "operator", "What is wanted of the site: the controller keeps to it until it is cleared."),
    ];

    private static readonly TopicRule[] ByKind = [.. All];

    /// <summary>Whether receivers are told when what is retained is taken back: so an operator's wish ends, and so somebody who is gone is forgotten.</summary>
    public bool IsTakenBack => Kind is TopicKind.Objective or TopicKind.Info or TopicKind.EdgeInfo;

    /// <summary>Whether a person types it: a key that nobody knows is a slip then, and refused. From programs it may be a newer one's, and is passed over.</summary>
    public bool IsTyped => Kind is TopicKind.Objective;

    /// <summary>The pattern cut at the names that stand in it.</summary>
    internal string[] Parts { get; } = [.. Regex.Split(Pattern, "({[a-z]+})").Where(part => part.Length > 0)];

    public static TopicRule Of(TopicKind kind) => ByKind[(int)kind];
}

/// <summary>An address of the protocol; equal by what it is composed of.</summary>
public sealed record Topic
{
    /// <summary>Characters of the longest path.</summary>
    private const int PathMax = 256;

    private const int LevelsMax = 6;

    // Composed when it is first asked for: of very many devices nobody does.
    private string? path;

    public Topic(TopicKind kind, string site, string id = "", string command = "") => (Kind, Site, Id, CommandId) = (kind, site, id, command);

    public TopicKind Kind { get; }

    public string Site { get; }

    /// <summary>Device, edge server or gateway; empty for what concerns the site.</summary>
    public string Id { get; }

    public string CommandId { get; }

    public string Path => path ??= Compose();

    public TopicRule Rule => TopicRule.Of(Kind);

    public bool Equals(Topic? other) => other is not null && Kind == other.Kind && Id == other.Id && Site == other.Site && CommandId == other.CommandId;

    public override int GetHashCode() => (Kind, Site, Id, CommandId).GetHashCode();

    public override string ToString() => Path;

    /// <summary>Writes the path in ASCII; returns its length.</summary>
    public int WritePath(Span<byte> to)
    {
        var at = 0;
        foreach (var part in Rule.Parts) at += Encoding.ASCII.GetBytes(Text(part), to[at..]);
        return at;
    }

    /// <summary>The filter that matches this kind for every device (or edge server) of a site.</summary>
    public static string Filter(TopicKind kind, string site) => new Topic(kind, site, "+", "+").Path;

    /// <summary>Reads a path as it came over the wire; false when the protocol has no such topic.</summary>
    public static bool TryParse(ReadOnlySpan<byte> path, out Topic topic)
    {
        topic = null!;
        Span<char> text = stackalloc char[PathMax];
        return path.Length <= PathMax && Encoding.UTF8.TryGetChars(path, text, out var length) && TryParse(text[..length], out topic);
    }

    /// <summary>Reads a path; false when the protocol has no such topic.</summary>
    public static bool TryParse(ReadOnlySpan<char> path, out Topic topic)
    {
        var isKnown = TrySplit(path, out var kind, out var site, out var id, out var command);
        topic = isKnown ? new Topic(kind, new string(site), new string(id), new string(command)) : null!;
        return isKnown;
    }

    /// <summary>Of a path; null when the protocol has no such topic.</summary>
    public static TopicKind? KindOf(ReadOnlySpan<char> path) => TrySplit(path, out var kind, out _, out _, out _) ? kind : null;

    private static bool TrySplit(ReadOnlySpan<char> path, out TopicKind kind, out ReadOnlySpan<char> site, out ReadOnlySpan<char> id, out ReadOnlySpan<char> command)
    {
        kind = default;
        site = id = command = default;
        Span<Range> levels = stackalloc Range[LevelsMax + 1];
        var count = path.Split(levels, '/');
        if (count is < 4 or > LevelsMax || path[levels[1]] is not "v1") return false;
        var root = path[levels[0]];
        var third = path[levels[3]];
        var last = path[levels[count - 1]];
        var fourth = count == LevelsMax ? path[levels[4]] : default;
        TopicKind? found = root switch
        {
            "fleet" => count == 4 ? OfSite(third) : count == 5 ? OfDevice(last) : third switch { "_edge" => OfEdge(last), "_gateway" when last is "state" => TopicKind.GatewayState, _ when fourth is "cmd" => TopicKind.Command, _ => null },
            "fleet-data" => count == 5 ? OfDeviceData(last) : count == LevelsMax && third is "_edge" ? OfEdgeData(last) : null,
            _ => null,
        };
        if (found is null) return false;
        kind = found.Value;
        site = path[levels[2]];
        id = count == 4 ? default : count == LevelsMax && kind is not TopicKind.Command ? fourth : third;
        command = kind is TopicKind.Command ? last : default;
        return Name.IsValid(site) && (count <= 4 || Name.IsValid(id)) && (kind is not TopicKind.Command || Name.IsValid(command));
    }

    private static TopicKind? OfSite(ReadOnlySpan<char> level) => level switch
    {
        "_summary" => TopicKind.Summary,
        "_plan" => TopicKind.Plan,
        "_controller" => TopicKind.ControllerState,
        "_objective" => TopicKind.Objective,
        _ => null,
    };

    private static TopicKind? OfDevice(ReadOnlySpan<char> level) => level switch
    {
        "state" => TopicKind.State,
        "info" => TopicKind.Info,
        "budget" => TopicKind.Budget,
        "infer" => TopicKind.Infer,
        "desired" => TopicKind.Desired,
        "reported" => TopicKind.Reported,
        "prediction" => TopicKind.Prediction,
        _ => null,
    };

    private static TopicKind? OfDeviceData(ReadOnlySpan<char> level) => level switch
    {
        "reply" => TopicKind.Reply,
        "audit" => TopicKind.Audit,
        _ => null,
    };

    private static TopicKind? OfEdge(ReadOnlySpan<char> level) => level switch
    {
        "state" => TopicKind.EdgeState,
        "info" => TopicKind.EdgeInfo,
        "load" => TopicKind.EdgeLoad,
        "desired" => TopicKind.EdgeDesired,
        "reported" => TopicKind.EdgeReported,
        _ => null,
    };

    private static TopicKind? OfEdgeData(ReadOnlySpan<char> level) => level switch
    {
        "offload" => TopicKind.Offload,
        "placement" => TopicKind.Placement,
        "reply" => TopicKind.EdgeReply,
        _ => null,
    };

    private string Compose()
    {
        var parts = Rule.Parts;
        return string.Create(parts.Sum(part => Text(part).Length), this, static (to, topic) =>
        {
            foreach (var part in topic.Rule.Parts)
            {
                topic.Text(part).CopyTo(to);
                to = to[topic.Text(part).Length..];
            }
        });
    }

    /// <summary>What stands for a part of the pattern.</summary>
    private string Text(string part) => part switch
    {
        TopicRule.SitePart => Site,
        TopicRule.IdPart => Id,
        TopicRule.CommandPart => CommandId,
        _ => part,
    };
}
