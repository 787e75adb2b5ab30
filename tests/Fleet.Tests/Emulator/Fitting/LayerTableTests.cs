using Fleet.Emulator.Fitting;
using Fleet.Models;
using Fleet.Models.Profiling;
using NUnit.Framework;

namespace Fleet.Tests.Emulator.Fitting;

public sealed class LayerTableTests
{
    // Of ncnn's shufflenet, alexnet and regnety_400m: 80 and 48 channels a group are wide, 8 are narrow.
    [TestCase("groupconv,5017600,28x28x240,28x28x80", Charge.Pointwise)]
    [TestCase("groupconv,223948800,27x27x96,27x27x256", Charge.Conv)]
    [TestCase("groupconv,2709504,56x56x48,28x28x48", Charge.Grouped)]
    [TestCase("conv,2709504,56x56x3,28x28x48", Charge.FirstConv)]
    [TestCase("fc,1000,1x10,1x100", Charge.Dense)]
    public void Read_Layer_IsChargedByItsKind(string layer, Charge charge)
    {
        var work = Work(layer);
        Assert.That(work[charge], Is.EqualTo(double.Parse(layer.Split(',')[1], System.Globalization.CultureInfo.InvariantCulture)));
        Assert.That(work.Kernels.Layers, Is.EqualTo(1));
    }

    [Test]
    public void Read_LayersThatComputeNothing_CountNothing()
    {
        var work = Work("fc,1000,1x10,1x100", "reshape,0,1x100,1x100", "softmax,0,1x100,1x100", "split,0,1x100,1x100", ",0,1x100,1x100", "add,0,1x100;1x100,1x100");
        Assert.That(work.OtherElements, Is.EqualTo(100));
    }

    // What the published networks were counted by, counted again from their tables.
    [Test]
    public void Read_KeywordSpotting_IsWhatThePublishedTableSays()
    {
        var blocks = Enumerable.Range(0, 4).SelectMany(_ => new[] { "dwconv,72000,1x25x5x64,1x25x5x64", "conv1x1,512000,1x25x5x64,1x25x5x64" });
        Assert.That(Work(["conv,320000,1x49x10x1,1x25x5x64", .. blocks, "fc,768,1x64,1x12"]), Is.EqualTo(MeasuredTables.Shipped().Networks["kws"].Work));
    }

    private static NetworkWork Work(params string[] layers)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllLines(path, ["kind,macs,in_shape,out_shape", .. layers]);
            return LayerTable.Read(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
