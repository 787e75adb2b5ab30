using Fleet.Contracts;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

/// <summary>When an agent says what it can spare.</summary>
public sealed class AgentBudgetTests
{
    private static readonly Assignment Rare = TinyModel.Assign(1) with { ReportPeriod = new Seconds(5), BudgetPeriod = new Seconds(60) };

    [Test]
    public void Report_NothingSaidOfBudgets_EachHasOne()
    {
        var world = new AgentWorld([], TinyModel.Assign(1)).Run(1);
        var (budgets, windows) = (world.Budgets.Count(), world.Windows.Count());
        world.Run(601);
        Assert.That((world.Budgets.Count() - budgets, world.Windows.Count() - windows), Is.EqualTo((120, 120)));
        Assert.That(world.Budgets.Last().BudgetPeriod, Is.Null);
    }

    [Test]
    public void Report_BudgetIsNoNews_IsSaidAgainAfterItsPeriodOnly()
    {
        var world = new AgentWorld([], Rare).Run(1);
        var (budgets, windows) = (world.Budgets.Count(), world.Windows.Count());
        world.Run(601);
        Assert.That((world.Budgets.Count() - budgets, world.Windows.Count() - windows), Is.EqualTo((10, 120)), "once a minute; windows as ever");
        Assert.That(world.Budgets.Select(said => said.Sequence), Is.EqualTo(Enumerable.Range(0, budgets + 10)), "a gap would mean a lost one");
        Assert.That(world.Budgets.Last().BudgetPeriod, Is.EqualTo(new Seconds(60)));
    }

    [Test]
    public void Report_InputsEnd_SaysSoWithTheNextReport()
    {
        var world = new AgentWorld(AgentTests.Every(0.5, 180), Rare).Run(85);
        var stood = world.Budgets.Count();
        Assert.That(world.Budgets.Last().RequestRate, Is.EqualTo(new Hertz(2)));
        world.Run(90);
        Assert.That(world.Budgets.Count(), Is.EqualTo(stood), "two a second, as before");
        world.Run(101);
        Assert.That(world.Budgets.Count(), Is.GreaterThan(stood));
        Assert.That(world.Budgets.Last().RequestRate, Is.EqualTo(Hertz.Zero));
    }

    [Test]
    public void Connection_IsBack_SaysItNewsOrNot()
    {
        var world = new AgentWorld([], Rare).Run(20);
        var before = world.Budgets.Count();
        world.Clock.Soon(() => world.Line.Lose(TimeSpan.FromSeconds(1)));
        world.Run(21);
        world.Clock.Soon(world.Line.Restore);
        world.Run(21.5);
        Assert.That(world.Budgets.Count(), Is.EqualTo(before + 1), "a broker that has forgotten everything knows it again");
    }

    [TestCase(60, ExpectedResult = true, TestName = "it has stood for its time")]
    [TestCase(57.6, ExpectedResult = true, TestName = "the next report would be too late by more than this one is early")]
    [TestCase(57.4, ExpectedResult = false, TestName = "the next report is nearer to its time")]
    public bool IsDueAfter_NoNews_ByItsAge(double age) => Said with { SentAt = new Seconds(1000 + age) } is var now && now.IsDueAfter(Said);

    private static readonly Budget Said = new()
    {
        Sequence = 1,
        SentAt = new Seconds(1000),
        ReportPeriod = new Seconds(5),
        BudgetPeriod = new Seconds(60),
        RequestRate = new Hertz(2),
        Battery = new Joules(500),
        BatteryRatio = 0.5,
        Power = new Watts(2),
        Harvest = new Watts(0.1),
        CpuTemperature = new Celsius(50),
        MemoryFree = new Bytes(100e6),
        StorageFree = new Bytes(1e9),
        RoundTrip = new Seconds(0.02),
        EnergyBudget = new Watts(1),
        Uplink = new BytesPerSecond(1e6),
        StageSeconds = new PerExit([0.01]),
        EncoderTime = new Seconds(0.01),
        LinkLoss = 0.01,
    };

    /// <summary>Each figure by a little, which is no news, and by much, which is.</summary>
    private static IEnumerable<TestCaseData> Changes()
    {
        TestCaseData Case(string key, Budget little, Budget much) => new TestCaseData(little, much).SetName($"{{m}}({key})");
        yield return Case("request_rate_hz", Said with { RequestRate = new Hertz(2.2) }, Said with { RequestRate = new Hertz(2.4) });
        yield return Case("battery_ratio", Said with { BatteryRatio = 0.495, Battery = new Joules(495) }, Said with { BatteryRatio = 0.48 });
        yield return Case("power_w", Said with { Power = new Watts(2.2) }, Said with { Power = new Watts(2.4) });
        yield return Case("harvest_w", Said with { Harvest = new Watts(0.11) }, Said with { Harvest = null });
        yield return Case("cpu_temperature_c", Said with { CpuTemperature = new Celsius(56) }, Said with { CpuTemperature = new Celsius(60) });
        yield return Case("memory_free_bytes", Said with { MemoryFree = new Bytes(110e6) }, Said with { MemoryFree = new Bytes(50e6) });
        yield return Case("storage_free_bytes", Said with { StorageFree = new Bytes(1.1e9) }, Said with { StorageFree = new Bytes(1.2e9) });
        yield return Case("rtt_s", Said with { RoundTrip = new Seconds(0.022) }, Said with { RoundTrip = new Seconds(0.03) });
        yield return Case("energy_budget_w", Said with { EnergyBudget = new Watts(1.1) }, Said with { EnergyBudget = new Watts(0.8) });
        yield return Case("uplink_bytes_per_s", Said with { Uplink = new BytesPerSecond(0.9e6) }, Said with { Uplink = new BytesPerSecond(0.4e6) });
        yield return Case("stage_1_s", Said with { StageSeconds = new PerExit([0.011]) }, Said with { StageSeconds = new PerExit([0.012]) });
        yield return Case("stage_2_s", Said, Said with { StageSeconds = new PerExit([0.01, 0.02]) });
        yield return Case("encoder_s", Said with { EncoderTime = new Seconds(0.011) }, Said with { EncoderTime = new Seconds(0.012) });
        yield return Case("link_loss_ratio", Said with { LinkLoss = 0.05 }, Said with { LinkLoss = 0.07 });
        yield return Case("compute_share_ratio", Said with { ComputeShare = 0.96 }, Said with { ComputeShare = 0.9 });
        yield return Case("power_measured", Said, Said with { PowerMeasured = true });
        yield return Case("report_s", Said, Said with { ReportPeriod = new Seconds(6) });
    }

    [TestCaseSource(nameof(Changes))]
    public void IsDueAfter_AFigureChanges_OnlyByMuchIsNews(Budget little, Budget much)
    {
        Assert.That(little.IsDueAfter(Said), Is.False);
        Assert.That(much.IsDueAfter(Said), Is.True);
    }
}
