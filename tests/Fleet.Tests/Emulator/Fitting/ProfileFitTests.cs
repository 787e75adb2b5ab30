using Fleet.Contracts;
using Fleet.Emulator.Fitting;
using Fleet.Models.Profiling;
using Fleet.Tests.Emulator.Commands;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Fitting;

[NonParallelizable]
public sealed class ProfileFitTests : CommandFixture
{
    private static readonly string Shipped = ProjectFiles.Find("hardware-profiles");
    private static readonly MeasuredTables Tables = MeasuredTables.Shipped();
    private static readonly IReadOnlyDictionary<string, HardwareProfile> Profiles = ProfileFile.ReadAll(Shipped);

    private static IEnumerable<string> NotCarriedOver => Profiles.Values.Where(profile => profile.Fit is { IsCarriedOver: false }).Select(profile => profile.Id);

    [Test]
    public void Check_AsCommitted_FindsNothing()
    {
        var said = Fleet("profile", "check");
        Assert.That(said.Out, Does.Contain($"all {Profiles.Count} profiles are what the fit writes"));
        Assert.That(said.ExitCode, Is.Zero);
    }

    [Test]
    public void Fit_Twice_WritesTheSameBytes()
    {
        var (first, second) = (Path.Combine(Scratch, "a"), Path.Combine(Scratch, "b"));
        foreach (var output in (string[])[first, second]) Assert.That(Fleet("profile", "fit", "--out", output).ExitCode, Is.Zero);
        Assert.That(Directory.GetFiles(first), Has.Length.EqualTo(Profiles.Count));
        foreach (var path in Directory.GetFiles(first)) Assert.That(File.ReadAllBytes(path), Is.EqualTo(File.ReadAllBytes(Path.Combine(second, Path.GetFileName(path)))));
    }

    [Test]
    public void Check_TamperedMissingAndStrayFiles_TellsEach()
    {
        var copy = Copy();
        var tampered = Path.Combine(copy, "pi-4b.json");
        File.WriteAllText(tampered, File.ReadAllText(tampered).Replace("\"value\": 0.328", "\"value\": 0.329", StringComparison.Ordinal));
        File.Delete(Path.Combine(copy, "pi-5.json"));
        File.WriteAllText(Path.Combine(copy, "stray.json"), File.ReadAllText(Path.Combine(copy, "rx65n.json")).Replace("\"id\": \"rx65n\"", "\"id\": \"stray\"", StringComparison.Ordinal));
        var said = Fleet("profile", "check", "--profiles", copy);
        Assert.That(said.ExitCode, Is.EqualTo(1));
        Assert.That(said.Out, Does.Match("pi-4b +DIFFERS in line [0-9]+: .*0.329.*0.328").And.Match("pi-5 +is missing").And.Match("stray +has no recipe").And.Contain("3 of"));
    }

    [Test]
    public void Check_ChangedRow_MovesTheProfilesThatRestOnIt()
    {
        var copy = Copy();
        var rows = Path.Combine(copy, "measured", "rows.csv");
        File.WriteAllText(rows, File.ReadAllText(rows).Replace("raspberry-pi-4-model-b/ncnn-fp32-1t,mobilenet,123.76", "raspberry-pi-4-model-b/ncnn-fp32-1t,mobilenet,150", StringComparison.Ordinal));
        var said = Fleet("profile", "check", "--profiles", copy);
        Assert.That(said.Out, Does.Match("pi-4b +DIFFERS").And.Match("stm32h747i-disco +is what the fit writes"));
    }

    [Test]
    public void Check_RecipeWithFaults_ListsThemAll()
    {
        var copy = Copy();
        var recipe = Path.Combine(copy, "recipes", "pi-4b.json");
        File.WriteAllText(recipe, File.ReadAllText(recipe).Replace("\"ratios\"", "\"guess\"", StringComparison.Ordinal).Replace("\"vgg16\"", "\"vgg\"", StringComparison.Ordinal));
        var said = Fleet("profile", "check", "--profiles", copy);
        Assert.That(said.ExitCode, Is.EqualTo(2));
        Assert.That(said.Error, Does.Contain("fit.method is \"guess\"").And.Contain("names vgg,"));
    }

