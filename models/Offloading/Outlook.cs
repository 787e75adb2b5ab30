using System.Globalization;
using Fleet.Contracts;

namespace Fleet.Models.Offloading;

/// <summary>
/// What going on promises at each level of a network, counted on the calibration trace: level 0 is the input, level k behind exit k. For each bin of
/// the exit's confidence the share of inputs that whoever finishes gets right, and where the next exit's confidence will lie.
/// As text, since it travels in one key: levels separated by ";", right shares in permille by ",", then "|" and, by "/", a row for each bin: a digit a bin of the next exit,
/// 0-9A-Za-z, that weighs the shares against each other.
/// </summary>
public sealed class Outlook
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private readonly double[][] right;
    private readonly double[][][] next;

    private Outlook(double[][] right, double[][][] next) => (this.right, this.next) = (right, next);

    /// <summary>Exits it knows.</summary>
    public int Exits => right.Length - 1;

    /// <summary>Share that is finished rightly elsewhere, by bin of the exit's confidence; one number at level 0.</summary>
    public ReadOnlySpan<double> Right(int level) => right[level];

    /// <summary>Of the next exit's confidence given this one's bin; level 0 has one row.</summary>
    public ReadOnlySpan<double> Next(int level, int bin) => next[level][bin];

    /// <param name="confidences">For exit 1..: calibrated, one a sample.</param>
    /// <param name="finished">Whether whoever finishes is right about a sample.</param>
    public static Outlook Of(IReadOnlyList<float[]> confidences, bool[] finished)
    {
        var (right, next) = (new double[confidences.Count + 1][], new double[confidences.Count + 1][][]);
        for (var level = 0; level <= confidences.Count; level++)
        {
            var bins = level == 0 ? 1 : ConfidenceScale.Bins;
            int BinOf(int sample) => level == 0 ? 0 : ConfidenceScale.Bin(confidences[level - 1][sample]);
            // A bin that nobody is in promises what a whole set does, and leads to itself.
            var (count, won) = (new double[bins], new double[bins]);
            var rows = Enumerable.Range(0, bins).Select(_ => new double[ConfidenceScale.Bins]).ToArray();
            for (var sample = 0; sample < finished.Length; sample++)
            {
                var bin = BinOf(sample);
                count[bin]++;
                if (finished[sample]) won[bin]++;
                if (level < confidences.Count) rows[bin][ConfidenceScale.Bin(confidences[level][sample])]++;
            }
            var mean = won.Sum() / Math.Max(1, count.Sum());
            right[level] = [.. won.Zip(count, (some, all) => Permille((some + mean) / (all + 1)))];
            next[level] = level == confidences.Count ? [] : [.. rows.Select((row, bin) => Shares(count[bin] == 0 ? Alone(bin) : row))];
        }
        return new Outlook(right, next);
    }

    public override string ToString() => string.Join(';', right.Select((row, level) => Text(row) + (next[level].Length == 0 ? "" : "|" + string.Join('/', next[level].Select(Row)))));

    /// <summary>Throws <see cref="FaultsException"/> that says what is wrong with the text.</summary>
    public static Outlook Parse(string text) => TryParse(text, out var outlook) is { } fault ? throw new FaultsException("outlook", fault) : outlook!;

    /// <summary>What is wrong with a text; null when nothing is.</summary>
    public static string? TryParse(string text, out Outlook? outlook)
    {
        outlook = null;
        var levels = text.Split(';');
        if (levels.Length is < 2 or > PerExit.Max + 1) return $"has {levels.Length} levels; allowed: 2 to {PerExit.Max + 1}";
        var (right, next) = (new double[levels.Length][], new double[levels.Length][][]);
        for (var level = 0; level < levels.Length; level++)
        {
            var (bins, parts) = (level == 0 ? 1 : ConfidenceScale.Bins, levels[level].Split('|'));
            var rows = parts.Length == 2 ? parts[1].Split('/') : [];
            if (parts.Length > 2 || rows.Length != (level == levels.Length - 1 ? 0 : bins)) return $"level {level} has {rows.Length} rows; allowed: {(level == levels.Length - 1 ? 0 : bins)}";
            if (Numbers(parts[0], bins) is not { } shares) return $"level {level} needs {bins} shares, each 0 to 1000";
            (right[level], next[level]) = (shares, new double[rows.Length][]);
            for (var row = 0; row < rows.Length; row++)
            {
                if (rows[row].Length != ConfidenceScale.Bins || rows[row].Any(digit => !Digits.Contains(digit)) || rows[row].All(digit => digit == Digits[0]))
                    return $"row {row + 1} of level {level} is \"{rows[row]}\"; allowed: {ConfidenceScale.Bins} of 0-9A-Za-z, not all of them 0";
                var leads = Shares([.. rows[row].Select(digit => (double)Digits.IndexOf(digit))]);
                next[level][row] = leads;
            }
        }
        outlook = new Outlook(right, next);
        return null;
    }

    /// <summary>What keeps a text from serving exits up to the deepest, one sentence a fault; none when there is no text.</summary>
    /// <param name="key">Of the deepest exit, in the message that brought the text.</param>
    public static IEnumerable<string> Faults(string? text, string key, int? deepest)
    {
        if (text is null) yield break;
        if (TryParse(text, out var outlook) is { } fault) yield return $"outlook {fault}";
        else if (outlook!.Exits < deepest) yield return $"outlook knows {outlook.Exits} exits; {key} is {deepest}";
    }

    private static double[]? Numbers(string text, int count)
    {
        var parts = text.Split(',');
        if (parts.Length != count) return null;
        var numbers = new double[count];
        for (var i = 0; i < count; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out var permille) || permille > 1000) return null;
            numbers[i] = permille / 1000.0;
        }
        return numbers;
    }

    private static string Text(double[] shares) => string.Join(',', shares.Select(share => ((int)Math.Round(share * 1000)).ToString(CultureInfo.InvariantCulture)));

    private static string Row(double[] shares) => string.Concat(shares.Select(share => Digits[(int)Math.Round(share / shares.Max() * (Digits.Length - 1))]));

    /// <summary>Summing to 1, and as a row tells them: what is written reads back as it was.</summary>
    private static double[] Shares(double[] weights)
    {
        var most = weights.Max();
        var told = Array.ConvertAll(weights, weight => Math.Round(weight / most * (Digits.Length - 1)));
        var sum = told.Sum();
        return Array.ConvertAll(told, weight => weight / sum);
    }

    private static double Permille(double share) => Math.Round(share * 1000) / 1000;

    private static double[] Alone(int bin)
    {
        var row = new double[ConfidenceScale.Bins];
        row[bin] = 1;
        return row;
    }
}
