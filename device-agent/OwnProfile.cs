using System.Globalization;
using Fleet.Contracts;
using Fleet.Models.Profiling;

namespace Fleet.DeviceAgent;

/// <summary>
/// The profile that a board writes of itself: the times of its stages correct the one it started from, or the one it wrote before. Once a minute at most, and only
/// once its stages have run often enough to be believed.
/// </summary>
public sealed class OwnProfile
{
    /// <summary>Inputs that a time rests on at least: <see cref="StageTimes"/> then forgets the first runs, which are slow.</summary>
    private const int RunsMin = 30;

    private static readonly Seconds Pause = new(60);

    private readonly string path, name;
    private readonly HardwareProfile start;
    private readonly Info info;
    private readonly TimeProvider clock;
    private readonly Action<string> complain;
    private readonly long began;
    private long? written;

    /// <param name="path">NAME.json, the profile's name; one that is there is updated.</param>
    /// <param name="profile">Started from when there is none.</param>
    /// <param name="info">What the board is and runs.</param>
    /// <param name="clock">Of the board.</param>
    /// <param name="complain">Told why the file could not be written; the board goes on without.</param>
    /// <exception cref="FaultsException">The path is no profile's, or the one that is there is not sound.</exception>
    public OwnProfile(string path, HardwareProfile profile, Info info, TimeProvider clock, Action<string> complain)
    {
        (this.path, this.info, this.clock, this.complain) = (path, info, clock, complain);
        name = ProfileFile.NameOf("--own-profile", path);
        start = File.Exists(path) ? ProfileFile.Read(path) : profile;
        began = clock.GetTimestamp();
    }

    /// <param name="stages">What the stages held take, and the encoder behind them.</param>
    /// <param name="runs">Inputs since the board's start.</param>
    public void Learn(IReadOnlyList<StageTime> stages, long runs)
    {
        if (stages.Count == 0 || runs < RunsMin || (written is { } last && clock.Since(last) < Pause)) return;
        var how = string.Create(CultureInfo.InvariantCulture, $"{clock.Since(began).Value:0} s, {runs} runs");
        var profile = BoardCalibration.Calibrate(start, name, info.Board, info.Stack, stages, how, info.Emulated);
        written = clock.GetTimestamp();
        try
        {
            Replace(ProfileText.Of(profile));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            complain($"--own-profile {path}: {e.Message}");
        }
    }

    /// <summary>Whole or not at all: power may fail.</summary>
    private void Replace(string text)
    {
        var beside = path + ".new";
        File.WriteAllText(beside, text);
        File.Move(beside, path, overwrite: true);
    }
}
