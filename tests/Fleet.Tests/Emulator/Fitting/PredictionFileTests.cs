using System.Globalization;
using Fleet.Contracts;
using Fleet.Emulator.Fitting;
using Fleet.Models;
using Fleet.Tests.Emulator.Commands;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Fitting;

[NonParallelizable]
public sealed class PredictionFileTests : CommandFixture
{
    private const string Header = "board,stack,model,calibrate_with";

    [Test]
    public void Predict_MeasuredRow_IsTheMeasurement()
    {
        var (latency, energy, note) = Answer("NUCLEO-U385RG-Q,X-CUBE-AI v10.2,kws,");
        Assert.That(latency, Is.EqualTo(48.302));
        Assert.That(energy, Is.EqualTo(245.34));
        Assert.That(note, Does.StartWith("measured").And.Contain("energy measured"));
    }

    // The donor with the same stack took 182.45 / 48.30 = 3.78 times as long for ic as for kws; 28.994 ms was measured here.
    [Test]
    public void Predict_CalibratedWithOneBenchmark_FollowsTheDonorsQuotient()
    {
        var (latency, _, note) = Answer("NUCLEO-U575ZI-Q,X-CUBE-AI 10.2.0,ic,kws");
        Assert.That(latency, Is.EqualTo(28.994 * 182.448 / 48.302).Within(5).Percent);
        Assert.That(note, Does.Contain("calibrated with kws").And.Contain("nucleo-u385rg-q"));
    }

    [TestCase("NUCLEO-H7A3ZI-Q,X-CUBE-AI v9.0.0,vww,", 18, 40)]
    [TestCase("nucleo_h7a3zi_q,x-cube-ai 9.0,vww_mobilenetv1_0.25_96,", 18, 40)]
    [TestCase("nRF5340 DK,microTVM,ic,kws", 150, 400)]
    [TestCase("Raspberry Pi Zero 2 W,ncnn 4t,resnet50,mobilenet", 500, 1200)]
    [TestCase("Raspberry Pi 4 Model B,ncnn,resnet50_int8,", 200, 600)]
    [TestCase("STM32H747I-DISCO,STM32Cube.AI 10.0.0 int8,MobileNetV2 1.0 224 ImageNet,", 900, 1300)]
    [TestCase("A board nobody has,X-CUBE-AI 9.0,vww,kws=20", 35, 60)]
    [TestCase("pi-4b,,fmnist,", 0.5, 10)]
    [TestCase("pi-4b,,fmnist,mobilenet=1000", 5, 30)]
    [TestCase("NUCLEO-L4R5ZI,X-CUBE-AI v9.0,fmnist,", 10, 1500)]
    [TestCase("Pi 4B,ncnn 1t,mobilenet,N/A", 123.76, 123.76)]
    [TestCase("BCM2711B0,ncnn 1t,mobilenet,none", 123.76, 123.76)]
    [TestCase("STM32L4R5ZIT6U,X-CUBE-AI 9.0,kws,", 43.187, 43.187)]
    [TestCase("Raspberry Pi 4 Model B,ONNX Runtime,mobilenet,", 100, 200)]
    [TestCase("pi-5,ncnn (fp16 arithmetic),mobilenet,", 20.24, 20.24)]
    [TestCase("Raspberry Pi 5,ncnn 4t gpu=-1,mobilenet,", 9, 9)]
    [TestCase("Raspberry Pi 5,ncnn 4t gpu=0,mobilenet,", 160.32, 160.32)]
    [TestCase("Raspberry Pi 5,ncnn Vulkan,mobilenet,", 160.32, 160.32)]
    [TestCase("\"Raspberry Pi 5 Broadcom BCM2712, VideoCore VII Graphics (Vulkan 1.2)\",ncnn,mobilenet,", 160.32, 160.32)]
    [TestCase("STM32H747I-DISCO,STM32Cube.AI 10.0,ic,", 28.67, 28.67)]
    [TestCase("NUCLEO-L4R5ZI,\"microTVM {'TVM': {'SHA': 'e3a6cb6a1bc1764e261321713ab275461b36dcc0'}}\",kws,", 144.02, 144.03)]
    [TestCase("NUCLEO-L4R5ZI,X-CUBE-AI 9.0,ic,\"kws, ad\"", 130, 200)]
    public void Predict_NamesAsPeopleWriteThem_AreUnderstood(string row, double leastMs, double mostMs) =>
        Assert.That(Answer(row).Latency, Is.InRange(leastMs, mostMs));

