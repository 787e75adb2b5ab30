using System.Globalization;
using Fleet.Contracts;
using Fleet.Models.Profiling;

namespace Fleet.Emulator.Fitting;

/// <summary>Makes a profile of its recipe and the measured rows. The same recipe and rows give the same profile, to the last digit.</summary>
public sealed class ProfileFit(MeasuredTables tables)
{
    /// <summary>Idle power where a recipe has none, of active power: a stand-in.</summary>
    private const double IdleShare = 0.25;
    private const int DonorsNamed = 3;

    /// <summary>The keys of a profile's rates, and what each charges for.</summary>
    public static readonly IReadOnlyDictionary<string, Charge> Keys = new Dictionary<string, Charge>
    {
        ["first_conv_cycles_per_mac"] = Charge.FirstConv,
        ["conv_cycles_per_mac"] = Charge.Conv,
        ["pointwise_cycles_per_mac"] = Charge.Pointwise,
        ["depthwise_cycles_per_mac"] = Charge.Depthwise,
        ["dense_cycles_per_mac"] = Charge.Dense,
        ["cycles_per_output_element"] = Charge.OutputElement,
        ["cycles_per_layer"] = Charge.Layer,
    };

    private readonly Dictionary<string, Donor> donors = tables.Systems.ToDictionary(system => system.Id, system => new Donor(system));

    /// <exception cref="FaultsException">The profile that comes out is not sound.</exception>
    public HardwareProfile Make(ProfileRecipe recipe)
    {
        var (cycles, fit, power) = recipe.Fit is { } asked ? Fitted(recipe, asked) : (Nothing, null, null);
        var int8 = recipe.Fit is { Int8: { } measured } both ? measured.Ratio(tables, tables.System(both.System)) : 1;
        var profile = new HardwareProfile
        {
            Id = recipe.Id,
            Role = recipe.Role,
            Board = recipe.Board,
            Soc = recipe.Soc,
            Core = recipe.Core,
            Stack = recipe.Stack,
            Cores = recipe.Cores,
            Clock = recipe.Clock,
            Memory = recipe.Memory,
            Storage = recipe.Storage,
            Compute = Compute(recipe.Compute, cycles, int8),
            Power = Power(recipe.Power, power),
            Radio = recipe.Radio,
            Thermal = recipe.Thermal,
            Fit = fit,
            Note = recipe.Note,
        };
        FaultsException.ThrowIfAny(recipe.Id, profile.Faults());
        return profile;
    }

    /// <summary>Of a recipe that holds all its numbers itself.</summary>
    private static Rates Nothing { get; } = new(Rates.Charges.Select(_ => 0.0));

    private (Rates Cycles, FitProfile? Fit, ActivePower? Power) Fitted(ProfileRecipe recipe, FitRecipe asked)
    {
        var system = tables.System(asked.System);
        var rows = system.Times.Where(row => asked.Networks.Count == 0 || asked.Networks.Contains(row.Network.Name)).ToList();
        var (cycles, fit) = asked.Method == FitRecipe.Ratios ? ByRatios(recipe, asked, rows) : ByTransfer(recipe, asked, system, rows);
        return (cycles, fit, ActivePower.Of(tables, system, system.Target));
    }

    private static (Rates Cycles, FitProfile Fit) ByRatios(ProfileRecipe recipe, FitRecipe asked, List<KnownTime> rows)
    {
        var (clock, overhead) = (recipe.Clock.Value, recipe.Compute.Overhead.Value);
        var method = new RatioFit(asked, clock, recipe.Compute.CyclesPerLayer.Value, overhead);
        var fitted = method.Fit(rows);
        Seconds Time(Rates cycles, Network network) => overhead + cycles.Time(network.Work) / clock.Value;
        // Left-out rows say something only when the others still decide all rates.
        var errors = rows.Count - 1 > method.Free ? rows.Select(row => Time(method.Fit([.. rows.Where(other => other != row)]), row.Network) / row.Time - 1).ToList() : [];
        return (method.CarriedOver(fitted), Fit(asked, rows, [], [.. rows.Select(row => Time(fitted, row.Network) / row.Time - 1)], errors));
    }

