using Google.Protobuf;

namespace Fleet.Onnx;

/// <summary>Reads and writes ONNX files. A file that is not a model is refused with its name and the reason.</summary>
public static class OnnxFile
{
    /// <exception cref="InvalidDataException">The file is not a readable ONNX model; the message names it and says why.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ModelProto Read(string path) =>
        Directory.Exists(path) ? throw new InvalidDataException($"{path}: is a directory; the path of an ONNX file is needed")
        : !File.Exists(path) ? throw new InvalidDataException($"{path}: there is no such file")
        : Parse(File.ReadAllBytes(path), path);

    /// <param name="bytes">A serialised ModelProto.</param>
    /// <param name="name">What to call these bytes in an error.</param>
    /// <exception cref="InvalidDataException">The bytes are not a readable ONNX model.</exception>
    public static ModelProto Parse(ReadOnlySpan<byte> bytes, string name)
    {
        ModelProto model;
        try
        {
            model = ModelProto.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException broken)
        {
            throw new InvalidDataException($"{name}: not an ONNX model ({bytes.Length} bytes): {broken.Message}", broken);
        }
        return Fault(model) is { } fault ? throw new InvalidDataException($"{name}: not a usable ONNX model: {fault}") : model;
    }

    /// <summary>Writes beside the target and renames, so that a reader never meets half a file.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(ModelProto model, string path)
    {
        var unfinished = path + ".tmp";
        File.WriteAllBytes(unfinished, model.ToByteArray());
        File.Move(unfinished, path, overwrite: true);
    }

    /// <summary>Protocol buffers read many a foreign file without complaint: a model also has a version, an operator set and nodes.</summary>
    private static string? Fault(ModelProto model)
    {
        if (!model.HasIrVersion || model.IrVersion < 1) return "it states no IR version";
        if (model.OpsetImport.Count == 0) return "it imports no operator set";
        if (model.Graph is null || model.Graph.Node.Count == 0) return "its graph has no nodes";
        if (model.Graph.Output.Count == 0) return "its graph has no outputs";
        var external = model.Graph.Initializer.FirstOrDefault(tensor => tensor.DataLocation == TensorProto.Types.DataLocation.External);
        return external is null ? null : $"tensor \"{external.Name}\" lies in another file, which Fleet does not read; save the model in one file";
    }
}
