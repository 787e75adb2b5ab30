using Fleet.Contracts;

namespace Fleet.Models;

/// <summary>
/// What a model answered for every sample of a set, by every exit and over every route that changes the answer: logits in half
/// precision. Emulated devices replay the test set's; planners and calibration see only the calibration set's. Routes that lose
/// nothing (raw, PNG, fp32, without a bottleneck) equal the final exit; PNG is stored all the same for the length of its payloads.
/// </summary>
public sealed class Trace
{
    private readonly Route[] routes;
    private readonly byte[] labels;
    private readonly Half[][] exitLogits;
    private readonly Half[][] routeLogits;
    private readonly int[][] payloadBytes;
    private byte[] blank = [];

    // In single precision, of the exits that heads and middles replay: made when one first asks.
    private readonly float[]?[] replayed;

    /// <param name="text">What made it: command and data set.</param>
    /// <param name="networkHash">SHA-256 of the network's files, see <see cref="ModelFiles.NetworkHash"/>.</param>
    /// <param name="firstSample">Index in the data set of the first sample.</param>
    /// <param name="labels">The true class of each sample.</param>
    /// <param name="classes">Of the model.</param>
    /// <param name="exitLogits">One array [samples x classes] an exit, 1..N.</param>
    /// <param name="routes">The routes stored.</param>
    /// <param name="routeLogits">One array [samples x classes] a route.</param>
    /// <param name="payloadBytes">One array [samples] a route: payload without the frame's header.</param>
    /// <param name="drift">How the images have drifted from those trained on, such as noise-2; "" when they have not.</param>
    public Trace(string text, byte[] networkHash, int firstSample, byte[] labels, int classes, IEnumerable<float[]> exitLogits, IEnumerable<Route> routes, IEnumerable<float[]> routeLogits, IEnumerable<int[]> payloadBytes, string drift = "")
        : this(text, networkHash, firstSample, drift, labels, classes, [.. exitLogits.Select(ToHalf)], [.. routes], [.. routeLogits.Select(ToHalf)], [.. payloadBytes])
    {
    }

    internal Trace(string text, byte[] networkHash, int firstSample, string drift, byte[] labels, int classes, Half[][] exitLogits, Route[] routes, Half[][] routeLogits, int[][] payloadBytes)
    {
        (Text, NetworkHash, FirstSample, Drift, Classes) = (text, networkHash, firstSample, drift, classes);
        (this.labels, this.exitLogits, this.routes, this.routeLogits, this.payloadBytes) = (labels, exitLogits, routes, routeLogits, payloadBytes);
        replayed = new float[]?[exitLogits.Length];
        foreach (var sizes in payloadBytes)
            foreach (var size in sizes) PayloadBytesMax = Math.Max(PayloadBytesMax, size);
    }

    public string Text { get; }

    public byte[] NetworkHash { get; }

    public int FirstSample { get; }

    /// <summary>"" for images as those trained on.</summary>
    public string Drift { get; }

    public int Samples => labels.Length;

    public int Classes { get; }

    public int Exits => exitLogits.Length;

    public IReadOnlyList<Route> Routes => routes;

    public ReadOnlySpan<byte> Labels => labels;

    /// <summary>The longest payload recorded; 0 when none is.</summary>
    public int PayloadBytesMax { get; }

    public int Label(int sample) => labels[sample];

    /// <summary>Logits of exit <paramref name="exit"/> (1..N).</summary>
    public ReadOnlySpan<Half> ExitLogits(int exit, int sample) => exitLogits[exit - 1].AsSpan(sample * Classes, Classes);

    /// <summary>Logits of exit <paramref name="exit"/> (1..N) for every sample: [samples x classes], row by row.</summary>
    public float[] ExitLogits(int exit) => Array.ConvertAll(exitLogits[exit - 1], logit => (float)logit);

    /// <summary>Logits of exit <paramref name="exit"/> (1..N), shared by all heads and middles that replay the trace.</summary>
    internal ReadOnlySpan<float> Replay(int exit, int sample) => (replayed[exit - 1] ??= ExitLogits(exit)).AsSpan(sample * Classes, Classes);

