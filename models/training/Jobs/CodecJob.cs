using System.Globalization;
using Fleet.Contracts;
using Fleet.Models;
using SkiaSharp;
using static TorchSharp.torch;

namespace Fleet.Training;

/// <summary>A server's network trained further on images compressed in some ways, in turn.</summary>
/// <param name="Label">In the words of the table.</param>
/// <param name="Suffix">Of its checkpoint's name.</param>
/// <param name="Steps">How it trains.</param>
/// <param name="Ways">One codec, in several qualities and sizes.</param>
public sealed record CodecServer(string Label, string Suffix, Recipe Steps, IReadOnlyList<ImageCompression> Ways);

/// <summary>
/// The rivals of splitting: the input itself is sent, compressed, to a server whose network has been trained further on images
/// compressed that way.
/// </summary>
/// <param name="Images">Training images a pass.</param>
public sealed record CodecJob(string Name, string Description, JointJob Main, int Images, IReadOnlyList<CodecServer> Servers) : IJob
{
    private const string AllQualities = "server retrained";

    private static readonly Recipe Thorough = new() { Epochs = 2, LearningRate = 1e-3 };

    /// <summary>Of images that lose little a network forgets more than it learns at the thorough rate.</summary>
    private static readonly Recipe Gentle = new() { Epochs = 2, LearningRate = 2e-4 };

    public static readonly CodecJob Fmnist = new("fmnist-codecs", "JPEG and WebP of the input, the server's network retrained on them.", JointJob.Fmnist, 55_000,
    [
        new(AllQualities, "", Thorough,
        [
            .. Of(SKEncodedImageFormat.Jpeg, 1, 5, 15, 30, 50, 75, 95),
            .. Of(SKEncodedImageFormat.Jpeg, 2, 30, 75),
        ]),
        new(AllQualities, "", Thorough,
        [
            .. Of(SKEncodedImageFormat.Webp, 1, 0, 10, 30, 50, 75, 95),
            .. Of(SKEncodedImageFormat.Webp, 2, 20, 60, 90),
        ]),
    ]);

    public static readonly CodecJob Scenes = new("scenes-codecs", "JPEG and WebP of the input, the server's network retrained on them.", JointJob.Scenes, 27_500,
    [
        new(AllQualities, "", Thorough,
        [
            .. Of(SKEncodedImageFormat.Jpeg, 1, 3, 8, 15, 30, 50),
            .. Of(SKEncodedImageFormat.Jpeg, 2, 5, 20, 50, 80),
            .. Of(SKEncodedImageFormat.Jpeg, 4, 40, 85),
        ]),
        new(AllQualities, "", Thorough,
        [
            .. Of(SKEncodedImageFormat.Webp, 1, 0, 10, 25, 50),
            .. Of(SKEncodedImageFormat.Webp, 2, 0, 20, 50, 80),
            .. Of(SKEncodedImageFormat.Webp, 4, 40, 85),
        ]),
        new(Near, "-near", Gentle, [.. Of(SKEncodedImageFormat.Jpeg, 1, 30, 40, 50, 57, 65)]),
        new(Near, "-near", Gentle, [.. Of(SKEncodedImageFormat.Webp, 1, 25, 35, 45, 50)]),
    ]);

    private static string Near => "server retrained gently on the qualities around a kilobyte";

    public Task Run(Workshop workshop)
    {
        using var main = Main.Train(workshop);
        var task = workshop.Task(Main.Task);
        var points = new List<ComparisonPoint>();
        var untouched = new HashSet<ImageCompression>();
        foreach (var server in Servers)
        {
            using var retrained = Retrain(workshop, task, main, server);
            foreach (var way in server.Ways)
            {
                var (seen, bytes) = Compress(task.Sets.Test, way);
                points.Add(Measure($"{way.Method}, {server.Label}", way, retrained, seen, bytes));
                workshop.Say(string.Create(CultureInfo.InvariantCulture, $"{Name} {points[^1].Method}, {way.Variant}: {bytes:F1} bytes, test accuracy {points[^1].Accuracy:P2}"));
                if (untouched.Add(way)) points.Add(Measure($"{way.Method}, server as it was", way, main, seen, bytes));
            }
        }
        new Comparison
        {
            Name = Name,
            Task = Main.Task,
            Text = $"The input itself crosses, compressed, file headers left out. The server's network is trained further on such images, one network a codec, at all its qualities and sizes in turn{(Servers.Any(server => server.Label == Near) ? ", and once more, at a fifth of the rate, at those around a kilobyte alone" : "")}.",
            Command = $"fleet-training train {Name}{workshop.Options.Differences}",
            Points = points,
        }.Write(workshop.Comparisons);
        return Task.CompletedTask;
    }

    private Network Retrain(Workshop workshop, TaskData task, Network main, CodecServer server)
    {
        var steps = workshop.Adjusted(server.Steps);
        var net = new Network(Main.Architecture(), steps.Seed);
        net.CopyFrom(main);
        var images = new CompressedImages(task.Learning(steps.Seed, Math.Min(Images, workshop.Options.Limit ?? int.MaxValue)), server.Ways, steps.Seed);
        return workshop.Trained($"{Name}-{server.Ways[0].Method}{server.Suffix}", net, $"{steps}, {Images} images, {string.Join(", ", server.Ways)}", (module, progress) =>
            new TrainingLoop(module, images, steps, progress, workshop.Clock).Run(
                module.Train,
                (batch, truth) => nn.functional.cross_entropy(module.forward(batch)[^1], truth),
                () => JointTraining.Accuracies(module, task.Sets.Calibration),
                workshop.Say));
    }

    /// <summary>A set as the server sees it, and the mean bytes of an image.</summary>
    private static (ImageSet Seen, double Bytes) Compress(ImageSet images, ImageCompression way)
    {
        var pixels = new byte[images.Count * images.PixelCount];
        var bytes = 0L;
        for (var i = 0; i < images.Count; i++)
        {
            var image = pixels.AsSpan(i * images.PixelCount, images.PixelCount);
            images.Image(i).CopyTo(image);
            bytes += way.Pass(image, images.Side);
        }
        return (new ImageSet(new LabelledImages(images.Count, images.Side, images.Side, pixels, images.Labels), images.Normalisation), (double)bytes / images.Count);
    }

    private static ComparisonPoint Measure(string method, ImageCompression way, Network net, ImageSet seen, double bytes) => new()
    {
        Method = method,
        Variant = way.Variant,
        Accuracy = JointTraining.Accuracies(net, seen)[^1],
        Wire = new Bytes(Math.Round(bytes, 1)),
        Device = Macs.Zero,
        DeviceFile = Bytes.Zero,
    };

    private static IEnumerable<ImageCompression> Of(SKEncodedImageFormat format, int shrink, params IEnumerable<int> qualities) =>
        qualities.Select(quality => new ImageCompression(format, quality, shrink));
}
