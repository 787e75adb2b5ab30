using System.Globalization;

namespace Fleet.Emulator.Live;

/// <summary>Names of the sites and devices of a run; each site's is one string, however many devices it has.</summary>
public sealed class BulkNames
{
    private readonly BulkOptions options;
    private readonly string[] sites;
    private readonly int firstSite;

    public BulkNames(BulkOptions options)
    {
        this.options = options;
        var last = options.First - 2 + options.Count;
        firstSite = (options.First - 1) / options.PerSite;
        IsNumbered = last >= options.PerSite;
        sites = IsNumbered ? [.. Enumerable.Range(firstSite, last / options.PerSite - firstSite + 1).Select(site => $"{options.Site}-{site + 1:D4}")] : [options.Site];
    }

    /// <summary>Whether there are more devices, counted from number 1, than one site has.</summary>
    public bool IsNumbered { get; }

    public IReadOnlyList<string> Sites => sites;

    /// <summary>Place among the sites.</summary>
    /// <param name="i">Of the devices of this process, from 0.</param>
    public int SiteOf(int i) => IsNumbered ? (options.First - 1 + i) / options.PerSite - firstSite : 0;

    /// <inheritdoc cref="SiteOf"/>
    public string Site(int i) => sites[SiteOf(i)];

    /// <inheritdoc cref="SiteOf"/>
    public string Id(int i) => $"{options.IdPrefix}{options.First + i:D6}";

    /// <summary>Which device of this process has these names, from 0; -1 when none has.</summary>
    public int Find(string site, string id)
    {
        if (!id.StartsWith(options.IdPrefix, StringComparison.Ordinal) || !int.TryParse(id.AsSpan(options.IdPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return -1;
        var i = number - options.First;
        return i >= 0 && i < options.Count && Site(i) == site && Id(i) == id ? i : -1;
    }

    /// <summary>How many of this process's devices belong to the site of device i.</summary>
    public int CountOfSite(int i)
    {
        if (!IsNumbered) return options.Count;
        var site = (options.First - 1 + i) / options.PerSite;
        return Math.Min((site + 1) * options.PerSite, options.First - 1 + options.Count) - Math.Max(site * options.PerSite, options.First - 1);
    }
}