    private (Rates Cycles, FitProfile Fit) ByTransfer(ProfileRecipe recipe, FitRecipe asked, MeasuredSystem system, List<KnownTime> rows)
    {
        var target = system.Target;
        // The same board and stack measured by somebody else says nothing new, and would make the left-out errors look better than they are.
        var others = donors.Values.Where(donor => donor.Target.World == target.World && !(donor.Target.BoardKey == target.BoardKey && donor.Target.IsSameStackAs(target))).ToList();
        var fitted = StackTransfer.Fit(target, rows, others);
        var errors = rows.Count > 1 ? rows.Select(row => StackTransfer.Fit(target, [.. rows.Where(other => other != row)], others).Rates.Time(row.Network.Work) / row.Time - 1).ToList() : [];
        return (fitted.Rates * recipe.Clock.Value.Value, Fit(asked, rows, [.. fitted.Donors.Take(DonorsNamed)], [.. rows.Select(row => fitted.Rates.Time(row.Network.Work) / row.Time - 1)], errors));
    }

    private static FitProfile Fit(FitRecipe recipe, List<KnownTime> rows, IReadOnlyList<string> donors, List<double> inSample, List<double> leftOut) => new()
    {
        System = recipe.System,
        Method = recipe.Method,
        Networks = [.. rows.Select(row => row.Network.Name)],
        Donors = donors,
        IsCarriedOver = recipe.IsCarriedOver,
        InSample = Error(inSample.Average(Math.Abs), "mean absolute error of the fit to the rows of fit.networks"),
        LeaveOneOut = leftOut.Count == 0 ? null : Error(leftOut.Average(Math.Abs), "mean absolute error of each of these rows, predicted by a fit to the others"),
        LeaveOneOutWorst = leftOut.Count == 0 ? null : Error(leftOut.Max(Math.Abs), $"the worst of these: {rows[leftOut.IndexOf(leftOut.MaxBy(Math.Abs))].Network.Name}"),
    };

    private static Sourced<double> Error(double ratio, string source) => new() { Value = Rounded(ratio), Confidence = Evidence.Computed, Source = source };

    private static ComputeProfile Compute(ComputeRecipe recipe, Rates cycles, double int8) => new()
    {
        DType = recipe.DType,
        Threads = recipe.Threads,
        FirstConv = recipe.FirstConv.Filled(Rounded(cycles[Charge.FirstConv])),
        Conv = recipe.Conv.Filled(Rounded(cycles[Charge.Conv])),
        Pointwise = recipe.Pointwise.Filled(Rounded(cycles[Charge.Pointwise])),
        Depthwise = recipe.Depthwise.Filled(Rounded(cycles[Charge.Depthwise])),
        Dense = recipe.Dense.Filled(Rounded(cycles[Charge.Dense])),
        CyclesPerOutputElement = recipe.CyclesPerOutputElement.Filled(Rounded(cycles[Charge.OutputElement])),
        CyclesPerLayer = recipe.CyclesPerLayer.Filled(Rounded(cycles[Charge.Layer])),
        Overhead = recipe.Overhead,
        Int8TimeRatio = recipe.Int8TimeRatio.Filled(Rounded(int8)),
        ImageCodec = recipe.ImageCodec,
    };

    private static PowerProfile Power(PowerRecipe recipe, ActivePower? measured)
    {
        var active = recipe.Active.Filled(new Watts(Rounded(measured?.Power.Value ?? 0)));
        return new PowerProfile
        {
            Active = active,
            Idle = recipe.Idle.Filled(new Watts(Rounded(IdleShare * active.Value.Value))),
            Sleep = recipe.Sleep,
            WakeTime = recipe.WakeTime,
            WakeEnergy = recipe.WakeEnergy?.Filled(new Joules(Rounded(active.Value.Value * (recipe.WakeTime?.Value.Value ?? 0)))),
            MeasuredAt = recipe.MeasuredAt,
        };
    }

    /// <summary>Three significant digits: more than any fit here is worth.</summary>
    private static double Rounded(double value) => double.Parse(value.ToString("G3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
