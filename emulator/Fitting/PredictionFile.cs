using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Tables;
using Fleet.Models.Profiling;

namespace Fleet.Emulator.Fitting;

/// <summary>
/// A table of questions (board, stack, model, calibrate_with) answered with latency and energy. A board is a name of the published
/// rows or a profile's id; calibrate_with is empty, a benchmark measured on that board with that stack, or "benchmark=latency_ms";
/// several stand apart by semicolons.
/// </summary>
/// <param name="tables">The published rows.</param>
/// <param name="profiles">By id.</param>
/// <param name="network">The network of a name or a path; throws <see cref="FaultsException"/> when there is none.</param>
public sealed class PredictionFile(MeasuredTables tables, IReadOnlyDictionary<string, HardwareProfile> profiles, Func<string, Network> network)
{
    private const string QuantisedSuffix = "_int8";

    /// <summary>What people write where they have nothing to say.</summary>
    private static readonly HashSet<string> Nothing = new(StringComparer.OrdinalIgnoreCase) { "", "N/A", "none", "-" };

    private static readonly string[] Asked = ["board", "stack", "model", "calibrate_with"];
    private static readonly string[] Answered = ["predicted_latency_ms", "predicted_energy_uj", "note"];

    private readonly Predictor predictor = new(tables, profiles);

    /// <summary>
    /// The input's columns and lines, with the answers behind them, in the stead of older answers. A line that cannot be answered keeps its place without figures,
    /// its note says why, and it is among the faults.
    /// </summary>
    /// <exception cref="FaultsException">The file cannot be read, or lacks a column.</exception>
    public (string Text, IReadOnlyList<string> Faults) Answer(string path)
    {
        var lines = CsvTable.Read(path, Asked);
        var columns = lines.Count > 0 ? lines[0].Cells.Keys.Except(Answered).ToList() : [.. Asked];
        var faults = new List<string>();
        var answers = new List<IReadOnlyList<string>>();
        foreach (var line in lines)
        {
            try
            {
                var prediction = Predict(line["board"], line["stack"], line["model"], line["calibrate_with"]);
                answers.Add([.. columns.Select(column => line[column]), Figure(prediction.Latency.Value * 1e3), prediction.Energy is { } energy ? Figure(energy.Value * 1e6) : Text.Nothing, prediction.Note]);
            }
            catch (FaultsException e)
            {
                var why = e.Faults.Select(fault => $"{e.Subject} {fault}").ToList();
                answers.Add([.. columns.Select(column => line[column]), Text.Nothing, Text.Nothing, "not predicted: " + string.Join("; ", why)]);
                faults.AddRange(why.Select(fault => $"line {line.Line}: {fault}"));
            }
        }
        return (Text.Csv([.. columns, .. Answered], answers), faults);
    }

    /// <exception cref="FaultsException">The subject is the column at fault.</exception>
    public Prediction Predict(string board, string stack, string model, string calibrateWith)
    {
        if (board.Length == 0) throw new FaultsException("board", "is empty");
        if (model.Length == 0) throw new FaultsException("model", "is empty");
        if (Nothing.Contains(stack)) stack = "";
        var asked = Asking(model);
        if (IsQuantised(model)) stack = stack.Replace("fp32", "int8", StringComparison.OrdinalIgnoreCase);
        var prediction = Profile(board, stack) is { } profile && IsOf(profile, stack)
            ? OfProfile(profile, asked, SystemNames.SaidPrecision(stack), Calibration(calibrateWith, null))
            : OfSystem(board, stack, asked, calibrateWith);
        return SystemNames.Key(model).StartsWith(SystemNames.Key(asked.Name), StringComparison.Ordinal) ? prediction : prediction with { Note = $"{prediction.Note}; the model is {asked.Name}" };
    }

    /// <summary>Publishers of ncnn's rows name the precision with the model.</summary>
    private Network Asking(string model) => IsQuantised(model) ? network(model[..^QuantisedSuffix.Length]) with { Int8Share = 1 } : network(model);

    private static bool IsQuantised(string model) => model.EndsWith(QuantisedSuffix, StringComparison.OrdinalIgnoreCase);

    private Prediction OfSystem(string board, string stack, Network asked, string calibrateWith)
    {
        if (Profile(board, stack) is { } profile)
        {
            board = profile.Fit is { } fit ? tables.System(fit.System).Target.Board : profile.Board; // As the rows spell it.
            if (stack.Length == 0 || SystemNames.Key(stack) == SystemNames.Key(profile.Stack)) stack = profile.Fit?.System ?? stack;
        }
        var found = SystemNames.Find(tables, board, stack, asked.Precision, out var fault) ?? throw new FaultsException("stack", fault);
        var calibration = Calibration(calibrateWith, found);
        var prediction = predictor.Predict(found, asked, calibration)
            ?? throw new FaultsException("board", $"\"{board}\" is not measured with this stack{(asked.Precision is Precision.Int8 ? " in int8" : "")}, and its clock is not known; give calibrate_with as benchmark=latency_ms. Boards known by their clock: {string.Join(", ", tables.Boards.Select(known => known.Board))}");
        return asked.Precision is { } files && files != found.Target.Precision ? prediction with { Note = $"{prediction.Note}; the model's file is {Name(files)}, this stack's rows are {Name(found.Target.Precision)}" }
            : asked.Int8Share is > 0 and < 1 and var share ? prediction with { Note = $"{prediction.Note}; {Percent(share)} of the model's MACs are int8, predicted as if all were {Name(found.Target.Precision)}" }
            : prediction;
    }

