using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.Tests.Models;

/// <summary>The trained model that ships with Fleet, and the images it is judged on.</summary>
internal static class Zoo
{
    public static readonly string Directory = Path.Combine(ProjectFiles.Find("models/zoo"), "fmnist");

    private static readonly Lazy<ModelFiles> LazyModel = new(() => ModelFiles.Open(Directory));
    private static readonly Lazy<Trace> LazyTrace = new(() => Model.ReadTestTrace());
    private static readonly Lazy<ExitLogits> LazyCalibration = new(() => ExitLogits.Of(Model.ReadCalibrationTrace()));
    private static readonly Lazy<ExitLogits> LazyTest = new(() => ExitLogits.Of(TestTrace));
    private static readonly Lazy<LabelledImages> LazyImages = new(() => TestImages.Read(ReplaySet.FashionMnist, ProjectFiles.Find(TestImages.Directory)));

    public static ModelFiles Model => LazyModel.Value;

    public static ModelCard Card => Model.Card;

    public static Trace TestTrace => LazyTrace.Value;

    /// <summary>What every exit answers on the calibration and on the test set.</summary>
    public static ExitLogits Calibration => LazyCalibration.Value;

    public static ExitLogits Test => LazyTest.Value;

    public static LabelledImages Images => LazyImages.Value;

    /// <summary>What a device would send of its current input.</summary>
    public static TensorFrame Frame(Head head, Route route, int sample)
    {
        head.Encode(route.Bottleneck).AsTask().Wait();
        return new()
        {
            Codec = route.Codec,
            Cut = route.Cut,
            Bottleneck = route.Bottleneck,
            ModelHash = Model.Hash,
            RequestId = (ulong)sample,
            Deadline = new Seconds(1),
            Sample = sample,
            Scale = Card.Crossing(route.Tail).Scale,
            ZeroPoint = Card.Crossing(route.Tail).ZeroPoint,
            Shape = Card.Crossing(route.Tail).Shape,
            Payload = head.Payload(route),
            ReplyTo = new Topic(TopicKind.Reply, "lab", "pi-01"),
        };
    }
}
