using Fleet.Models;
using NUnit.Framework;

namespace Fleet.Tests.Models.Distributed;

public sealed class ViewGridTests
{
    private static readonly byte[] Picture = [.. Enumerable.Range(0, 28 * 28).Select(i => (byte)(i % 251 + 1))];

    [Test]
    public void Six_OfAFashionPicture_AreTenByFourteen()
    {
        Assert.That((ViewGrid.Six.Views, ViewGrid.Six.Height, ViewGrid.Six.Width, ViewGrid.Six.Top, ViewGrid.Six.Left), Is.EqualTo((6, 10, 14, 1, 0)));
    }

    [Test]
    public void Cut_AllViews_HoldEveryPixelOnceAndBlackAroundThem()
    {
        var cut = Enumerable.Range(1, 6).SelectMany(view => ViewGrid.Six.Cut(Picture, view)).ToList();
        Assert.That(cut.Count(pixel => pixel == 0), Is.EqualTo(2 * 28));
        Assert.That(cut.Where(pixel => pixel > 0).Order(), Is.EqualTo(Picture.Order()));
    }

    // One row of padding lies above the picture: the second row of views begins at row 9 of it, the third at row 19.
    [TestCase(1, 1, 0)]
    [TestCase(2, 1, 14)]
    [TestCase(4, 0, 9 * 28 + 14)]
    [TestCase(5, 0, 19 * 28)]
    public void Cut_View_StandsWhereItsRowAndColumnAre(int view, int blankRows, int from)
    {
        var rows = ViewGrid.Six.Cut(Picture, view).Chunk(14).ToList();
        Assert.That(rows.Take(blankRows).SelectMany(row => row), Is.All.EqualTo(0));
        Assert.That(rows[blankRows], Is.EqualTo(Picture[from..(from + 14)]));
    }

    [TestCase(0)]
    [TestCase(7)]
    public void Cut_NoSuchView_IsRefused(int view) =>
        Assert.That(() => ViewGrid.Six.Cut(Picture, view), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("views are 1 to 6"));

    [Test]
    public void Cut_PictureOfAnotherSize_IsRefused() =>
        Assert.That(() => ViewGrid.Six.Cut(new byte[27 * 28], 1), Throws.ArgumentException.With.Message.Contains("756 pixels"));
}