    /// <summary>
    /// By its id; by the name of its board, where no rows of that board are known, or of its chip; or by board and stack, where the stack is another than the
    /// measured one.
    /// </summary>
    private HardwareProfile? Profile(string board, string stack) =>
        profiles.GetValueOrDefault(board)
        ?? profiles.Values.FirstOrDefault(profile => profile.Fit is null && SystemNames.Key(profile.Board) == SystemNames.Key(board))
        ?? profiles.Values.FirstOrDefault(profile => profile.Fit is { IsCarriedOver: true } fit && stack.Length > 0 && IsOf(profile, stack) && SystemNames.IsOn(tables, board, tables.System(fit.System)))
        ?? profiles.Values.FirstOrDefault(profile => SystemNames.IsChip(board, profile.Soc));

    /// <summary>Whether the profile itself speaks of this stack: its own, and not the one that was measured.</summary>
    private static bool IsOf(HardwareProfile profile, string stack) =>
        profile.Fit is not { IsCarriedOver: false } && (stack.Length == 0 || SystemNames.Key(stack) == SystemNames.Key(profile.Stack) || SystemNames.IsPartOf(stack, profile.Stack));

    private static Prediction OfProfile(HardwareProfile profile, Network asked, Precision? said, IReadOnlyList<KnownTime>? calibration)
    {
        double Int8Share(Network network) => said is Precision.Int8 ? 1 : network.Int8Share ?? 0;
        Seconds Claim(Network network) => profile.NominalTime(network.Work.Kernels, Precision.Float32) * (1 - Int8Share(network)) + profile.NominalTime(network.Work.Kernels, Precision.Int8) * Int8Share(network);
        var scale = calibration is { Count: > 0 } ? RateFit.Scale(calibration, known => Claim(known).Value) : 1;
        var how = calibration is { Count: > 0 } ? $", scaled to {string.Join(", ", calibration.Select(time => time.Network.Name))}" : "";
        var int8 = Int8Share(asked) > 0 && profile.Compute is { DType: not "int8", Int8TimeRatio: { } ratio }
            ? string.Create(CultureInfo.InvariantCulture, $"; {Percent(Int8Share(asked))} of the MACs in int8 at {ratio.Value} of fp32's time ({ProfileText.Letter(ratio.Confidence)})") : "";
        var power = new ActivePower(profile.Power.Active.Value, profile.Power.Active.Confidence, profile.Power.Active.Source);
        return new Prediction(Claim(asked) * scale, power.Power * (Claim(asked) * scale), $"profile {profile.Id}{how}{int8}; {power.Note}");
    }

    private List<KnownTime>? Calibration(string text, FoundSystem? found)
    {
        if (Nothing.Contains(text)) return null;
        var times = new List<KnownTime>();
        foreach (var part in text.Split([';', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var sides = part.Split('=', 2, StringSplitOptions.TrimEntries);
            if (double.TryParse(sides[0], NumberStyles.Float, CultureInfo.InvariantCulture, out _)) throw new FaultsException("calibrate_with", $"is \"{part}\"; expected a benchmark measured there, or benchmark=latency_ms");
            times.Add(new KnownTime(Benchmark(sides[0], found), sides.Length == 2 ? Milliseconds(sides[1]) : Published(sides[0], found)));
        }
        return times.Count > 0 ? times : null;
    }

    private Network Benchmark(string name, FoundSystem? found)
    {
        try
        {
            return found is null ? Asking(name) : tables.NamedAs(Asking(name), found.Target.World);
        }
        catch (FaultsException e)
        {
            throw new FaultsException("calibrate_with", e.Faults);
        }
    }

    private static Seconds Milliseconds(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value > 0 && double.IsFinite(value)
            ? new Seconds(value / 1e3)
            : throw new FaultsException("calibrate_with", $"gives \"{text}\"; expected milliseconds above 0");

    private Seconds Published(string benchmark, FoundSystem? found)
    {
        var asked = Benchmark(benchmark, found);
        if (found?.System?.Row(asked) is { } row) return row.Latency;
        var sibling = tables.Systems.FirstOrDefault(system => found is not null && system.Target.BoardKey == found.Target.BoardKey && system.Target.IsSameStackAs(found.Target) && system.Row(asked) is not null);
        if (sibling?.Row(asked) is { } same) return same.Latency;
        var measured = found?.System?.Rows.Select(row => row.Network.Name).ToList() ?? [];
        throw new FaultsException("calibrate_with", $"names {benchmark}, which is not measured there; measured: {(measured.Count > 0 ? string.Join(", ", measured) : "nothing")}. A time of one's own is given as {benchmark}=latency_ms");
    }

    private static string Name(Precision precision) => precision is Precision.Int8 ? "int8" : "fp32";

    private static string Percent(double share) => (share * 100).ToString("0.#", CultureInfo.InvariantCulture) + " %";

    /// <summary>Five digits, without an exponent: more than any prediction is worth, enough for a repeated measurement to be told apart.</summary>
    private static string Figure(double value) => decimal.Parse(value.ToString("G5", CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture).ToString("0.############", CultureInfo.InvariantCulture);
}
