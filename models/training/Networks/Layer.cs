using Fleet.Onnx;

namespace Fleet.Training;

/// <summary>
/// One operation of a network: it reads named values and produces one. The list of them is all there is to know about a network's
/// shape; the torch module that is trained, the ONNX files and the cost figures all come from it and so cannot disagree.
/// </summary>
public abstract record Layer(string Output, IReadOnlyList<string> Inputs);

/// <summary>A convolution, followed by batch normalisation (and then without bias) or with a bias of its own.</summary>
public sealed record ConvLayer(string Input, string Output, int InChannels, int OutChannels, Window Window, bool HasNorm = true) : Layer(Output, [Input])
{
    public long Weights => (long)OutChannels * InChannels / Window.Groups * Window.Kernel * Window.Kernel;
}

public sealed record ReluLayer(string Input, string Output) : Layer(Output, [Input]);

/// <summary>The largest value of each window.</summary>
/// <param name="RoundsUp">Whether a window that begins inside the image and ends outside counts (ceil mode).</param>
public sealed record MaxPoolLayer(string Input, string Output, Window Window, bool RoundsUp = false) : Layer(Output, [Input]);

/// <summary>The sum of two values of one shape.</summary>
public sealed record SumLayer(string A, string B, string Output) : Layer(Output, [A, B]);

/// <summary>Spreads channels over space: [N, c f^2, h, w] to [N, c, h f, w f] (Shi et al., sub-pixel convolution, 2016).</summary>
public sealed record ShuffleLayer(string Input, string Output, int Factor) : Layer(Output, [Input]);

/// <summary>The mean over height and width: [N, channels, height, width] to [N, channels].</summary>
public sealed record GlobalPoolLayer(string Input, string Output) : Layer(Output, [Input]);

/// <summary>[N, channels, height, width] to [N, channels * height * width].</summary>
public sealed record FlattenLayer(string Input, string Output) : Layer(Output, [Input]);

/// <summary>A fully connected layer with bias, [N, in] to [N, out].</summary>
public sealed record DenseLayer(string Input, string Output, int InFeatures, int OutFeatures) : Layer(Output, [Input]);

/// <summary>
/// What devices made, put side by side along the channels, becomes one: [N, devices c, h, w] to [N, c, h, w]. A device whose part is
/// all zeros is not there and does not count.
/// </summary>
public sealed record AggregateLayer(string Input, string Output, int Devices, Aggregation Scheme, Extent Part) : Layer(Output, [Input]);
