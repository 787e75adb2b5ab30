using Fleet.Contracts;

namespace Fleet.Emulator.Scenarios;

public static class ScenarioFile
{
    /// <summary>Reads a scenario and writes its repeated sites out; throws <see cref="FaultsException"/> with every fault at once.</summary>
    public static Scenario Read(string path, Stock stock)
    {
        var directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return StrictJson.Read(path, Json.File.Info<Scenario>(), scenario => (scenario with { Directory = directory }).Faults(stock)).Expanded() with { Directory = directory };
    }
}
