using Fleet.Contracts;
using Fleet.Models.Timing;
using NUnit.Framework;

namespace Fleet.Tests.Models.Timing;

public sealed class PieceTimingTests
{
    private static readonly TimingPlan Short = new(Rounds: 3, Block: new Seconds(1e-4), WarmUp: new Seconds(1e-4));

    [Test]
    public void Measure_PiecesOfTheZoo_RunAndAreTimed()
    {
        var card = Zoo.Model.Card;
        var files = card.Pieces.Select(piece => new TimedFile(piece.File, Zoo.Model.ReadChecked(piece.File, piece.Sha256), piece.Work.Total)).ToList();
        var times = PieceTiming.Measure(files, Short, TimeProvider.System, _ => { });
        Assert.That(times.Select(time => time.Name), Is.EqualTo(card.Pieces.Select(piece => piece.File)));
        Assert.That(times.Select(time => time.Times.Rounds.Count), Is.All.EqualTo(3));
        Assert.That(times.Select(time => time.MacsPerSecond), Is.All.InRange(1, 1e15));
    }

    [Test]
    public void Measure_NoNetwork_NamesTheFile() =>
        Assert.That(() => PieceTiming.Measure([new TimedFile("broken.onnx", [1, 2, 3], new Macs(1))], Short, TimeProvider.System, _ => { }), Throws.TypeOf<FaultsException>().With.Property(nameof(FaultsException.Subject)).EqualTo("broken.onnx"));
}
