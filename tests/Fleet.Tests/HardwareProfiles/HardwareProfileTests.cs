using Fleet.Contracts;
using Fleet.Emulator.Fitting;
using Fleet.Models.Profiling;
using NUnit.Framework;

namespace Fleet.Tests.HardwareProfiles;

/// <summary>The profiles in hardware-profiles/ read, name their sources, and reproduce published rows as well as their notes say.</summary>
public sealed class HardwareProfileTests
{
    private static readonly string Folder = ProjectFiles.Find("hardware-profiles");
    private static readonly IReadOnlyDictionary<string, HardwareProfile> All = ProfileFile.ReadAll(Folder);

    // Six networks without grouped or inner 3x3 convolutions, batch 1: what the profiles of the Raspberry Pi boards took over unchanged.
    // Counts: Tencent/ncnn@a4d2ea1d44:benchmark/models/*.param.
    private static readonly (string Name, KernelWork Work)[] NcnnNetworks =
    [
        ("mobilenet", Work(10_838_016, 0, 539_492_352, 17_385_984, 1_024_000, 5_043_688, 28)),
        ("mobilenet_v2", Work(10_838_016, 0, 280_784_896, 20_716_416, 1_280_000, 7_080_520, 54)),
        ("shufflenet_v2", Work(8_128_512, 0, 131_595_968, 4_159_512, 1_024_000, 1_951_200, 57)),
        ("mnasnet", Work(10_838_016, 0, 273_960_960, 28_336_896, 1_280_000, 5_457_640, 53)),
        ("proxylessnasnet", Work(10_838_016, 0, 282_942_464, 41_423_424, 1_280_000, 5_605_032, 62)),
        ("blazeface", Work(7_372_800, 0, 18_235_392, 3_760_128, 0, 976_896, 33)),
    ];

    // Milliseconds of those networks on one thread (the "min" column). Source: Tencent/ncnn@a4d2ea1d44:benchmark/README.md.
    private static readonly double[] PiZero2W = [393.79, 273.97, 128.86, 265.70, 329.78, 42.24];
    private static readonly double[] Pi4B = [123.76, 92.98, 41.62, 83.60, 98.48, 12.54];
    private static readonly double[] Pi5InFp16 = [20.24, 16.21, 7.07, 12.93, 15.72, 2.98];

    // Source: STMicroelectronics/stm32ai-modelzoo@6f10965e6a:image_classification/{mobilenetv1,mobilenetv2,resnetv1}/README.md,
    // STM32Cube.AI 10.0.0 at 400 MHz; MACs and output elements from the networks' layer tables.
    private static readonly TestCaseData[] CubeAiRows =
    [
        new(Work(497_664, 0, 6_193_152, 798_336, 1_280, 231_557, 28), 29.94) { TestName = "MobileNetV1 0.25 96x96x3, 5 classes" },
        new(Work(165_888, 0, 6_193_152, 798_336, 1_280, 231_557, 28), 28.34) { TestName = "MobileNetV1 0.25 96x96x1, 5 classes" },
        new(Work(10_838_016, 0, 539_492_352, 17_385_984, 1_024_000, 5_043_688, 28), 1641.84) { TestName = "MobileNetV1 1.0 224, 1000 classes" },
        new(Work(1_769_472, 0, 14_362_624, 2_808_576, 1_280_000, 935_784, 53), 116.13) { TestName = "MobileNetV2 0.35 128, 1000 classes" },
        new(Work(442_368, 11_796_480, 262_144, 0, 640, 86_026, 10), 28.67) { TestName = "ResNet8, 10 classes" },
    ];

    private static IEnumerable<string> Ids => All.Keys;