    [Test]
    public void Predict_NoPowerPublished_TakesTheProfilesStandInAndShowsItsTag()
    {
        var (latency, energy, note) = Answer("NUCLEO-G0B1RE,Bosch HALE 1.0.175,vww,");
        var power = ProfileFile.Read(Path.Combine(ProjectFiles.Find("hardware-profiles"), "nucleo-g0b1re.json")).Power.Active;
        Assert.That(power.Confidence, Is.EqualTo(Evidence.Unverified));
        Assert.That(energy, Is.EqualTo(latency * 1e3 * power.Value.Value).Within(0.1).Percent);
        Assert.That(note, Does.Contain("power K: profile nucleo-g0b1re"));
    }

    // 1.6 W idle, 5.0 W under the stress of four cores, of which the profile takes 0.40 for one: geerlingguy/sbc-reviews@968b675e issue 4.
    [TestCase("ncnn 4t,mobilenet", 5.0)]
    [TestCase("ncnn 1t,mobilenet", 2.96)]
    [TestCase("ncnn 1t,mobilenet_int8", 2.96)]
    public void Predict_RaspberryPi_DrawsWhatItsBusyCoresDo(string row, double watts)
    {
        var (latency, energy, note) = Answer($"Raspberry Pi 4 Model B,{row},");
        Assert.That(energy, Is.EqualTo(latency * 1e3 * watts).Within(0.1).Percent);
        Assert.That(note, Does.Contain("power X: profile pi-4b"));
    }

    [Test]
    public void Predict_NoProfileEither_LeavesTheEnergyEmptyAndSaysSo()
    {
        var (_, energy, note) = Answer("PCL Scepu02,Tensorflow Lite Micro 2.3.1,vww,kws");
        Assert.That(energy, Is.Null);
        Assert.That(note, Does.Contain("no power published"));
    }

    // Cortex-A53 at 2.0 GHz against the same core at 1.0 GHz.
    [Test]
    public void Predict_BoardThatNobodyMeasured_IsScaledByItsClock()
    {
        var (latency, _, note) = Answer("Arduino UNO Q,ncnn 1 thread,mobilenet,");
        Assert.That(latency, Is.EqualTo(Answer("Raspberry Pi Zero 2 W,ncnn 1 thread,mobilenet,").Latency / 2).Within(35).Percent);
        Assert.That(note, Does.Contain("by clock, not calibrated").And.Contain("nobody measured this board"));
    }

    // Counted from kernel benchmarks: what a clock alone would say is three times as long.
    [TestCase("ESP32-S3,TFLM + ESP-NN int8,vww,")]
    [TestCase("esp32-s3,,vww,")]
    public void Predict_BoardWithAProfileAndNoRows_IsAnsweredByItsProfile(string row)
    {
        var (latency, energy, note) = Answer(row);
        Assert.That(latency, Is.InRange(30, 90));
        Assert.That(energy, Is.EqualTo(latency * 239).Within(1).Percent);
        Assert.That(note, Does.StartWith("profile esp32-s3; power D: "));
    }

    [TestCase("ESP32-S3,,vww,")]
    [TestCase("esp32-s3,TFLM + ESP-NN int8,vww,kws=20")]
    [TestCase("nRF52840,TFLM CMSIS-NN,kws,")]
    [TestCase("rp2040,TFLM,kws,kws=500")]
    public void Predict_CommonBoardsWithoutRows_AreAnswered(string row) => Assert.That(Answer(row).Latency, Is.InRange(1, 2000));

    [Test]
    public void Predict_LayerTableOfABenchmark_GivesWhatItsNameGives()
    {
        var layers = Path.Combine(Scratch, "ad.csv");
        int[] widths = [640, 128, 128, 128, 128, 8, 128, 128, 128, 128, 640];
        File.WriteAllLines(layers, ["kind,macs,in_shape,out_shape", .. widths.Zip(widths.Skip(1), (read, written) => $"fc,{read * written},1x{read},1x{written}")]);
        Assert.That(Answer($"My board,X-CUBE-AI 9.0,{layers},ad=2").Latency, Is.EqualTo(2).Within(25).Percent);
    }

    [Test]
    public void Predict_OnnxFile_CountsItsWork()
    {
        var stage = Path.Combine(ProjectFiles.Find("models/zoo"), "fmnist", "stage-1.onnx");
        var counted = ModelFiles.Open(Path.GetDirectoryName(stage)!).Card.Stage(1).Work;
        var profile = ProfileFile.Read(Path.Combine(ProjectFiles.Find("hardware-profiles"), "pi-4b.json"));
        Assert.That(Answer($"pi-4b,,{stage},").Latency, Is.EqualTo(profile.NominalTime(counted, Precision.Float32).Value * 1e3).Within(1).Percent);
    }

