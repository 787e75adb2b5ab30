using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>How far a number may be trusted.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Evidence>))]
public enum Evidence
{
    /// <summary>Common knowledge, unverified: a stand-in, shown to the user as such.</summary>
    [JsonStringEnumMemberName("K")] Unverified = 0,

    /// <summary>Measured and published.</summary>
    [JsonStringEnumMemberName("M")] Measured = 1,

    /// <summary>Stated in a data sheet.</summary>
    [JsonStringEnumMemberName("D")] DataSheet = 2,

    /// <summary>A constant of another simulator.</summary>
    [JsonStringEnumMemberName("S")] Simulator = 3,

    /// <summary>Computed from measured or data-sheet values.</summary>
    [JsonStringEnumMemberName("X")] Computed = 4,
}

/// <summary>A number with where it comes from. The unit stands in the key that holds it.</summary>
public sealed record Sourced<T>
{
    [JsonPropertyName("value")] public required T Value { get; init; }
    [JsonPropertyName("confidence")] public required Evidence Confidence { get; init; }
    [JsonPropertyName("source")] public required string Source { get; init; }
}

/// <summary>
/// Speed of one software stack on one board:
/// t = inference_overhead_s + sum over layers (cycles_per_mac[kind] * MACs + cycles_per_output_element * elements + cycles_per_layer) / clock_hz,
/// the sum times int8_time_ratio for a piece whose file is int8.
/// </summary>
public sealed record ComputeProfile
{
    [JsonPropertyName("dtype")] public required string DType { get; init; }
    [JsonPropertyName("threads")] public required int Threads { get; init; }
    [JsonPropertyName("first_conv_cycles_per_mac")] public required Sourced<double> FirstConv { get; init; }
    [JsonPropertyName("conv_cycles_per_mac")] public required Sourced<double> Conv { get; init; }
    [JsonPropertyName("pointwise_cycles_per_mac")] public required Sourced<double> Pointwise { get; init; }
    [JsonPropertyName("depthwise_cycles_per_mac")] public required Sourced<double> Depthwise { get; init; }
    [JsonPropertyName("dense_cycles_per_mac")] public required Sourced<double> Dense { get; init; }
    [JsonPropertyName("cycles_per_output_element")] public required Sourced<double> CyclesPerOutputElement { get; init; }
    [JsonPropertyName("cycles_per_layer")] public required Sourced<double> CyclesPerLayer { get; init; }
    [JsonPropertyName("inference_overhead_s")] public required Sourced<Seconds> Overhead { get; init; }

    /// <summary>What an int8 piece takes of the time that the rates above give it, the overhead of the call apart; null: nobody knows, and it is taken to cost what an fp32 piece does.</summary>
    [JsonPropertyName("int8_time_ratio")] public Sourced<double>? Int8TimeRatio { get; init; }

    /// <summary>Cycles for each pixel of the input coded as PNG or WebP.</summary>
    [JsonPropertyName("image_codec_cycles_per_pixel")] public required Sourced<double> ImageCodec { get; init; }
}

/// <summary>Power at the point named in <see cref="MeasuredAt"/>.</summary>
public sealed record PowerProfile
{
    /// <summary>Drawn while the network runs, idle included.</summary>
    [JsonPropertyName("active_w")] public required Sourced<Watts> Active { get; init; }

    /// <summary>Drawn while awake and waiting.</summary>
    [JsonPropertyName("idle_w")] public required Sourced<Watts> Idle { get; init; }

    /// <summary>Drawn while asleep; its source says whether memory is kept. Null for boards that do not suspend.</summary>
    [JsonPropertyName("sleep_w")] public Sourced<Watts>? Sleep { get; init; }

    /// <summary>From sleep to the first instruction of the network; null for boards that do not suspend.</summary>
    [JsonPropertyName("wake_s")] public Sourced<Seconds>? WakeTime { get; init; }

