namespace Fleet.Training;

/// <summary>What the executable does, with everything the command line decides.</summary>
public sealed class Commands(TextWriter output, TimeProvider clock)
{
    public const string Everything = "all";

    /// <summary>Runs one job, or all.</summary>
    /// <exception cref="Contracts.FaultsException">Data is missing or damaged, or an export does not hold; the message says what.</exception>
    public async Task Train(string name, WorkshopOptions options)
    {
        var workshop = new Workshop(options, output, clock);
        foreach (var job in Jobs.All.Where(job => name is Everything || job.Name == name)) await job.Run(workshop);
    }
}
