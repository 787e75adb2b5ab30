using Fleet.Contracts;
using Fleet.Controller.Placement;

namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>
/// Object detectors of the YOLO family, once for each task. Accuracy (mAP at 0.5 on COCO), frames a second and file sizes as the darknet README lists them
/// (github.com/AlexeyAB/darknet, public domain); a model serves as many requests a second as it runs frames.
/// </summary>
public static class YoloCatalogue
{
    /// <summary>2080 Ti over 2070, mean over the four sizes of YOLOv4. K for the variants that were not run on a 2080 Ti.</summary>
    private const double TiOver2070 = (53 / 34.0 + 69 / 45.0 + 82 / 55.0 + 100 / 63.0) / 4;

    /// <summary>Frames a second on an RTX 2070 and on an RTX 2080 Ti.</summary>
    private sealed record Variant(string Name, double Accuracy, double Megabytes, double On2070, double On2080Ti);

    private static readonly IReadOnlyList<Variant> Variants =
    [
        new("yolov4-608", 0.657, 245, 34, 53), new("yolov4-512", 0.649, 245, 45, 69), new("yolov4-416", 0.628, 245, 55, 82), new("yolov4-320", 0.600, 245, 63, 100),
        new("yolov3-416", 0.553, 236, 66, 66 * TiOver2070), new("enet-coco", 0.455, 18.3, 55, 55 * TiOver2070), new("yolov4-tiny", 0.402, 23.1, 330, 443), new("yolov3-tiny", 0.331, 33.7, 345, 345 * TiOver2070),
    ];

    /// <param name="slot">Time in which a piece serves its frames a second so many times.</param>
    public static Catalogue Of(int tasks, Seconds slot)
    {
        var pieces = new List<Piece>();
        var ways = new List<Way>();
        for (var task = 0; task < tasks; task++)
            foreach (var variant in Variants)
            {
                ways.Add(new Way(task, variant.Accuracy, pieces.Count));
                pieces.Add(new Piece($"{variant.Name}/{task}", new Bytes(variant.Megabytes * 1e6), [On(variant.On2070), On(variant.On2080Ti)]));
            }
        return new Catalogue([.. Enumerable.Repeat(default(Bytes), tasks)], pieces, ways);

        PieceService? On(double rate) => new PieceService(new Seconds(1 / rate), rate * slot.Value);
    }
}
