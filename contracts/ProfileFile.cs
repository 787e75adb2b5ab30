namespace Fleet.Contracts;

/// <summary>Finds the directories that ship with Fleet: beside the executable, or above it in a checkout.</summary>
public static class ProjectFiles
{
    /// <summary>The directory <paramref name="name"/> ("models/zoo", "hardware-profiles", ...) nearest above the executable or the working directory.</summary>
    public static string Find(string name)
    {
        foreach (var start in (string[])[AppContext.BaseDirectory, Directory.GetCurrentDirectory()])
            for (var directory = new DirectoryInfo(start); directory is not null; directory = directory.Parent)
            {
                var candidate = Path.Combine(directory.FullName, name);
                if (Directory.Exists(candidate)) return candidate;
            }
        throw new FaultsException(name, $"no such directory beside or above {AppContext.BaseDirectory} or {Directory.GetCurrentDirectory()}");
    }
}

/// <summary>Hardware profiles on disk: one strict JSON file each.</summary>
public static class ProfileFile
{
    public static HardwareProfile Read(string path)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        return StrictJson.Read(path, Json.File.Info<HardwareProfile>(), profile => profile.Id == name ? profile.Faults() : profile.Faults().Append($"id is \"{profile.Id}\"; it must equal the file's name"));
    }

    /// <summary>The name of a profile that a flag's path is for.</summary>
    /// <exception cref="FaultsException">It is no NAME.json.</exception>
    public static string NameOf(string flag, string path)
    {
        var name = Path.GetFileNameWithoutExtension(path);
        if (Name.IsValid(name) && Path.GetExtension(path) == ".json") return name;
        throw new FaultsException(flag, $"is \"{path}\"; expected NAME.json, the name of lower-case letters, digits and dashes");
    }

    /// <summary>Every profile in a directory by id; the faults of all files come together.</summary>
    public static IReadOnlyDictionary<string, HardwareProfile> ReadAll(string directory)
    {
        var profiles = new SortedDictionary<string, HardwareProfile>(StringComparer.Ordinal);
        var faults = new List<string>();
        foreach (var path in Directory.EnumerateFiles(directory, "*.json").Order(StringComparer.Ordinal))
        {
            try
            {
                var profile = Read(path);
                profiles.Add(profile.Id, profile);
            }
            catch (FaultsException e)
            {
                faults.AddRange(e.Faults.Select(fault => $"{Path.GetFileName(path)}: {fault}"));
            }
        }
        FaultsException.ThrowIfAny(directory, faults);
        return profiles;
    }
}
