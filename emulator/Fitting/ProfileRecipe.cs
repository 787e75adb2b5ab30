using System.Text.Json.Serialization;
using Fleet.Contracts;

namespace Fleet.Emulator.Fitting;

/// <summary>A number of a profile, or, without a value, the place where the fit puts one.</summary>
public sealed record RecipeNumber<T> where T : struct
{
    [JsonPropertyName("value")] public T? Value { get; init; }
    [JsonPropertyName("confidence")] public required Evidence Confidence { get; init; }
    [JsonPropertyName("source")] public required string Source { get; init; }

    public Sourced<T> Filled(T fitted) => new() { Value = Value ?? fitted, Confidence = Confidence, Source = Source };
}

/// <summary><see cref="ComputeProfile"/> before the fit.</summary>
public sealed record ComputeRecipe
{
    [JsonPropertyName("dtype")] public required string DType { get; init; }
    [JsonPropertyName("threads")] public required int Threads { get; init; }
    [JsonPropertyName("first_conv_cycles_per_mac")] public required RecipeNumber<double> FirstConv { get; init; }
    [JsonPropertyName("conv_cycles_per_mac")] public required RecipeNumber<double> Conv { get; init; }
    [JsonPropertyName("pointwise_cycles_per_mac")] public required RecipeNumber<double> Pointwise { get; init; }
    [JsonPropertyName("depthwise_cycles_per_mac")] public required RecipeNumber<double> Depthwise { get; init; }
    [JsonPropertyName("dense_cycles_per_mac")] public required RecipeNumber<double> Dense { get; init; }
    [JsonPropertyName("cycles_per_output_element")] public required RecipeNumber<double> CyclesPerOutputElement { get; init; }

    /// <summary>With a value it is held in the fit.</summary>
    [JsonPropertyName("cycles_per_layer")] public required RecipeNumber<double> CyclesPerLayer { get; init; }

    /// <summary>Taken off every row before the fit.</summary>
    [JsonPropertyName("inference_overhead_s")] public required Sourced<Seconds> Overhead { get; init; }

    /// <summary>Without a value, what <see cref="FitRecipe.Int8"/> says.</summary>
    [JsonPropertyName("int8_time_ratio")] public required RecipeNumber<double> Int8TimeRatio { get; init; }
    [JsonPropertyName("image_codec_cycles_per_pixel")] public required Sourced<double> ImageCodec { get; init; }
}

/// <summary><see cref="PowerProfile"/> before the fit. Without values, active power is that of the measured energies, idle a quarter of it, a wake-up active power during its time.</summary>
public sealed record PowerRecipe
{
    [JsonPropertyName("active_w")] public required RecipeNumber<Watts> Active { get; init; }
    [JsonPropertyName("idle_w")] public required RecipeNumber<Watts> Idle { get; init; }
    [JsonPropertyName("sleep_w")] public Sourced<Watts>? Sleep { get; init; }
    [JsonPropertyName("wake_s")] public Sourced<Seconds>? WakeTime { get; init; }
    [JsonPropertyName("wake_j")] public RecipeNumber<Joules>? WakeEnergy { get; init; }
    [JsonPropertyName("measured_at")] public required string MeasuredAt { get; init; }
}

/// <summary>How a profile's rates follow from rows.</summary>
public sealed record FitRecipe
{
    public const string Ratios = "ratios";
    public const string Transfer = "transfer";

    /// <summary>
    /// ratios: plain non-negative least squares on relative error, some rates tied or held, where rows are many or all alike.
    /// transfer: <see cref="StackTransfer.Fit"/>, where rows are few and other systems can help.
    /// </summary>
    [JsonPropertyName("method")] public required string Method { get; init; }
    [JsonPropertyName("system")] public required string System { get; init; }

    /// <summary>Whose rows; empty for all.</summary>
    [JsonPropertyName("networks")] public required IReadOnlyList<string> Networks { get; init; }

    /// <summary>ratios: fixed in the fit, in cycles, by profile key.</summary>
    [JsonPropertyName("held")] public IReadOnlyDictionary<string, double> Held { get; init; } = new Dictionary<string, double>();

    /// <summary>ratios: fixed multiples of pointwise in the fit, by profile key.</summary>
    [JsonPropertyName("tied_to_pointwise")] public IReadOnlyDictionary<string, double> Tied { get; init; } = new Dictionary<string, double>();

    /// <summary>ratios: after the fit, all rates per MAC and element are multiplied by this.</summary>
    [JsonPropertyName("arithmetic_factor")] public double ArithmeticFactor { get; init; } = 1;
    [JsonPropertyName("carried_over")] public required bool IsCarriedOver { get; init; }

    /// <summary>ratios: rates that the profile's stack does not share with the measured one, as multiples of pointwise, put in after the fit.</summary>
    [JsonPropertyName("carried_to_pointwise")] public IReadOnlyDictionary<string, double> Carried { get; init; } = new Dictionary<string, double>();

    /// <summary>Where the board was measured with int8 networks, too; null: nowhere.</summary>
    [JsonPropertyName("int8")] public Int8Recipe? Int8 { get; init; }

