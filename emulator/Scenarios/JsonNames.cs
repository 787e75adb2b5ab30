using System.Reflection;
using System.Text.Json.Serialization;

namespace Fleet.Emulator.Scenarios;

/// <summary>What a value of an enumeration is called in a file.</summary>
public static class JsonNames
{
    public static string Of<T>(T value) where T : struct, Enum =>
        typeof(T).GetField(value.ToString())!.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? value.ToString();
}