    /// <summary>Of one wake-up, above sleep_w; null for boards that do not suspend.</summary>
    [JsonPropertyName("wake_j")] public Sourced<Joules>? WakeEnergy { get; init; }

    /// <summary>Whether the board can sleep and is known to wake.</summary>
    [JsonIgnore] public bool CanSleep => Sleep is not null && WakeTime is not null && WakeEnergy is not null;

    /// <summary>board input | mcu rail.</summary>
    [JsonPropertyName("measured_at")] public required string MeasuredAt { get; init; }
}

/// <summary>
/// How the die heats up and what it does about it: C dT/dt = P - (T - ambient) / R with R = <see cref="Resistance"/> and
/// R C = <see cref="TimeConstant"/>; from <see cref="ThrottleStart"/> on the clock is lowered, to <see cref="SlowestClockRatio"/> of it
/// at <see cref="ThrottleEnd"/>.
/// </summary>
public sealed record ThermalProfile
{
    [JsonPropertyName("ambient_c")] public required Sourced<Celsius> Ambient { get; init; }

    /// <summary>Kelvin of the die above ambient for each watt.</summary>
    [JsonPropertyName("resistance_k_per_w")] public required Sourced<double> Resistance { get; init; }
    [JsonPropertyName("time_constant_s")] public required Sourced<Seconds> TimeConstant { get; init; }
    [JsonPropertyName("throttle_start_c")] public required Sourced<Celsius> ThrottleStart { get; init; }
    [JsonPropertyName("throttle_end_c")] public required Sourced<Celsius> ThrottleEnd { get; init; }
    [JsonPropertyName("slowest_clock_ratio")] public required Sourced<double> SlowestClockRatio { get; init; }

    internal IEnumerable<string> Faults()
    {
        if (!(Resistance.Value > 0)) yield return $"thermal.resistance_k_per_w is {Resistance.Value}; it must be above 0";
        if (!(TimeConstant.Value > Seconds.Zero)) yield return $"thermal.time_constant_s is {TimeConstant.Value.Value}; it must be above 0";
        if (!(ThrottleStart.Value.Value < ThrottleEnd.Value.Value)) yield return $"thermal.throttle_end_c is {ThrottleEnd.Value.Value}; it must be above throttle_start_c, {ThrottleStart.Value.Value}";
        if (!(SlowestClockRatio.Value is > 0 and <= 1)) yield return $"thermal.slowest_clock_ratio is {SlowestClockRatio.Value}; allowed: above 0 up to 1";
    }
}

/// <summary>Where the compute figures come from, and how far they are off the rows behind them.</summary>
public sealed record FitProfile
{
    /// <summary>Id in hardware-profiles/measured/systems.csv.</summary>
    [JsonPropertyName("system")] public required string System { get; init; }

    /// <summary>ratios | transfer, see hardware-profiles/README.md.</summary>
    [JsonPropertyName("method")] public required string Method { get; init; }

    /// <summary>The networks whose measured latencies were fitted.</summary>
    [JsonPropertyName("networks")] public required IReadOnlyList<string> Networks { get; init; }

    /// <summary>Whose rates stand in where the rows are few, heaviest first.</summary>
    [JsonPropertyName("donors")] public IReadOnlyList<string> Donors { get; init; } = [];

    /// <summary>Whether the profile's stack is another than the one that was measured.</summary>
    [JsonPropertyName("carried_over")] public required bool IsCarriedOver { get; init; }

    /// <summary>Mean absolute error of the fit to its own rows, before anything is carried over.</summary>
    [JsonPropertyName("in_sample_error_ratio")] public required Sourced<double> InSample { get; init; }

    /// <summary>Mean absolute error of each row predicted by a fit to the others; null when too few are left.</summary>
    [JsonPropertyName("leave_one_out_error_ratio")] public Sourced<double>? LeaveOneOut { get; init; }
    [JsonPropertyName("leave_one_out_worst_ratio")] public Sourced<double>? LeaveOneOutWorst { get; init; }
}