    /// <param name="tables">Where system and networks must be.</param>
    public IEnumerable<string> Faults(MeasuredTables tables)
    {
        if (Method is not (Ratios or Transfer)) yield return $"fit.method is \"{Method}\"; allowed: {Ratios}, {Transfer}";
        var system = tables.Systems.FirstOrDefault(system => system.Id == System);
        if (system is null) yield return $"fit.system is \"{System}\", which is not in systems.csv";
        foreach (var network in Networks.Where(network => system is not null && system.Row(network) is null)) yield return $"fit.networks names {network}, which {System} has not measured";
        foreach (var fault in system is null ? [] : Int8?.Faults(tables, system) ?? []) yield return fault;
        foreach (var key in Held.Keys.Concat(Tied.Keys).Concat(Carried.Keys).Where(key => !ProfileFit.Keys.ContainsKey(key))) yield return $"fit names \"{key}\"; allowed: {string.Join(", ", ProfileFit.Keys.Keys)}";
        if (!(ArithmeticFactor > 0)) yield return $"fit.arithmetic_factor is {ArithmeticFactor}; it must be above 0";
    }
}

/// <summary>What int8 takes of fp32's time: the geometric mean, over networks measured in both, of the quotient of their times.</summary>
public sealed record Int8Recipe
{
    /// <summary>The same board and threads with int8 networks.</summary>
    [JsonPropertyName("system")] public required string System { get; init; }

    /// <summary>Measured by both systems.</summary>
    [JsonPropertyName("networks")] public required IReadOnlyList<string> Networks { get; init; }

    internal double Ratio(MeasuredTables tables, MeasuredSystem fp32) =>
        Math.Exp(Networks.Average(network => Math.Log(tables.System(System).Row(network)!.Latency / fp32.Row(network)!.Latency)));

    internal IEnumerable<string> Faults(MeasuredTables tables, MeasuredSystem fp32)
    {
        if (tables.Systems.FirstOrDefault(known => known.Id == System) is not { } int8)
        {
            yield return $"fit.int8.system is \"{System}\", which is not in systems.csv";
            yield break;
        }
        if (Networks.Count == 0) yield return "fit.int8.networks is empty; at least 1 is needed";
        foreach (var (network, system) in Networks.SelectMany(_ => new[] { fp32, int8 }, (network, system) => (network, system)).Where(pair => pair.system.Row(pair.network) is null)) yield return $"fit.int8.networks names {network}, which {system.Id} has not measured";
    }
}

/// <summary>A <see cref="HardwareProfile"/> before the fit: what is known without it, and what it is fitted to. One file each in hardware-profiles/recipes.</summary>
public sealed record ProfileRecipe
{
    [JsonPropertyName("id")] public required string Id { get; init; }
    [JsonPropertyName("role")] public required string Role { get; init; }
    [JsonPropertyName("board")] public required string Board { get; init; }
    [JsonPropertyName("soc")] public required string Soc { get; init; }
    [JsonPropertyName("core")] public required string Core { get; init; }
    [JsonPropertyName("stack")] public required string Stack { get; init; }
    [JsonPropertyName("cores")] public required Sourced<int> Cores { get; init; }
    [JsonPropertyName("clock_hz")] public required Sourced<Hertz> Clock { get; init; }
    [JsonPropertyName("memory_bytes")] public required Sourced<Bytes> Memory { get; init; }
    [JsonPropertyName("storage_bytes")] public required Sourced<Bytes> Storage { get; init; }
    [JsonPropertyName("compute")] public required ComputeRecipe Compute { get; init; }
    [JsonPropertyName("power")] public required PowerRecipe Power { get; init; }
    [JsonPropertyName("radio")] public required RadioProfile Radio { get; init; }
    [JsonPropertyName("thermal")] public ThermalProfile? Thermal { get; init; }

    /// <summary>Null when no system of whole networks was measured: then every number has its value here.</summary>
    [JsonPropertyName("fit")] public FitRecipe? Fit { get; init; }
    [JsonPropertyName("note")] public required string Note { get; init; }

    private IEnumerable<string> Int8Faults()
    {
        if (Compute.Int8TimeRatio.Value is null && Fit?.Int8 is null) yield return "fit.int8 is missing, and compute.int8_time_ratio has no value";
    }

    private IEnumerable<string> Unset()
    {
        var rates = new[] { Compute.FirstConv, Compute.Conv, Compute.Pointwise, Compute.Depthwise, Compute.Dense, Compute.CyclesPerOutputElement, Compute.CyclesPerLayer };
        if (rates.Any(rate => rate.Value is null)) yield return "fit is missing, and a rate of compute has no value";
        if (Power.Active.Value is null) yield return "fit is missing, and power.active_w has no value";
    }

    /// <summary>All recipes of a directory in the order of their names; the faults of all files come together.</summary>
    public static IReadOnlyList<ProfileRecipe> ReadAll(string directory, MeasuredTables tables)
    {
        var (recipes, faults) = (new List<ProfileRecipe>(), new List<string>());
        foreach (var path in Directory.EnumerateFiles(directory, "*.json").Order(StringComparer.Ordinal))
        {
            try
            {
                var name = Path.GetFileNameWithoutExtension(path);
                recipes.Add(StrictJson.Read(path, Json.File.Info<ProfileRecipe>(), recipe => [.. recipe.Fit?.Faults(tables) ?? recipe.Unset(), .. recipe.Int8Faults(), .. recipe.Id == name ? (string[])[] : [$"id is \"{recipe.Id}\"; it must equal the file's name"]]));
            }
            catch (FaultsException e)
            {
                faults.AddRange(e.Faults.Select(fault => $"{Path.GetFileName(path)}: {fault}"));
            }
        }
        FaultsException.ThrowIfAny(directory, faults);
        return recipes;
    }
}
