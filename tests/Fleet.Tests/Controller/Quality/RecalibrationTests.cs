using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Controller.Planning;
using Fleet.Controller.Quality;
using Fleet.Emulator.Simulation;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.Controller.Quality;

public sealed class RecalibrationTests
{
    /// <summary>Confidences that promise twice the certainty they have: over many samples the share that differs stays below what was asked, in the mean.</summary>
    [Test]
    public void Of_ManySamples_KeepsTheMeanRiskAsPromisedAndIsNotIdle()
    {
        const double RiskMax = 0.02;
        var (risks, answered) = (new List<double>(), new List<double>());
        for (var seed = 1; seed <= 100; seed++)
        {
            var learnt = Recalibration.Of(Draw(new SeededRandom(seed, "learn"), 400), _ => true, 5, RiskMax);
            var rule = learnt.Apply(TinyModel.Assign(2, "edge-1", threshold: 0));
            var verdicts = Draw(new SeededRandom(seed, "fresh"), 1000).Select(input => input.Under(rule)!.Value).ToList();
            risks.Add(verdicts.Count(verdict => !verdict.Agrees) / (double)verdicts.Count);
            answered.Add(verdicts.Count(verdict => verdict.Exit > 0) / (double)verdicts.Count);
        }
        var error = Math.Sqrt(risks.Average(risk => (risk - risks.Average()) * (risk - risks.Average())) / risks.Count);
        Assert.That(risks.Average(), Is.LessThanOrEqualTo(RiskMax + 2 * error));
        Assert.That(answered.Average(), Is.GreaterThan(0.1));
    }

    [Test]
    public void Of_OverconfidentExits_FindsTheirTemperatures()
    {
        var learnt = Recalibration.Of(Draw(new SeededRandom(1, "learn"), 4000), _ => true, 5, 0.02);
        Assert.That(learnt.Temperatures.Of(1), Is.EqualTo(2).Within(0.2));
        Assert.That(learnt.Temperatures.Of(2), Is.EqualTo(2).Within(0.2));
    }

    [Test]
    public void Apply_ALocalHead_LeavesItsLastExitItsAnswer()
    {
        var learnt = new Recalibration(new PerExit([1.5, 1.25]), ThresholdMin: 0.95);
        var local = learnt.Apply(TinyModel.Assign(2));
        Assert.That((local.Thresholds, local.Temperatures), Is.EqualTo((new PerExit([0.95, 0]), new PerExit([1.5, 1.25]))));
        var deep = learnt.Apply(TinyModel.Assign(3, "edge-1", cut: 0, threshold: 0.97));
        Assert.That((deep.Thresholds, deep.Temperatures), Is.EqualTo((new PerExit([0.97, 0.97, 0.97]), new PerExit([1.5, 1.25, 1]))), "a stricter plan stays, an exit nobody knows keeps its temperature");
        Assert.That(local.Faults().Concat(deep.Faults()), Is.Empty);
    }

    [Test]
    public void Of_WhatIsDesired_IsWhatAnEarlierControllerHadLearnt()
    {
        var model = FleetBuilder.Model;
        Assignment Planned(int head) => FleetBuilder.Table.Get(head, 0.8, FleetBuilder.Table.All.First(option => option.Head == head && option.Route is { Cut: 0 }).Route).Assign("e", new ControllerOptions(), "so");
        Assert.That(Recalibration.Of([Planned(1), Planned(2)], model), Is.Null, "the card is believed");
        var learnt = new Recalibration(new PerExit([1.75, 2.25]), 0.9);
        var adopted = Recalibration.Of([learnt.Apply(Planned(1)), learnt.Apply(Planned(2))], model)!;
        Assert.That((adopted.Temperatures, adopted.ThresholdMin), Is.EqualTo((learnt.Temperatures, learnt.ThresholdMin)));
    }

    [Test]
    public void Watch_ExitsDrift_AlarmsOnceAndLearnsAsAuditsCome()
    {
        var (watch, model) = (new QualityWatch(new QualityOptions { AuditRatio = 0.1, RiskMax = 0.02 }, FleetBuilder.Model), FleetBuilder.Model);
        var card = model.Files.Card;
        var ran = FleetBuilder.Table.Get(1, 0.8, FleetBuilder.Table.All.First(option => option.Head == 1 && option.Route is { Cut: 0 }).Route).Assign("e", new ControllerOptions(), "so");
        var random = new SeededRandom(1, "watch");
        WatchedInput Of(bool hasDrifted)
        {
            var sample = random.Next(model.Calibration.Samples);
            float[] Logits(int exit) => [.. model.Calibration.ExitLogits(exit, sample).ToArray().Select(logit => (float)logit)];
            var tail = Fleet.Models.Confidence.ArgMax(Logits(card.StageCount));
            return new WatchedInput("cam-1", [Logits(1)], hasDrifted && random.NextDouble() < 0.2 ? (tail + 1) % card.Classes.Count : tail, 0.9, null, 10);
        }
        for (var i = 0; i < 3000; i++) watch.Add(Of(hasDrifted: false), ran, _ => ran);
        Assert.That((watch.Drifts, watch.Lessons), Is.EqualTo((0, 0)));
        Assert.That(watch.Apply(ran, "e"), Is.EqualTo(ran with { AuditRatio = 0.1, AuditTold = true }));
        var (told, ratios) = (watch.Revision, new List<double>());
        for (var i = 0; i < 3000; i++)
        {
            watch.Add(Of(hasDrifted: true), ran, _ => ran);
            if (watch.Revision > told) ratios.Add(watch.Apply(ran, "e").AuditRatio);
            told = watch.Revision;
        }
        Assert.That(watch.Drifts, Is.EqualTo(1));
        Assert.That((ratios[0], ratios[^1]), Is.EqualTo((0.4, 0.1)), "more are drawn after an alarm, for a while");
        Assert.That(watch.Lessons, Is.GreaterThan(3));
        var fresh = Enumerable.Range(0, 1000).Select(_ => Of(hasDrifted: true).Under(watch.Apply(ran, "e"))!.Value).ToList();
        Assert.That(fresh.Count(verdict => !verdict.Agrees) / 1000.0, Is.LessThan(0.04), "a fifth of what the tail says is something else now");
        Assert.That(watch.Apply(ran, "e").Temperatures.Of(1), Is.GreaterThan(card.Exit(1).Temperature));
    }

    /// <summary>Two exits of five classes whose calibrated temperature is 2: the class is drawn from softmax(logits / 2) of the second, and the tail is right.</summary>
    private static List<WatchedInput> Draw(SeededRandom random, int count) => [.. Enumerable.Range(0, count).Select(_ =>
    {
        float[] logits = [.. Enumerable.Range(0, 5).Select(_ => (float)(12 * random.NextDouble()))];
        var weights = logits.Select(logit => Math.Exp(logit / 2)).ToArray();
        var (left, label) = (random.NextDouble() * weights.Sum(), 0);
        while (label < 4 && (left -= weights[label]) > 0) label++;
        return new WatchedInput("cam-1", [logits, logits], label, 0.9, null, 1);
    })];
}
