using Fleet.Onnx;

namespace Fleet.Training;

/// <summary>
/// One operation of a network: it reads named values and produces one. The list of them is all there is to know about a network's
/// shape; the torch module that is trained, the ONNX files and the cost figures all come from it and so cannot disagree.
/// </summary>
public abstract record Layer(string Output, IReadOnlyList<string> Inputs);

/// <summary>Convolution without bias, batch normalisation after it.</summary>
public sealed record ConvLayer(string Input, string Output, int InChannels, int OutChannels, Window Window) : Layer(Output, [Input])
{
    public long Weights => (long)OutChannels * InChannels / Window.Groups * Window.Kernel * Window.Kernel;
}

public sealed record ReluLayer(string Input, string Output) : Layer(Output, [Input]);

/// <summary>The sum of two values of one shape.</summary>
public sealed record SumLayer(string A, string B, string Output) : Layer(Output, [A, B]);

/// <summary>The mean over height and width: [N, channels, height, width] to [N, channels].</summary>
public sealed record GlobalPoolLayer(string Input, string Output) : Layer(Output, [Input]);

/// <summary>A fully connected layer with bias, [N, in] to [N, out].</summary>
public sealed record DenseLayer(string Input, string Output, int InFeatures, int OutFeatures) : Layer(Output, [Input]);
