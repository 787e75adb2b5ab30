using System.Numerics.Tensors;
using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

/// <summary>Thresholds under risk control among a model's options: what they promise, and that planners and explanations name it.</summary>
public sealed class ControlledThresholdTests
{
    private static readonly Dictionary<double, OptionTable> Tables = new[] { 0.002, 0.02 }.ToDictionary(risk => risk, risk => new OptionTable(FleetBuilder.Model, risk));

    [Test]
    public void Table_WithoutALevel_PromisesNothing() => Assert.That(FleetBuilder.Table.All.Concat(FleetBuilder.Table.Front), Has.All.Property(nameof(Option.RiskMax)).Null);

    [TestCase(0.002)]
    [TestCase(0.02)]
    public void Table_WithALevel_OffersItBesideAllItHas(double risk)
    {
        var table = Tables[risk];
        var controlled = table.All.Where(option => option.RiskMax is not null).ToList();
        Assert.That(controlled, Is.Not.Empty.And.All.Property(nameof(Option.RiskMax)).EqualTo(risk));
        Assert.That(controlled.Select(option => (option.Head, option.Route)), Is.Unique);
        Assert.That(table.Front.Where(option => option.RiskMax is not null), Is.EquivalentTo(controlled));
        var promises = controlled.Select(Key).ToHashSet();
        foreach (var option in FleetBuilder.Table.All) Assert.That(table.All.Count(other => Key(other).Equals(Key(option))), Is.EqualTo(1));
        foreach (var option in FleetBuilder.Table.Front) Assert.That(promises.Contains(Key(option)) || table.Front.Any(other => Key(other).Equals(Key(option))), Is.True, "what nobody controls stays on the front");
        foreach (var option in table.All) Assert.That(table.Find(option.Assign(option.Route is null ? null : "e", new ControllerOptions { Deadline = new Seconds(1) }, "")), Is.SameAs(option));
    }

    /// <summary>Conformal control on n samples: R &lt;= ((n + 1) epsilon - 1) / n, counted anew from the trace, and a quarter of a point lower would not do.</summary>
    [TestCase(0.002)]
    [TestCase(0.02)]
    public void Thresholds_OnTheCalibrationTrace_KeepTheRiskAndAreAsPermissiveAsTheyMay(double risk)
    {
        var trace = FleetBuilder.Model.Calibration;
        var most = ((trace.Samples + 1) * risk - 1) / trace.Samples;
        foreach (var option in Tables[risk].All.Where(option => option.RiskMax is not null))
        {
            Assert.That(Differing(option, option.Thresholds, trace), Is.LessThanOrEqualTo(most + 1e-12));
            var lower = new PerExit(option.Thresholds.Select(threshold => threshold - 0.0025));
            Assert.That(Differing(option, lower, trace), Is.GreaterThan(most));
        }
    }

    /// <summary>The test trace is not what they were chosen on: ten thousand images, three standard deviations.</summary>
    [Test]
    public void Thresholds_OnImagesNobodyChoseThemOn_KeepTheRiskAsChanceAllows()
    {
        var trace = FleetBuilder.Model.Files.ReadTestTrace();
        foreach (var option in Tables[0.02].All.Where(option => option.RiskMax is not null))
            Assert.That(Differing(option, option.Thresholds, trace), Is.LessThanOrEqualTo(0.02 + 3 * Math.Sqrt(0.02 * 0.98 / trace.Samples)), $"{option.Head} {option.Route}");
    }

    [Test]
    public void Plan_WhereControlledThresholdsCostLeast_ChoosesThemAndSaysSo()
    {
        var table = Tables[0.002];
        var fleet = FleetBuilder.Crowded(new Random(1), devices: 40, edges: 2);
        var plan = Planners.Create("dual", table, FleetBuilder.Costs).Plan(fleet, PlannerState.Empty, new Random(1)).Plan;
        var chosen = plan.Choices.Values.Where(choice => choice.Option.RiskMax is not null).ToList();
        Assert.That(chosen, Is.Not.Empty);
        foreach (var choice in chosen)
        {
            var told = choice.Option.Assign(choice.Edge, new ControllerOptions(), choice.Reason);
            Assert.That(told.Reason, Is.EqualTo(choice.Reason + "; risk control: exits differ from the tail in 0.2 % of answers at most"));
            Assert.That(told.Faults(), Is.Empty);
            Assert.That(choice.Option.ReasonFor(told.Reason), Is.EqualTo(told.Reason), "a controller that adopts it does not say it twice");
        }
        foreach (var choice in plan.Choices.Values.Except(chosen)) Assert.That(choice.Option.ReasonFor(choice.Reason), Is.EqualTo(choice.Reason));
        var device = fleet.Devices.First(device => plan.Choices.TryGetValue(device.Id, out var choice) && choice.Option.RiskMax is not null);
        var ways = Explanation.Of(fleet, device, table, FleetBuilder.Costs, plan.Choices[device.Id], plan.Proof!.Prices);
        Assert.That(ways.Single(way => way.IsStanding).Way, Does.EndWith(" (risk control 0.2 %)"));
    }

    private static (int, Route?, PerExit) Key(Option option) => (option.Head, option.Route, option.Thresholds);

    /// <summary>Share of samples that leave by an exit whose answer is not the tail's.</summary>
    private static double Differing(Option option, PerExit thresholds, Trace trace)
    {
        var (card, logits, differ) = (FleetBuilder.Model.Files.Card, new float[trace.Classes], 0);
        for (var sample = 0; sample < trace.Samples; sample++)
        {
            TensorPrimitives.ConvertToSingle(option.Route is { } route ? trace.RouteLogits(route, sample) : trace.ExitLogits(card.StageCount, sample), logits);
            var said = Confidence.ArgMax(logits);
            for (var exit = 1; exit <= (option.Route is null ? option.Head - 1 : option.Head); exit++)
            {
                TensorPrimitives.ConvertToSingle(trace.ExitLogits(exit, sample), logits);
                if ((float)Confidence.MaxProbability(logits, card.Exit(exit).Temperature, out var label) < thresholds.Of(exit)) continue;
                if (label != said) differ++;
                break;
            }
        }
        return (double)differ / trace.Samples;
    }
}
