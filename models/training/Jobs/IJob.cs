namespace Fleet.Training;

/// <summary>A part of the zoo that is made by training: it can be repeated, and what is trained already is taken from its checkpoint.</summary>
public interface IJob
{
    /// <summary>As the command line names it.</summary>
    string Name { get; }

    /// <summary>A sentence for the help.</summary>
    string Description { get; }

    Task Run(Workshop workshop);

    /// <summary>
    /// The file that this job would only write once more, since the same command has made it and nothing it builds on has been trained by this
    /// workshop; null when there is something to do.
    /// </summary>
    string? Standing(Workshop workshop) => workshop.StandingComparison(Name, Name);
}

/// <summary>All of them, in an order in which each finds what it needs.</summary>
public static class Jobs
{
    public static readonly IReadOnlyList<IJob> All =
    [
        JointJob.Fmnist,
        JointJob.Scenes,
        ReferenceJob.Scenes,
        BottleneckJob.Fmnist,
        BottleneckJob.Scenes,
        CodecJob.Fmnist,
        CodecJob.Scenes,
        TransferJob.Fmnist,
        TransferJob.Scenes,
        TransferJob.ScenesBlur,
        BottleneckTransferJob.Scenes,
        ExportJob.Fmnist,
        ExportJob.Scenes,
        new BranchyNetJob(),
        new BranchyNetExport(),
        new ServingRateJob(),
        new EarlyLabellingJob(),
        new DdnnJob(),
    ];
}