/// <summary>The link to the gateway or access point.</summary>
public sealed record RadioProfile
{
    /// <summary>wifi | ethernet.</summary>
    [JsonPropertyName("kind")] public required string Kind { get; init; }
    [JsonPropertyName("goodput_bytes_per_s")] public required Sourced<BytesPerSecond> Goodput { get; init; }

    /// <summary>Above idle power.</summary>
    [JsonPropertyName("tx_j_per_byte")] public required Sourced<JoulesPerByte> TxPerByte { get; init; }
    [JsonPropertyName("rx_j_per_byte")] public required Sourced<JoulesPerByte> RxPerByte { get; init; }

    /// <summary>Headers of all layers around one packet's payload.</summary>
    [JsonPropertyName("overhead_bytes_per_packet")] public required Sourced<Bytes> OverheadPerPacket { get; init; }
    [JsonPropertyName("packet_payload_bytes")] public required Sourced<Bytes> PacketPayload { get; init; }
}

/// <summary>A board (or an edge server) with one software stack: software alone changes its speed up to seven times.</summary>
public sealed record HardwareProfile
{
    /// <summary>File name without ".json": lower-case letters, digits and dashes.</summary>
    [JsonPropertyName("id")] public required string Id { get; init; }

    /// <summary>device | edge.</summary>
    [JsonPropertyName("role")] public required string Role { get; init; }
    [JsonPropertyName("board")] public required string Board { get; init; }
    [JsonPropertyName("soc")] public required string Soc { get; init; }
    [JsonPropertyName("core")] public required string Core { get; init; }
    [JsonPropertyName("stack")] public required string Stack { get; init; }
    [JsonPropertyName("cores")] public required Sourced<int> Cores { get; init; }
    [JsonPropertyName("clock_hz")] public required Sourced<Hertz> Clock { get; init; }

    /// <summary>RAM that a network's activations may use.</summary>
    [JsonPropertyName("memory_bytes")] public required Sourced<Bytes> Memory { get; init; }

    /// <summary>Flash or disk that network files may use.</summary>
    [JsonPropertyName("storage_bytes")] public required Sourced<Bytes> Storage { get; init; }
    [JsonPropertyName("compute")] public required ComputeProfile Compute { get; init; }
    [JsonPropertyName("power")] public required PowerProfile Power { get; init; }
    [JsonPropertyName("radio")] public required RadioProfile Radio { get; init; }

    /// <summary>Null when the board does not throttle.</summary>
    [JsonPropertyName("thermal")] public ThermalProfile? Thermal { get; init; }

    /// <summary>Null when no fit wrote the profile.</summary>
    [JsonPropertyName("fit")] public FitProfile? Fit { get; init; }

    /// <summary>How the compute figures were obtained, and their error where it is known.</summary>
    [JsonPropertyName("note")] public required string Note { get; init; }

    /// <summary>The profile's claim for one run of a piece: what a data sheet would say, before anything real happens to it.</summary>
    public Seconds NominalTime(ModelPiece piece) => NominalTime(piece.Work, piece.Precision);

    /// <summary>The profile's claim for one run of so much work in a precision.</summary>
    public Seconds NominalTime(KernelWork work, Precision precision)
    {
        var cycles = Compute.FirstConv.Value * work.FirstConv.Value
            + Compute.Conv.Value * work.Conv.Value
            + Compute.Pointwise.Value * work.Pointwise.Value
            + Compute.Depthwise.Value * work.Depthwise.Value
            + Compute.Dense.Value * work.Dense.Value
            + Compute.CyclesPerOutputElement.Value * work.OutputElements
            + Compute.CyclesPerLayer.Value * work.Layers;
        return Compute.Overhead.Value + new Seconds(TimeRatio(precision) * cycles / Clock.Value.Value);
    }