    [Test]
    public void Predict_TableOfSeveralNetworks_WantsToBeToldWhich()
    {
        var layers = Path.Combine(Scratch, "layers.csv");
        File.WriteAllLines(layers, ["model,kind,macs,in_shape,out_shape", "small,fc,1000,1x10,1x100", "large,fc,2000,1x10,1x200", "large,softmax,0,1x200,1x200"]);
        var said = Predict($"NUCLEO-L4R5ZI,X-CUBE-AI 9.0,{layers},", $"NUCLEO-L4R5ZI,X-CUBE-AI 9.0,{layers}#medium,", $"NUCLEO-L4R5ZI,X-CUBE-AI 9.0,{layers}#large,");
        Assert.That(said.Error, Does.Contain($"line 2: model {layers}: holds 2 networks").And.Contain($"{layers}#small").And.Contain("line 3: model ").And.Contain("allowed: small, large").And.Not.Contain("line 4"));
    }

    // A published network under another name, layer by layer: donors have measured it.
    [Test]
    public void Predict_LayersOfAMeasuredNetwork_IsItsMeasurement()
    {
        var layers = Path.Combine(Scratch, "mine.csv");
        File.WriteAllLines(layers, ["kind,macs,in_shape,out_shape", "conv,320000,1x49x10x1,1x25x5x64", .. Enumerable.Range(0, 4).SelectMany(_ => new[] { "dwconv,72000,1x25x5x64,1x25x5x64", "conv1x1,512000,1x25x5x64,1x25x5x64" }), "fc,768,1x64,1x12"]);
        var (latency, _, note) = Answer($"NUCLEO-L4R5ZI,X-CUBE-AI 9.0,{layers},");
        Assert.That(latency, Is.EqualTo(43.187));
        Assert.That(note, Does.StartWith("measured").And.EndWith("the model is kws"));
    }

    [Test]
    public void Predict_Int8OnnxFile_IsCountedAsInt8()
    {
        var (exact, coded) = (Onnx("fmnist", "stage-1.onnx"), Onnx("scenes", "stage-2.onnx"));
        var profile = ProfileFile.Read(Path.Combine(ProjectFiles.Find("hardware-profiles"), "pi-4b.json"));
        var work = ModelFiles.Open(Path.GetDirectoryName(coded)!).Card.Stage(2).Work;
        var (latency, _, note) = Answer($"pi-4b,,{coded},");
        Assert.That(latency, Is.EqualTo(profile.NominalTime(work, Precision.Int8).Value * 1e3).Within(0.1).Percent);
        Assert.That(note, Does.Contain("100 % of the MACs in int8 at 0.684 of fp32's time (X)"));
        Assert.That(Answer($"Raspberry Pi 4 Model B,ncnn 4t,{coded},").Note, Does.Contain("int8-4t"));
        Assert.That(Answer($"Raspberry Pi 4 Model B,ncnn 4t,{exact},").Note, Does.Contain("fp32-4t"));
        Assert.That(Answer($"NUCLEO-H7A3ZI,Bosch HALE 1.0.175,{coded},").Note, Does.Contain("rates fitted to this system's 3 rows"));
    }

    [Test]
    public void Predict_Fp32OnnxFileWhereRowsAreInt8_SaysSo()
    {
        Assert.That(Answer($"NUCLEO-L4R5ZI,X-CUBE-AI 9.0,{Onnx("fmnist", "stage-1.onnx")},").Note, Does.Contain("the model's file is fp32, this stack's rows are int8"));
    }

    [TestCase("Raspberry Pi 4 Model B,ncnn fp32", "known on this board in int8: LEIP v1.9.3 | ncnn int8")]
    [TestCase("Jetson Orin Nano GPU,ncnn GPU", "known on this board in int8: nothing")]
    [TestCase("NUCLEO-H7A3ZI,NUCLEO_H7A3ZI_float", "known on this board in int8: Bosch")]
    public void Predict_Int8OnnxFileWhereRowsAreFp32_IsRefused(string where, string allowed)
    {
        var said = Predict($"{where},{Onnx("scenes", "stage-2.onnx")},");
        Assert.That(said.ExitCode, Is.EqualTo(2));
        Assert.That(said.Error, Does.Contain("and the model is int8").And.Contain(allowed));
    }

    [Test]
    public void Predict_BrokenOnnxFile_IsNamedOnce()
    {
        var path = Path.Combine(Scratch, "broken.onnx");
        File.WriteAllText(path, "not an ONNX file at all");
        Assert.That(Predict($"pi-4b,,{path},").Error, Does.Contain($"line 2: model {path}: not an ONNX model"));
    }

    [TestCase("50.2", "is \"50.2\"; expected a benchmark measured there, or benchmark=latency_ms")]
    [TestCase("kws=nan", "gives \"nan\"; expected milliseconds above 0")]
    [TestCase("something", "is \"something\"; allowed: vww")]
    public void Predict_CalibrationThatIsNone_SaysWhatIsExpected(string calibration, string expected) =>
        Assert.That(Predict($"NUCLEO-L4R5ZI,X-CUBE-AI 9.0,ic,{calibration}").Error, Does.Contain("line 2: calibrate_with " + expected));

