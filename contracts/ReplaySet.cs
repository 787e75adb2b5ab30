using System.Text.Json.Serialization;

namespace Fleet.Contracts;

/// <summary>The test images that a model's traces were recorded on, in the order of the samples: what emulated devices see.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ReplaySet>))]
public enum ReplaySet
{
    /// <summary>The 10,000 test images of Fashion-MNIST, 28x28.</summary>
    [JsonStringEnumMemberName("fashion-mnist")] FashionMnist = 0,

    /// <summary>The 10,000 cluttered scenes that are drawn from them, 96x96.</summary>
    [JsonStringEnumMemberName("scenes")] Scenes = 1,
}
