using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Fleet.Contracts;

namespace Fleet.Emulator.Scenarios;

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(Scenario))]
[JsonSerializable(typeof(FleetFigures))]
[JsonSerializable(typeof(RunResult))]
[JsonSerializable(typeof(Manifest))]
internal sealed partial class EmulatorContext : JsonSerializerContext;

public static class ScenarioFile
{
    internal static readonly System.Text.Json.JsonSerializerOptions Options = Json.FileOptions(JsonTypeInfoResolver.Combine(EmulatorContext.Default, Json.Resolver));

    /// <summary>Reads a scenario; throws <see cref="FaultsException"/> with every fault at once.</summary>
    public static Scenario Read(string path, Stock stock) =>
        StrictJson.Read(path, Options.Info<Scenario>(), scenario => scenario.Faults(stock.Profiles, stock.Models));
}