    [Test]
    public void ReadAll_Folder_HoldsEveryFileUnderItsName()
    {
        var names = Directory.GetFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file));
        Assert.That(All.Keys, Is.EquivalentTo(names));
        Assert.That(All.Select(pair => pair.Value.Id), Is.EqualTo(All.Keys));
    }

    [Test]
    public void ReadAll_Folder_HoldsDevicesAndEdges()
    {
        Assert.That(All.Values.Select(profile => profile.Role).Distinct(), Is.EquivalentTo(new[] { "device", "edge" }));
    }

    [TestCaseSource(nameof(Ids))]
    public void Profile_AsCommitted_HasNoFaults(string id)
    {
        var profile = All[id];
        Assert.That(profile.Faults(), Is.Empty);
        Assert.That(profile.Power.MeasuredAt, Is.AnyOf("board input", "mcu rail"));
        Assert.That(profile.Note, Is.Not.Empty);
    }

    [TestCaseSource(nameof(Ids))]
    public void Profile_EveryNumber_SaysWhereItComesFrom(string id)
    {
        var sources = ProfileText.Numbers(All[id]).ToList();
        // 4 about the board, 9 about computing, 2 about power, 5 about the radio; more about sleep, heat and the fit where they are known.
        Assert.That(sources, Has.Count.AtLeast(20));
        using (Assert.EnterMultipleScope())
        {
            foreach (var (key, _, _, source) in sources) Assert.That(source.Trim(), Is.Not.Empty, key);
        }
    }

    [Test]
    public void PiZero2W_SixNetworks_WithinTheErrorItsNoteStates() => AssertMeanError("pi-zero-2w", PiZero2W, mean: 0.041, worst: 0.073);

    [Test]
    public void Pi4B_SixNetworks_WithinTheErrorItsNoteStates() => AssertMeanError("pi-4b", Pi4B, mean: 0.053, worst: 0.115);

    [Test]
    public void Pi4B_MobileNet_WithinTheErrorItsNoteStates()
    {
        Assert.That(Milliseconds("pi-4b", NcnnNetworks[0].Work), Is.EqualTo(123.76).Within(5.3).Percent);
    }

    [Test]
    public void Pi5_SixNetworks_TakeAboutTwiceTheFp16Rows()
    {
        AssertMeanError("pi-5", [.. Pi5InFp16.Select(ms => 2 * ms)], mean: 0.11, worst: 0.25);
    }

    [TestCaseSource(nameof(CubeAiRows))]
    public void Stm32H747_PublishedRow_WithinTheErrorItsNoteStates(KernelWork work, double publishedMs)
    {
        Assert.That(Milliseconds("stm32h747i-disco", work), Is.EqualTo(publishedMs).Within(5.4).Percent);
    }

    // A wrong unit is a factor of 1e3 or more; a wrong rate seldom ten. The shape of a small network: 11 MMAC of 3x3 convolutions. From a
    // graphics card to a Cortex-M0+ of 64 MHz.
    [TestCaseSource(nameof(Ids))]
    public void NominalTime_ElevenMmacOfConvolutions_IsWhatItsClockAllows(string id)
    {
        var milliseconds = Milliseconds(id, Work(0, 10_838_016, 401_408, 0, 1_280, 18_826, 4));
        Assert.That(milliseconds, Is.InRange(0.02, 2000));
        if (All[id].Clock.Value.Value >= 1e9) Assert.That(milliseconds, Is.LessThan(20));
    }

    // Every profile says what int8 gains, or marks that nobody measured it.
    [TestCaseSource(nameof(Ids))]
    public void NominalTime_Int8_TakesTheStatedShareOfAllButTheCall(string id)
    {
        var (profile, work) = (All[id], Work(0, 12_754_944, 589_824, 0, 1_760, 15_370, 7));
        var (fp32, int8) = (profile.NominalTime(work, Precision.Float32), profile.NominalTime(work, Precision.Int8));
        var (ratio, overhead) = (profile.Compute.Int8TimeRatio!, profile.Compute.Overhead.Value);
        Assert.That((int8 - overhead) / (fp32 - overhead), Is.EqualTo(ratio.Value).Within(1e-9));
        Assert.That(ratio.Value, Is.InRange(0.3, 1));
        if (profile.Compute.DType == "int8") Assert.That(ratio.Value, Is.EqualTo(1), "its rates are int8's already");
        else Assert.That(ratio.Confidence, Is.AnyOf(Evidence.Unverified, Evidence.Computed));
    }

    // Milliseconds of mobilenet in both precisions, one thread. Source: Tencent/ncnn@a4d2ea1d44:benchmark/README.md.
    [TestCase("pi-3bplus", 181.34, 204.62)]
    [TestCase("pi-4b", 84.66, 123.76)]
    [TestCase("pi-5", 14.38, 20.24)]
    [TestCase("pi-zero-2w", 286.58, 393.79)]
    public void Int8TimeRatio_RaspberryPi_IsThatOfItsRows(string id, double int8, double fp32) => Assert.That(All[id].Compute.Int8TimeRatio!.Value, Is.EqualTo(int8 / fp32).Within(0.0005));

    [TestCase(0)]
    [TestCase(-0.5)]
    [TestCase(double.NaN)]
    public void Faults_Int8TimeRatioThatIsNone_SaysSo(double ratio)
    {
        var profile = All["pi-4b"];
        var faulty = profile with { Compute = profile.Compute with { Int8TimeRatio = profile.Compute.Int8TimeRatio! with { Value = ratio } } };
        Assert.That(faulty.Faults(), Has.One.StartWith("compute.int8_time_ratio is ").And.One.EndWith("it must be above 0"));
    }

    [Test]
    public void NominalTime_ProfileThatDoesNotSayWhatInt8Takes_IsThatOfFp32()
    {
        var profile = All["pi-4b"];
        var silent = profile with { Compute = profile.Compute with { Int8TimeRatio = null } };
        Assert.That(silent.Faults(), Is.Empty);
        Assert.That(silent.NominalTime(Work(0, 1e6, 0, 0, 0, 1000, 1), Precision.Int8), Is.EqualTo(profile.NominalTime(Work(0, 1e6, 0, 0, 0, 1000, 1), Precision.Float32)));
    }

    private static void AssertMeanError(string id, double[] publishedMs, double mean, double worst)
    {
        var errors = NcnnNetworks.Zip(publishedMs, (network, ms) => Math.Abs(Milliseconds(id, network.Work) / ms - 1)).ToList();
        // The notes round to two digits.
        Assert.That(errors.Average(), Is.LessThanOrEqualTo(mean + 0.0005));
        Assert.That(errors.Max(), Is.LessThanOrEqualTo(worst));
    }

    private static double Milliseconds(string id, KernelWork work) => All[id].NominalTime(work, Precision.Float32).Value * 1e3;

    private static KernelWork Work(double firstConv, double conv, double pointwise, double depthwise, double dense, long outputElements, int layers) => new()
    {
        FirstConv = new(firstConv),
        Conv = new(conv),
        Pointwise = new(pointwise),
        Depthwise = new(depthwise),
        Dense = new(dense),
        OutputElements = outputElements,
        Layers = layers,
    };
}
