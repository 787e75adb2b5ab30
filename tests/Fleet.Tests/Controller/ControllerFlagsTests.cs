using System.Diagnostics;
using NUnit.Framework;

namespace Fleet.Tests.Controller;

/// <summary>The controller's executable and what it refuses before it does anything.</summary>
public sealed class ControllerFlagsTests
{
    [TestCase("--energy-horizon", "59m", "is 3540 s; allowed: 3600 s to 1000000000 s")]
    [TestCase("--energy-horizon", "0h", "is \"0h\"; allowed: a number above 0 with s, m or h")]
    [TestCase("--energy-horizon", "-2h", "is \"-2h\"; allowed: a number above 0 with s, m or h")]
    [TestCase("--energy-horizon", "tomorrow", "is \"tomorrow\"; allowed: a number above 0 with s, m or h")]
    [TestCase("--placement-period", "0.5s", "is 0.5 s; allowed: 1 s to 86400 s")]
    [TestCase("--swap-price", "-1", "is -1; allowed: 0 to 1")]
    [TestCase("--swap-price", "1.5", "is 1.5; allowed: 0 to 1")]
    [TestCase("--exit-risk", "0.6", "is 0.6; allowed: 0.001 to 0.5")]
    [TestCase("--exit-risk", "0", "is 0; allowed: 0.001 to 0.5")]
    [TestCase("--cloud-rtt", "2m", "is 120 s; allowed: 0 s to 60 s")]
    [TestCase("--report", "25h", "is 90000 s; allowed: 0.1 s to 86400 s")]
    [TestCase("--budget", "4s", "is 4 s; allowed: 5 s to 86400 s")]
    [TestCase("--plan", "0.05s", "is 0.05 s; allowed: 0.1 s to 3600 s")]
    public async Task Start_AValueThatIsNotAllowed_NamesFlagAndRangeAndExitsWith2(string flag, string value, string fault)
    {
        var (exitCode, said, told) = await Start($"{flag}={value}");
        Assert.That(said, Does.Contain($"{flag}: {fault}"));
        Assert.That(exitCode, Is.EqualTo(2));
        Assert.That(told, Does.Not.Contain("controller of"));
    }

    /// <summary>What else it is given has it end at once.</summary>
    [TestCase(true)]
    [TestCase(false)]
    public async Task Start_ACloudOfUnknownDistance_IsWarnedOf(bool isTold)
    {
        var (exitCode, said, _) = await Start(["--cloud=far", "--policy=dual+hierarchical", "--placement=greedy", .. isTold ? ["--cloud-rtt=0.08s"] : (string[])[]]);
        Assert.That(said.Contains("--cloud without --cloud-rtt", StringComparison.Ordinal), Is.EqualTo(!isTold));
        Assert.That((exitCode, said.Contains("--placement: ", StringComparison.Ordinal)), Is.EqualTo((2, true)), said);
    }

    private static async Task<(int ExitCode, string Said, string Told)> Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "fleet-controller.dll"), "--port", "0", "--http-port", "0", .. arguments]) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var (said, told) = (process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await said, await told);
    }
}
