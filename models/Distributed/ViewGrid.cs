using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>
/// How one picture is cut into the views of a group of devices, as the authors of DDNN did with MNIST (Teerapittayanon et al.,
/// Distributed deep neural networks over the cloud, the edge and end devices, ICDCS 2017, and their code): rows x columns
/// of equal size, the picture padded with black until it divides. View 1 is the upper left one, then row by row.
/// </summary>
public sealed record ViewGrid(int Rows, int Columns, int PictureHeight, int PictureWidth)
{
    /// <summary>Three rows of two: six devices.</summary>
    public static readonly ViewGrid Six = new(3, 2, 28, 28);

    public static ViewGrid Of(GroupCard card) => new(card.Rows, card.Columns, card.PictureHeight, card.PictureWidth);

    public int Views => Rows * Columns;

    public int Height => (PictureHeight + Rows - 1) / Rows;

    public int Width => (PictureWidth + Columns - 1) / Columns;

    /// <summary>Pixels of a view.</summary>
    public int Pixels => Height * Width;

    /// <summary>Rows of padding above the picture; what remains is below.</summary>
    public int Top => (Height * Rows - PictureHeight) / 2;

    public int Left => (Width * Columns - PictureWidth) / 2;

    /// <summary>View 1..<see cref="Views"/> of a picture [height, width]: [<see cref="Height"/>, <see cref="Width"/>], a fresh array.</summary>
    /// <exception cref="ArgumentException">The picture is of another size.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such view.</exception>
    public byte[] Cut(ReadOnlySpan<byte> picture, int view)
    {
        if (picture.Length != PictureHeight * PictureWidth) throw new ArgumentException($"{picture.Length} pixels; a picture of {PictureHeight}x{PictureWidth} is cut", nameof(picture));
        if (view < 1 || view > Views) throw new ArgumentOutOfRangeException(nameof(view), view, $"views are 1 to {Views}");
        var cut = new byte[Pixels];
        var (top, left) = ((view - 1) / Columns * Height - Top, (view - 1) % Columns * Width - Left);
        for (var y = Math.Max(0, -top); y < Height && top + y < PictureHeight; y++)
            for (var x = Math.Max(0, -left); x < Width && left + x < PictureWidth; x++)
                cut[y * Width + x] = picture[(top + y) * PictureWidth + left + x];
        return cut;
    }
}
