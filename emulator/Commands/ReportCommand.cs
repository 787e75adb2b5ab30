using System.CommandLine;
using Fleet.Contracts;
using Fleet.Emulator.Reporting;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet report RUN`: the page of a run.</summary>
public static class ReportCommand
{
    public static Command Create()
    {
        var run = new Argument<string>("RUN") { Description = "Directory that `fleet run --out` wrote." };
        var output = new Option<string?>("--out") { Description = $"The page; {ReportPage.FileName} in the directory when left out." };
        var command = new Command("report", "Write one self-contained HTML page of a run: figures, plots, books, and the command that repeats it.") { run, output };
        command.SetAction(parsed => ProcessEdge.Guard(() => Write(parsed.GetRequiredValue(run), parsed.GetValue(output))));
        return command;
    }

    private static int Write(string run, string? output)
    {
        var page = ReportPage.Write(ReportData.Read(run));
        var path = output ?? Path.Combine(run, ReportPage.FileName);
        try
        {
            File.WriteAllText(path, page);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException($"--out {path}", e.Message);
        }
        Console.Out.WriteLine(path);
        return 0;
    }
}