    /// <summary>What work in a precision takes of the time that the rates give it.</summary>
    public double TimeRatio(Precision precision) => precision is Precision.Int8 ? Compute.Int8TimeRatio?.Value ?? 1 : 1;

    /// <summary>The profile's claim for coding one image.</summary>
    public Seconds NominalImageCodecTime(int pixels) => new(Compute.ImageCodec.Value * pixels / Clock.Value.Value);

    /// <summary>Bytes on the air for a message of this length, headers of all its packets included.</summary>
    public Bytes OnAir(long messageBytes)
    {
        var packets = Math.Max(1, Math.Ceiling(messageBytes / Radio.PacketPayload.Value.Value));
        return new Bytes(messageBytes + packets * Radio.OverheadPerPacket.Value.Value);
    }

    /// <summary>What is inconsistent, one sentence a fault; empty when the profile is sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (!Name.IsValid(Id)) yield return Name.Fault("id", Id);
        if (Role is not ("device" or "edge")) yield return $"role is \"{Role}\"; allowed: device, edge";
        if (Radio.Kind is not ("wifi" or "ethernet")) yield return $"radio.kind is \"{Radio.Kind}\"; allowed: wifi, ethernet";
        if (Cores.Value < 1) yield return $"cores is {Cores.Value}; at least 1";
        foreach (var (key, value) in Positive())
            if (!(value > 0) || !double.IsFinite(value)) yield return $"{key} is {value}; it must be above 0";
        foreach (var (key, value) in NonNegative())
            if (!(value >= 0) || !double.IsFinite(value)) yield return $"{key} is {value}; it must be 0 or more";
        foreach (var fault in Thermal?.Faults() ?? []) yield return fault;
        if (Power.Active.Value < Power.Idle.Value) yield return $"power.active_w ({Power.Active.Value}) is below power.idle_w ({Power.Idle.Value})";
    }

    private IEnumerable<(string Key, double Value)> Positive()
    {
        yield return ("clock_hz", Clock.Value.Value);
        yield return ("memory_bytes", Memory.Value.Value);
        yield return ("storage_bytes", Storage.Value.Value);
        yield return ("compute.conv_cycles_per_mac", Compute.Conv.Value);
        yield return ("compute.pointwise_cycles_per_mac", Compute.Pointwise.Value);
        yield return ("compute.depthwise_cycles_per_mac", Compute.Depthwise.Value);
        yield return ("compute.dense_cycles_per_mac", Compute.Dense.Value);
        yield return ("compute.first_conv_cycles_per_mac", Compute.FirstConv.Value);
        yield return ("compute.int8_time_ratio", Compute.Int8TimeRatio?.Value ?? 1);
        yield return ("radio.goodput_bytes_per_s", Radio.Goodput.Value.Value);
        yield return ("radio.packet_payload_bytes", Radio.PacketPayload.Value.Value);
        yield return ("power.active_w", Power.Active.Value.Value);
    }

    private IEnumerable<(string Key, double Value)> NonNegative()
    {
        yield return ("compute.cycles_per_output_element", Compute.CyclesPerOutputElement.Value);
        yield return ("compute.cycles_per_layer", Compute.CyclesPerLayer.Value);
        yield return ("compute.inference_overhead_s", Compute.Overhead.Value.Value);
        yield return ("compute.image_codec_cycles_per_pixel", Compute.ImageCodec.Value);
        yield return ("power.idle_w", Power.Idle.Value.Value);
        yield return ("power.sleep_w", Power.Sleep?.Value.Value ?? 0);
        yield return ("power.wake_s", Power.WakeTime?.Value.Value ?? 0);
        yield return ("power.wake_j", Power.WakeEnergy?.Value.Value ?? 0);
        yield return ("radio.tx_j_per_byte", Radio.TxPerByte.Value.Value);
        yield return ("radio.rx_j_per_byte", Radio.RxPerByte.Value.Value);
        yield return ("radio.overhead_bytes_per_packet", Radio.OverheadPerPacket.Value.Value);
    }
}
