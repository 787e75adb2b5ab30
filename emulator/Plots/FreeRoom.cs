namespace Fleet.Emulator.Plots;

/// <summary>A rectangle in pixels.</summary>
public readonly record struct Box(double Left, double Top, double Width, double Height)
{
    public double Right => Left + Width;

    public double Bottom => Top + Height;

    public bool Meets(Box other) => Left < other.Right && other.Left < Right && Top < other.Bottom && other.Top < Bottom;

    public bool Holds(Box other) => other.Left >= Left && other.Right <= Right && other.Top >= Top && other.Bottom <= Bottom;

    public static Box Around(double x, double y, double radius) => new(x - radius, y - radius, 2 * radius, 2 * radius);
}

/// <summary>Finds places for labels in which they cover neither each other nor a mark. A label without one is left out: the tables have it.</summary>
public sealed class FreeRoom(Box within)
{
    private const double LetterWidth = 6.3;
    private const double LineHeight = 13;
    private const double Gap = 8;
    private readonly List<Box> taken = [];

    public void Take(Box box) => taken.Add(box);

    /// <summary>The left end of the base line of a label beside a mark; null when every place is taken.</summary>
    public (double X, double Y)? Beside(double x, double y, string label)
    {
        var width = label.Length * LetterWidth;
        (double Left, double Top)[] places =
        [
            (x + Gap, y - LineHeight / 2), (x - Gap - width, y - LineHeight / 2), (x - width / 2, y - Gap - LineHeight), (x - width / 2, y + Gap),
            (x + Gap, y - LineHeight - 3), (x + Gap, y + 3), (x - Gap - width, y - LineHeight - 3), (x - Gap - width, y + 3),
        ];
        foreach (var (left, top) in places)
        {
            var box = new Box(left, top, width, LineHeight);
            if (!within.Holds(box) || taken.Any(box.Meets)) continue;
            taken.Add(box);
            return (left, top + LineHeight - 3);
        }
        return null;
    }

    public static double WidthOf(string label) => label.Length * LetterWidth;
}
