using NUnit.Framework;

namespace Fleet.Training.Tests;

public sealed class RecipeTests
{
    private readonly Recipe recipe = new() { LearningRate = 0.01, WarmUp = 0.1 };

    [TestCase(0, 0.001)]
    [TestCase(9, 0.01)]
    [TestCase(10, 0.01)]
    [TestCase(55, 0.005)]
    [TestCase(100, 0.0)]
    public void RateAt_OfAHundredSteps_ClimbsThenFallsAlongACosine(int step, double rate) =>
        Assert.That(recipe.RateAt(step, 100), Is.EqualTo(rate).Within(1e-12));
}