    [Test]
    public void Predict_FileAsSpreadsheetsWriteIt_IsRead()
    {
        var rows = Path.Combine(Scratch, "rows.csv");
        File.WriteAllText(rows, "\uFEFFmodel,calibrate_with,\"stack\",measured_latency_ms,board,note\r\n\r\nkws,,\"X-CUBE-AI v10.2\",1,NUCLEO-U385RG-Q,old\r\n");
        Assert.That(Fleet("profile", "predict", rows).Out, Does.StartWith("model,calibrate_with,stack,measured_latency_ms,board,predicted_latency_ms,predicted_energy_uj,note\nkws,,X-CUBE-AI v10.2,1,NUCLEO-U385RG-Q,48.302,"));
    }

    [Test]
    public void Predict_OneBadRow_LosesNoOther()
    {
        var said = Predict("NUCLEO-U385RG-Q,X-CUBE-AI v10.2,kws,", "EK-RA6M4,some stack int8,kws,", "NUCLEO-U385RG-Q,X-CUBE-AI v10.2,kws,");
        Assert.That(said.ExitCode, Is.EqualTo(2));
        Assert.That(said.Error, Does.Contain("line 3: ").And.Contain("known on this board").And.Not.Contain("line 2"));
        var lines = CsvTable.Read(Path.Combine(Scratch, "answers.csv"), "predicted_latency_ms", "note");
        Assert.That(lines.Select(line => line["predicted_latency_ms"]), Is.EqualTo(new[] { "48.302", "", "48.302" }));
        Assert.That(lines[1]["note"], Does.StartWith("not predicted: ").And.Contain("known on this board"));
    }

    [Test]
    public void Predict_BadRows_AreAllToldWithTheirLines()
    {
        var said = Predict("foo,bar,nonet,", "NUCLEO-H7A3ZI,zzz,kws,", "NUCLEO-H7A3ZI,X-CUBE-AI,kws,vww", "A board nobody has,X-CUBE-AI,kws,", "NUCLEO-H7A3ZI,X-CUBE-AI,vww,kws=-1", ",X-CUBE-AI,kws,");
        Assert.That(said.ExitCode, Is.EqualTo(2));
        Assert.That(said.Error, Does.Contain("6 faults").And.Contain("line 2: model is \"nonet\"").And.Contain("line 3: ").And.Contain("zzz").And.Contain("line 4: calibrate_with names vww")
            .And.Contain("line 5: board").And.Contain("line 3: stack is \"zzz\"").And.Contain("line 6: calibrate_with gives \"-1\"").And.Contain("line 7: board is empty"));
    }

    [Test]
    public void Predict_MissingColumnAndShortLine_AreToldTogether()
    {
        var rows = Path.Combine(Scratch, "rows.csv");
        File.WriteAllText(rows, "board,stack,model\na,b,c\nd,e\n");
        var said = Fleet("profile", "predict", rows);
        Assert.That(said.ExitCode, Is.EqualTo(2));
        Assert.That(said.Error, Does.Contain("calibrate_with is missing").And.Contain("line 3: has 2 cells"));
    }

    [Test]
    public void Predict_ExtraColumnsAndQuotes_AreKept()
    {
        var rows = Path.Combine(Scratch, "rows.csv");
        File.WriteAllText(rows, $"id,{Header}\n\"a, \"\"b\"\"\",NUCLEO-U385RG-Q,X-CUBE-AI v10.2,kws,\n");
        var said = Fleet("profile", "predict", rows);
        Assert.That(said.Out, Does.StartWith($"id,{Header},predicted_latency_ms,predicted_energy_uj,note\n\"a, \"\"b\"\"\",NUCLEO-U385RG-Q,X-CUBE-AI v10.2,kws,,48.302,"));
    }

    private static string Onnx(string model, string file) => Path.Combine(ProjectFiles.Find("models/zoo"), model, file);

    private Said Predict(params string[] rows)
    {
        var path = Path.Combine(Scratch, "rows.csv");
        File.WriteAllLines(path, [Header, .. rows]);
        return Fleet("profile", "predict", path, "--out", Path.Combine(Scratch, "answers.csv"));
    }

    private (double Latency, double? Energy, string Note) Answer(string row)
    {
        var said = Predict(row);
        Assert.That(said.ExitCode, Is.Zero, said.Error);
        var answer = CsvTable.Read(Path.Combine(Scratch, "answers.csv"), "predicted_latency_ms", "predicted_energy_uj", "note").Single();
        return (Number(answer["predicted_latency_ms"])!.Value, Number(answer["predicted_energy_uj"]), answer["note"]);
    }

    private static double? Number(string text) => text.Length == 0 ? null : double.Parse(text, CultureInfo.InvariantCulture);
}
