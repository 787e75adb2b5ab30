using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Tables;

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

    /// <summary>What some publishers write where they name no software.</summary>
    private const string NoStack = "N/A";

    private static readonly string[] Asked = ["board", "stack", "model", "calibrate_with"];
    private static readonly string[] Answered = ["predicted_latency_ms", "predicted_energy_uj", "note"];

    private readonly Predictor predictor = new(tables, profiles);

    /// <summary>
    /// The input's columns and lines, with the answers behind them. A line that cannot be answered keeps its place without figures, its note says why, and
    /// it is among the faults.
    /// </summary>
    /// <exception cref="FaultsException">The file cannot be read, or lacks a column.</exception>
    public (string Text, IReadOnlyList<string> Faults) Answer(string path)
    {
        var lines = CsvTable.Read(path, Asked);
        var columns = lines.Count > 0 ? lines[0].Cells.Keys.ToList() : [.. Asked];
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
        if (stack == NoStack) stack = "";
        // Publishers of ncnn's rows name the precision with the model.
        if (model.EndsWith(QuantisedSuffix, StringComparison.Ordinal) && tables.Networks.ContainsKey(model[..^QuantisedSuffix.Length]))
            (model, stack) = (model[..^QuantisedSuffix.Length], stack.Contains("int8", StringComparison.OrdinalIgnoreCase) ? stack : (stack + " int8").Replace("fp32", "", StringComparison.Ordinal).Trim());
        var asked = network(model);
        if (Profile(board) is { } profile)
        {
            if (IsOf(profile, stack)) return OfProfile(profile, asked, Calibration(calibrateWith, null));
            board = profile.Fit is { } fit ? tables.System(fit.System).Target.Board : profile.Board; // As the rows spell it.
            if (stack.Length == 0 || SystemNames.Key(stack) == SystemNames.Key(profile.Stack)) stack = profile.Fit?.System ?? stack;
        }
        var found = SystemNames.Find(tables, board, stack, out var fault) ?? throw new FaultsException("stack", fault);
        var calibration = Calibration(calibrateWith, found);
        return predictor.Predict(found, asked, calibration)
            ?? throw new FaultsException("board", $"\"{board}\" is not measured and its clock is not known; give calibrate_with as benchmark=latency_ms. Boards known by their clock: {string.Join(", ", tables.Boards.Select(known => known.Board))}");
    }

    /// <summary>By its id, or by its board's name where no rows of that board are known.</summary>
    private HardwareProfile? Profile(string board) => profiles.GetValueOrDefault(board) ?? profiles.Values.FirstOrDefault(profile => profile.Fit is null && SystemNames.Key(profile.Board) == SystemNames.Key(board));

    /// <summary>Whether the profile itself speaks of this stack: its own, and not the one that was measured.</summary>
    private static bool IsOf(HardwareProfile profile, string stack) =>
        profile.Fit is not { IsCarriedOver: false } && (SystemNames.Key(stack) == SystemNames.Key(profile.Stack) || SystemNames.IsPartOf(stack, profile.Stack) && (profile.Fit is null || stack.Length == 0));

    private static Prediction OfProfile(HardwareProfile profile, Network asked, IReadOnlyList<KnownTime>? calibration)
    {
        var claim = profile.NominalTime(asked.Work.Kernels, Precision.Float32);
        var scale = calibration is { Count: > 0 } ? RateFit.Scale(calibration, known => profile.NominalTime(known.Work.Kernels, Precision.Float32).Value) : 1;
        var how = calibration is { Count: > 0 } ? $", scaled to {string.Join(", ", calibration.Select(time => time.Network.Name))}" : "";
        var power = new ActivePower(profile.Power.Active.Value, profile.Power.Active.Confidence, profile.Power.Active.Source);
        return new Prediction(claim * scale, power.Power * (claim * scale), $"profile {profile.Id}{how}; {power.Note}");
    }

    private List<KnownTime>? Calibration(string text, FoundSystem? found)
    {
        if (text.Length == 0) return null;
        var times = new List<KnownTime>();
        foreach (var part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var sides = part.Split('=', 2, StringSplitOptions.TrimEntries);
            times.Add(new KnownTime(Benchmark(sides[0]), sides.Length == 2 ? Milliseconds(sides[1]) : Published(sides[0], found)));
        }
        return times.Count > 0 ? times : null;
    }

    private Network Benchmark(string name)
    {
        try
        {
            return network(name);
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
        var name = network(benchmark).Name;
        if (found?.System?.Row(name) is { } row) return row.Latency;
        var sibling = tables.Systems.FirstOrDefault(system => found is not null && system.Target.BoardKey == found.Target.BoardKey && system.Target.IsSameStackAs(found.Target) && system.Row(name) is not null);
        if (sibling?.Row(name) is { } same) return same.Latency;
        var measured = found?.System?.Rows.Select(row => row.Network.Name).ToList() ?? [];
        throw new FaultsException("calibrate_with", $"names {benchmark}, which is not measured there; measured: {(measured.Count > 0 ? string.Join(", ", measured) : "nothing")}. A time of one's own is given as {benchmark}=latency_ms");
    }

    /// <summary>Five digits, without an exponent: more than any prediction is worth, enough for a repeated measurement to be told apart.</summary>
    private static string Figure(double value) => decimal.Parse(value.ToString("G5", CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture).ToString("0.############", CultureInfo.InvariantCulture);
}
