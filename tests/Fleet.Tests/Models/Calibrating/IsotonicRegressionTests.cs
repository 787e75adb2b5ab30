using CsCheck;
using Fleet.Models.Calibrating;
using NUnit.Framework;

namespace Fleet.Tests.Models;

/// <summary>Pooling adjacent violators against its closed form and against every other monotone fit of small inputs.</summary>
public sealed class IsotonicRegressionTests
{
    private static readonly Gen<(int Score, bool Outcome)[]> Samples = Gen.Select(Gen.Int[0, 12], Gen.Bool).Array[1, 25];

    [Test]
    public void Fit_AnySamples_IsTheMinMaxFormula() => Samples.Sample(samples =>
    {
        // g(x_i) = max over j <= i of min over k >= i of the mean outcome of x_j..x_k. Source: Barlow et al., 1972.
        var xs = samples.Select(sample => sample.Score).Distinct().Order().ToArray();
        var blocks = Fit(samples);
        return xs.All(x => Math.Abs(Value(blocks, x) - xs.Where(low => low <= x).Max(low => xs.Where(high => high >= x).Min(high => MeanOutcome(samples, low, high)))) < 1e-12);
    });

    [Test]
    public void Fit_FewSamples_BeatsEveryMonotoneFitOnAGrid() => Gen.Bool.Array[1, 4].Sample(outcomes =>
    {
        var samples = outcomes.Select((outcome, i) => (i, outcome)).ToArray();
        var blocks = Fit(samples);
        var error = samples.Sum(sample => Square(Value(blocks, sample.i) - (sample.outcome ? 1 : 0)));
        return Monotone(outcomes.Length, 12).All(fit => error <= fit.Zip(outcomes, (value, outcome) => Square(value - (outcome ? 1 : 0))).Sum() + 1e-12);
    });

    [Test]
    public void Fit_AnySamples_Ascends() => Samples.Sample(samples =>
    {
        var blocks = Fit(samples);
        return blocks.Zip(blocks.Skip(1), (a, b) => a.Value < b.Value && a.Last < b.First).All(ascends => ascends) && blocks.All(block => block.First <= block.Last);
    });

    [Test]
    public void Fit_AnySamples_KeepsTheMean() => Samples.Sample(samples =>
        Math.Abs(Fit(samples).Sum(block => block.Weight * block.Value) - samples.Count(sample => sample.Outcome)) < 1e-9);

    [Test]
    public void Pool_WhatWasPooled_IsTheSame() => Samples.Sample(samples =>
    {
        var blocks = Fit(samples);
        return IsotonicRegression.Pool(blocks).SequenceEqual(blocks);
    });

    [Test]
    public void Fit_NoSampleOrUnequalLengths_IsRefused()
    {
        Assert.That(() => IsotonicRegression.Fit([], []), Throws.ArgumentException);
        Assert.That(() => IsotonicRegression.Fit([1, 2], [true]), Throws.ArgumentException.With.Message.Contains("2 scores and 1 outcomes"));
    }

    private static IReadOnlyList<IsotonicBlock> Fit((int Score, bool Outcome)[] samples) =>
        IsotonicRegression.Fit(Array.ConvertAll(samples, sample => (double)sample.Score), Array.ConvertAll(samples, sample => sample.Outcome));

    private static double Value(IReadOnlyList<IsotonicBlock> blocks, double x) => blocks.Single(block => block.First <= x && x <= block.Last).Value;

    private static double MeanOutcome((int Score, bool Outcome)[] samples, int low, int high) =>
        samples.Where(sample => sample.Score >= low && sample.Score <= high).Average(sample => sample.Outcome ? 1.0 : 0);

    private static double Square(double value) => value * value;

    /// <summary>All never falling sequences over 0, 1/steps, ..., 1.</summary>
    private static IEnumerable<double[]> Monotone(int length, int steps) => length == 0
        ? [[]]
        : Monotone(length - 1, steps).SelectMany(fit => Enumerable.Range(0, steps + 1).Select(i => (double)i / steps).Where(value => fit.Length == 0 || value >= fit[^1]).Select(value => (double[])[.. fit, value]));
}
