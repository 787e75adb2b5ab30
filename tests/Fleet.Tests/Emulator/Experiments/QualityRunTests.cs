using Fleet.Contracts;
using Fleet.Emulator.Experiments.Quality;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Experiments;

/// <summary>The quality-watch scenario with a quieter first half.</summary>
public sealed class QualityRunTests
{
    private static readonly Lazy<QualityRun> Run = new(() => QualityRun.Execute(Short(), 1, World.Stock));

    [Test]
    public void Execute_ImagesBecomeNoisy_TheAlarmComesAfterItAndThePublishedFiguresFollow()
    {
        Assert.That(Run.Value.FalseAlarms, Is.Zero);
        Assert.That(Run.Value.Alarm, Is.Not.Null);
        Assert.That(Run.Value.After(QualityRun.Allowed).Max(look => look.AgreementError), Is.LessThan(QualityRun.Close));
        // Half of the audits is labelled and every second answer is wrong: the interval says how little that tells.
        var looks = Run.Value.After(QualityRun.Allowed).ToList();
        Assert.That(looks.Count(look => look.AccuracyIsCovered), Is.GreaterThan(looks.Count * 0.7));
    }

    [Test]
    public void Execute_ImagesBecomeNoisy_LearntThresholdsWinBackWhatStaleOnesLose()
    {
        Assert.That(Run.Value.Stale.Accuracy, Is.LessThan(Run.Value.Stale.TailAccuracy - 0.01), "there is something to win back");
        Assert.That(Run.Value.RecoveredAgreement, Is.GreaterThan(0.9));
        Assert.That(Run.Value.RecoveredAccuracy, Is.GreaterThan(0.9));
        Assert.That(Run.Value.Looks[^1].Told.Temperatures.Count, Is.GreaterThan(0));
    }

    private static Fleet.Emulator.Scenarios.Scenario Short()
    {
        var scenario = World.Read("quality-watch");
        return scenario with
        {
            Duration = new Seconds(270),
            Sites = [.. scenario.Sites.Select(site => site with { Devices = [.. site.Devices.Select(group => group with { Drift = [.. group.Drift.Select(drift => drift with { At = new Seconds(90) })] })] })],
        };
    }
}
