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
    ];

    private static readonly TopicRule[] ByKind = [.. All];

    public static TopicRule Of(TopicKind kind) => ByKind[(int)kind];
}

/// <summary>An address of the protocol. Made once and kept: its path is composed at construction.</summary>
public sealed record Topic
{
    public Topic(TopicKind kind, string site, string id = "", string command = "")
    {
        Kind = kind;
        Site = site;
        Id = id;
        CommandId = command;
        Path = TopicRule.Of(kind).Pattern
            .Replace("{site}", site, StringComparison.Ordinal)
            .Replace("{id}", id, StringComparison.Ordinal)
            .Replace("{command}", command, StringComparison.Ordinal);
    }

    public TopicKind Kind { get; }

    public string Site { get; }

    /// <summary>Device, edge server or gateway; empty for what concerns the site.</summary>
    public string Id { get; }

    public string CommandId { get; }

    public string Path { get; }

    public TopicRule Rule => TopicRule.Of(Kind);

    public override string ToString() => Path;

    /// <summary>The filter that matches this kind for every device (or edge server) of a site.</summary>
    public static string Filter(TopicKind kind, string site) => new Topic(kind, site, "+", "+").Path;

    /// <summary>Reads a path; false when the protocol has no such topic.</summary>
    public static bool TryParse(string path, out Topic topic)
    {
        topic = null!;
        var levels = path.Split('/');
        if (levels.Length is < 4 or > 6 || levels[1] != "v1" || !Name.IsValid(levels[2])) return false;
        if (KindOf(levels) is not { } kind) return false;
        var underscored = levels[3] is "_edge" or "_gateway";
        var id = levels.Length == 4 ? "" : underscored ? levels[4] : levels[3];
        var command = kind is TopicKind.Command ? levels[5] : "";
        if (levels.Length > 4 && !Name.IsValid(id) || kind is TopicKind.Command && !Name.IsValid(command)) return false;
        topic = new Topic(kind, levels[2], id, command);
        return topic.Path == path;
    }

    private static TopicKind? KindOf(string[] levels) => (levels[0], levels.Length, levels[3], levels[^1]) switch
    {
        ("fleet", 4, "_summary", _) => TopicKind.Summary,
        ("fleet", 4, "_plan", _) => TopicKind.Plan,
        ("fleet", 6, "_edge", "state") => TopicKind.EdgeState,
        ("fleet", 6, "_edge", "info") => TopicKind.EdgeInfo,
        ("fleet", 6, "_edge", "load") => TopicKind.EdgeLoad,
        ("fleet", 6, "_edge", "desired") => TopicKind.EdgeDesired,
        ("fleet", 6, "_edge", "reported") => TopicKind.EdgeReported,
        ("fleet", 6, "_gateway", "state") => TopicKind.GatewayState,
        ("fleet", 5, _, "state") => TopicKind.State,
        ("fleet", 5, _, "info") => TopicKind.Info,
        ("fleet", 5, _, "budget") => TopicKind.Budget,
        ("fleet", 5, _, "infer") => TopicKind.Infer,
        ("fleet", 5, _, "desired") => TopicKind.Desired,
        ("fleet", 5, _, "reported") => TopicKind.Reported,
        ("fleet", 5, _, "prediction") => TopicKind.Prediction,
        ("fleet", 6, _, _) when levels[4] == "cmd" => TopicKind.Command,
        ("fleet-data", 6, "_edge", "offload") => TopicKind.Offload,
        ("fleet-data", 6, "_edge", "placement") => TopicKind.Placement,
        ("fleet-data", 5, _, "reply") => TopicKind.Reply,
        _ => null,
    };
}
