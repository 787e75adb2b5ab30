using NUnit.Framework;
using TorchSharp;

namespace Fleet.Training.Tests;

/// <summary>What the executable does before it touches torch.</summary>
[SetUpFixture]
public sealed class Libtorch
{
    [OneTimeSetUp]
    public void Prepare()
    {
        LibtorchCompatibility.Apply();
        NativeArithmetic.Limit();
        torch.set_num_threads(1);
    }
}

public sealed class LibtorchTests
{
    [Test]
    public void Compatibility_AppliedAgain_ChangesNothing() => Assert.That(LibtorchCompatibility.Apply(), Is.False);
}