    [Test]
    public void Check_ChangedInt8Row_MovesTheProfileThatRestsOnIt()
    {
        var copy = Copy();
        var rows = Path.Combine(copy, "measured", "rows.csv");
        File.WriteAllText(rows, File.ReadAllText(rows).Replace("raspberry-pi-4-model-b/ncnn-int8-1t,mobilenet,84.66", "raspberry-pi-4-model-b/ncnn-int8-1t,mobilenet,99", StringComparison.Ordinal));
        var said = Fleet("profile", "check", "--profiles", copy);
        Assert.That(said.Out, Does.Match("pi-4b +DIFFERS in line [0-9]+: .*0.684.*0.8").And.Match("pi-5 +is what the fit writes"));
    }

    [TestCase("\"networks\": [\"mobilenet\"] }", "\"networks\": [\"mobilenet_v2\"] }", "fit.int8.networks names mobilenet_v2, which raspberry-pi-4-model-b/ncnn-int8-1t has not measured")]
    [TestCase("\"networks\": [\"mobilenet\"] }", "\"networks\": [] }", "fit.int8.networks is empty; at least 1 is needed")]
    [TestCase("ncnn-int8-1t", "ncnn-int4-1t", "fit.int8.system is \"raspberry-pi-4-model-b/ncnn-int4-1t\", which is not in systems.csv")]
    public void Check_RecipeWhoseInt8RowsAreNotThere_SaysWhatIsMissing(string known, string wrong, string fault)
    {
        var copy = Copy();
        var recipe = Path.Combine(copy, "recipes", "pi-4b.json");
        File.WriteAllText(recipe, File.ReadAllText(recipe).Replace(known, wrong, StringComparison.Ordinal));
        var said = Fleet("profile", "check", "--profiles", copy);
        Assert.That(said.ExitCode, Is.EqualTo(2));
        Assert.That(said.Error, Does.Contain(fault));
    }

    /// <summary>The error that a profile states is the error that its figures make, but for their rounding.</summary>
    [TestCaseSource(nameof(NotCarriedOver))]
    public void Make_ProfileOfItsOwnStack_IsAsFarOffAsItSays(string id)
    {
        var profile = Profiles[id];
        var rows = Tables.System(profile.Fit!.System).Rows.Where(row => profile.Fit.Networks.Contains(row.Network.Name)).ToList();
        var error = rows.Average(row => Math.Abs(profile.NominalTime(row.Network.Work.Kernels, Precision.Float32) / row.Latency - 1));
        Assert.That(error, Is.EqualTo(profile.Fit.InSample.Value).Within(0.005));
    }

    [Test]
    public void Show_All_MarksPowerThatNobodyPublished()
    {
        var said = Fleet("profile", "show");
        Assert.That(said.ExitCode, Is.Zero);
        Assert.That(said.Out, Does.Match("nrf5340-dk .* W K").And.Match("nucleo-u385rg-q .* 0.00541 W  "));
    }

    [Test]
    public void Show_One_TellsEveryNumberWithTagAndSource()
    {
        var said = Fleet("profile", "show", "pi-4b");
        Assert.That(said.Out, Does.Match("compute.pointwise_cycles_per_mac +0.328 +X +Tencent/ncnn").And.Match("thermal.throttle_start_c +80 +D ").And.Match("fit.leave_one_out_error_ratio +0.08 +X "));
        Assert.That(Fleet("profile", "show", "pi-6").Error, Does.Contain("allowed: ").And.Contain("pi-4b"));
    }

    private string Copy()
    {
        var copy = Path.Combine(Scratch, "profiles");
        foreach (var part in (string[])["", "recipes", "measured"])
        {
            Directory.CreateDirectory(Path.Combine(copy, part));
            foreach (var file in Directory.GetFiles(Path.Combine(Shipped, part))) File.Copy(file, Path.Combine(copy, part, Path.GetFileName(file)));
        }
        return copy;
    }
}