    /// <summary>Throws <see cref="InvalidOperationException"/> when the trace has no such sample.</summary>
    internal void Require(int sample)
    {
        if ((uint)sample >= (uint)Samples) throw new InvalidOperationException($"sample {sample} is not in the trace (0..{Samples - 1}); traced inference needs replayed inputs");
    }

    /// <summary>Logits of the final exit when the work crossed by <paramref name="route"/>.</summary>
    public ReadOnlySpan<Half> RouteLogits(Route route, int sample)
    {
        var i = Array.IndexOf(routes, route);
        if (i >= 0) return routeLogits[i].AsSpan(sample * Classes, Classes);
        if (!route.IsLossless) throw new ArgumentOutOfRangeException(nameof(route), $"{route} is not in the trace ({string.Join(", ", routes)})");
        return ExitLogits(Exits, sample);
    }

    public bool Knows(Route route) => route.IsLossless || Array.IndexOf(routes, route) >= 0;

    /// <summary>This trace and others behind it, their samples numbered on. Throws <see cref="FaultsException"/> when they are not of the same routes and classes.</summary>
    public Trace FollowedBy(IEnumerable<Trace> others)
    {
        Trace[] all = [this, .. others];
        FaultsException.ThrowIfAny("trace", all.Where(other => other.Classes != Classes || other.Exits != Exits || !other.routes.SequenceEqual(routes)).Select(other => $"of drift \"{other.Drift}\" has other routes or classes than that of drift \"{Drift}\""));
        T[] Joined<T>(Func<Trace, T[]> of) => [.. all.SelectMany(of)];
        return new Trace(
            Text, NetworkHash, FirstSample, Drift, Joined(trace => trace.labels), Classes,
            [.. Enumerable.Range(0, Exits).Select(exit => Joined(trace => trace.exitLogits[exit]))], routes,
            [.. Enumerable.Range(0, routes.Length).Select(route => Joined(trace => trace.routeLogits[route]))], [.. Enumerable.Range(0, routes.Length).Select(route => Joined(trace => trace.payloadBytes[route]))]);
    }

    /// <summary>At least so many zeros, shared by all heads that replay the trace: what crosses in a replay has a length and no content.</summary>
    internal byte[] Blank(int bytes)
    {
        var known = blank;
        return known.Length >= bytes ? known : blank = new byte[bytes];
    }

    /// <summary>Payload of one sample on a route; null when its size is fixed by the shape.</summary>
    public int? PayloadBytes(Route route, int sample)
    {
        var i = Array.IndexOf(routes, route);
        return i >= 0 ? payloadBytes[i][sample] : null;
    }

    /// <summary>How a trace that was made again differs from this one, whatever their texts say.</summary>
    public TraceDifference Against(Trace again)
    {
        var form = Samples != again.Samples ? $"has {again.Samples} samples instead of {Samples}"
            : Classes != again.Classes || Exits != again.Exits ? $"has {again.Exits} exits of {again.Classes} classes instead of {Exits} of {Classes}"
            : !routes.SequenceEqual(again.routes) ? $"has the routes {string.Join(", ", again.routes)} instead of {string.Join(", ", routes)}"
            : FirstSample != again.FirstSample || Drift != again.Drift ? $"is of drift \"{again.Drift}\" from sample {again.FirstSample} on instead of \"{Drift}\" from {FirstSample}"
            : !labels.AsSpan().SequenceEqual(again.labels) ? "has other labels"
            : !NetworkHash.AsSpan().SequenceEqual(again.NetworkHash) ? "is of another network" : "";
        return form.Length > 0 ? new TraceDifference(form, 0, 0, 0, 0, 0)
            : TraceDifference.Of([.. exitLogits.Zip(again.exitLogits), .. routeLogits.Zip(again.routeLogits)], Classes, payloadBytes.Zip(again.payloadBytes));
    }

    public void Write(string path) => TraceFile.Write(path, this, exitLogits, routeLogits, payloadBytes);

    /// <summary>Reads a trace; throws <see cref="FaultsException"/> that names the file and what is wrong.</summary>
    public static Trace Read(string path) => TraceFile.Read(path);

    private static Half[] ToHalf(float[] values) => Array.ConvertAll(values, value => (Half)value);
}
