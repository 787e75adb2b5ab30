using Google.Protobuf;
using static Fleet.Onnx.AttributeProto.Types;

namespace Fleet.Onnx;

/// <summary>Node attributes.</summary>
internal static class Attributes
{
    public static AttributeProto Of(string name, long value) => new() { Name = name, Type = AttributeType.Int, I = value };

    public static AttributeProto Of(string name, string value) => new() { Name = name, Type = AttributeType.String, S = ByteString.CopyFromUtf8(value) };

    public static AttributeProto Of(string name, params ReadOnlySpan<long> values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeType.Ints };
        foreach (var value in values) attribute.Ints.Add(value);
        return attribute;
    }

    public static long Int(NodeProto node, string name, long fallback) => Find(node, name)?.I ?? fallback;

    public static float Float(NodeProto node, string name, float fallback) => Find(node, name)?.F ?? fallback;

    public static string Text(NodeProto node, string name, string fallback) => Find(node, name)?.S.ToStringUtf8() ?? fallback;

    private static AttributeProto? Find(NodeProto node, string name) => node.Attribute.FirstOrDefault(attribute => attribute.Name == name);

    /// <summary>What Conv and MaxPool share; padding is the same on all four sides.</summary>
    public static IEnumerable<AttributeProto> Of(Window window) =>
    [
        Of("kernel_shape", window.Kernel, window.Kernel),
        Of("strides", window.Stride, window.Stride),
        Of("pads", window.Padding, window.Padding, window.Padding, window.Padding),
    ];
}
