using System.CommandLine;
using Fleet.Contracts;
using Fleet.Emulator.Fitting;
using Fleet.Emulator.Tables;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet profile`: hardware profiles as fits to published rows, how far they may be believed, and predictions from them.</summary>
public static class ProfileCommand
{
    public static Command Create() => new("profile", "Fit hardware profiles to published measurements; say how far they are off; predict other boards and networks.") { Show(), Fit(), Check(), Errors(), Predict(), ProfileCalibration.Create() };

    private static Command Show()
    {
        var name = new Argument<string?>("NAME") { Description = "Every number of this profile with tag and source; without it, all profiles.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("show", "The profiles that ship with Fleet, or all numbers of one. Tag K: nobody published it, a stand-in.") { name };
        command.SetAction(parsed => ProcessEdge.Guard(() => ProfileReport.Show(ProfileFile.ReadAll(ProjectFiles.Find("hardware-profiles")), parsed.GetValue(name))));
        return command;
    }

    private static Command Fit()
    {
        var (directory, output) = (DirectoryOption(), new Option<string?>("--out") { Description = "Directory to write to; without it, the one with the profiles." });
        var command = new Command("fit", "Write every profile anew from its recipe and the measured rows. The same input gives the same bytes.") { directory, output };
        command.SetAction(parsed => ProcessEdge.Guard(() => ProfileFiles.Write(parsed.GetValue(directory) ?? ProjectFiles.Find("hardware-profiles"), parsed.GetValue(output))));
        return command;
    }

    private static Command Check()
    {
        var directory = DirectoryOption();
        var command = new Command("check", "Read every profile, refit it, and say whether the file is what the fit writes. Exit code 1 when one is not.") { directory };
        command.SetAction(parsed => ProcessEdge.Guard(() => ProfileFiles.Check(parsed.GetValue(directory) ?? ProjectFiles.Find("hardware-profiles"))));
        return command;
    }

    private static Option<string?> DirectoryOption() => new("--profiles") { Description = "Directory with profiles, recipes and measured rows, instead of the one that ships with Fleet." };

    private static Command Errors()
    {
        var markdown = new Option<bool>("--markdown") { Description = "As the table in hardware-profiles/README.md." };
        var systems = new Option<bool>("--systems") { Description = "Every question by board and stack." };
        var command = new Command("errors", "Leave-one-out errors: every published figure predicted without it. Exit code 1 when one is above its bar.") { markdown, systems };
        command.SetAction(parsed => ProcessEdge.Guard(() =>
        {
            var lines = ErrorTable.Lines(MeasuredTables.Shipped());
            var (columns, cells) = parsed.GetValue(systems) ? (ErrorTable.SystemColumns, ErrorTable.BySystem(lines)) : (ErrorTable.Columns, lines.Select(ErrorTable.Cells));
            if (parsed.GetValue(markdown)) Console.Out.Write(Text.Markdown(columns, cells));
            else Figures.Columns([[.. columns.Select(column => column.TrimStart('>'))], .. cells.Select(line => line.ToArray())]);
            return lines.All(line => line.Holds) ? 0 : 1;
        }));
        return command;
    }

    private static Command Predict()
    {
        var rows = new Argument<string>("ROWS.csv") { Description = "Columns board, stack, model, calibrate_with." };
        var output = new Option<string?>("--out") { Description = "File to write; standard output without it." };
        var zoo = new Option<string?>("--zoo") { Description = "Directory with one directory a model, instead of the zoo that ships with Fleet." };
        var command = new Command("predict", "Predict latency and energy of networks on boards, from rows of the same board or from others' with the same stack. Lines that cannot be answered keep their place without figures; then the exit code is 2.") { rows, output, zoo };
        command.SetAction(parsed => ProcessEdge.Guard(() =>
        {
            var tables = MeasuredTables.Shipped();
            var names = new NetworkNames(tables.Networks, parsed.GetValue(zoo) ?? ProjectFiles.Find("models/zoo"));
            var file = parsed.GetRequiredValue(rows);
            var (answers, faults) = new PredictionFile(tables, ProfileFile.ReadAll(ProjectFiles.Find("hardware-profiles")), names.Find).Answer(file);
            Write(parsed.GetValue(output), answers);
            FaultsException.ThrowIfAny(file, faults);
            return 0;
        }));
        return command;
    }

    public static void Write(string? path, string text)
    {
        if (path is null)
        {
            Console.Out.Write(text);
            return;
        }
        try
        {
            File.WriteAllText(path, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultsException($"--out {path}", e.Message);
        }
    }
}
