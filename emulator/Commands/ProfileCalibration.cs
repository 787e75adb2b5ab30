using System.CommandLine;
using Fleet.Contracts;
using Fleet.Emulator.Fitting;
using Fleet.Models;
using Fleet.Models.Profiling;

namespace Fleet.Emulator.Commands;

/// <summary>Hears one running device: what it is, what it runs, and how long its stages take.</summary>
public sealed class StageListener : IDisposable
{
    private readonly string site, id;
    private readonly List<IDisposable> subscriptions;
    private Info? info;
    private Assignment? reported;
    private Budget? budget;
    private long runs;

    public StageListener(IBus bus, string site, string id)
    {
        (this.site, this.id) = (site, id);
        TopicKind[] heard = [TopicKind.Info, TopicKind.Reported, TopicKind.Budget, TopicKind.Infer];
        subscriptions = [.. heard.Select(kind => bus.Subscribe(Topic.Filter(kind, site), OnMessage))];
    }

    public void Dispose()
    {
        foreach (var subscription in subscriptions) subscription.Dispose();
    }

    /// <exception cref="FaultsException">All that the device has not said.</exception>
    public HardwareProfile Calibrated(IReadOnlyDictionary<string, HardwareProfile> profiles, IReadOnlyDictionary<string, ModelFiles> models, string name, Seconds listened)
    {
        var faults = new List<string>();
        if (info is null) faults.Add("has not said what it is (topic info)");
        if (reported is null) faults.Add("has not said what it runs (topic reported)");
        if (budget is null || budget.StageSeconds.Count == 0) faults.Add("has not said how long its stages take (topic budget)");
        var start = info is null ? null : profiles.GetValueOrDefault(info.Profile);
        if (info is not null && start is null) faults.Add($"runs with profile \"{info.Profile}\", which is not here; here are: {string.Join(", ", profiles.Keys)}");
        var model = reported is null ? null : models.Values.FirstOrDefault(known => known.CardSha256 == reported.CardSha256);
        if (reported is not null && model is null) faults.Add($"runs {reported.Model} with card {reported.CardSha256}, which is not in the zoo here");
        FaultsException.ThrowIfAny($"device {site}/{id}", faults);
        var stages = StageTime.Of(model!.Card, budget!.StageSeconds, budget.EncoderTime, reported!.Bottleneck);
        if (stages.Count == 0) throw new FaultsException($"device {site}/{id}", "has run none of its stages; give it inputs, or listen longer");
        return BoardCalibration.Calibrate(start!, name, info!.Board, info.Stack, stages, $"{listened.Value:0.#} s, {runs} runs", info.Emulated);
    }

    private void OnMessage(Topic topic, Message message)
    {
        if (topic.Id != id) return;
        switch (message)
        {
            case Info said: info = said; break;
            // Times belong to the model they were measured with.
            case Assignment said when topic.Kind is TopicKind.Reported:
                if (reported is not null && reported.CardSha256 != said.CardSha256) (budget, runs) = (null, 0);
                reported = said;
                break;
            case Budget said: budget = said; break;
            case InferWindow said: runs += said.Count; break;
        }
    }
}

/// <summary>`fleet profile calibrate`: the profile of a running board from the times it reports.</summary>
internal static class ProfileCalibration
{
    public static Command Create()
    {
        var device = new Option<string>("--device") { Description = "Which: SITE/ID.", Required = true };
        var output = new Option<string>("--out") { Description = "File to write, NAME.json; an old one is replaced.", Required = true };
        var duration = new Option<string>("--for") { Description = "Listen this long (60s, 10m).", DefaultValueFactory = _ => "60s" };
        var zoo = new Option<string?>("--zoo") { Description = "Directory with one directory a model, instead of the zoo that ships with Fleet." };
        var broker = new BrokerFlags();
        var command = new Command("calibrate", "Write the profile of a running device from the stage times it reports: its own rates, tag M (S when it is emulated).") { device, output, duration, zoo };
        broker.AddTo(command);
        command.SetAction(parsed => ProcessEdge.Run(async (loop, stop) =>
        {
            var (path, length) = (parsed.GetRequiredValue(output), Flags.Duration("--for", parsed.GetValue(duration))!.Value);
            var name = ProfileFile.NameOf("--out", path);
            if (parsed.GetRequiredValue(device).Split('/') is not [var site, var id] || !Name.IsValid(site) || !Name.IsValid(id)) throw new FaultsException("--device", $"is \"{parsed.GetRequiredValue(device)}\"; expected SITE/ID");
            var options = broker.Read(parsed, $"fleet-calibrate-{Environment.ProcessId}", will: null) with { CleanStart = true, SessionExpiry = Seconds.Zero };
            await using var bus = await MqttBus.ConnectAsync(options, loop, TimeProvider.System, new Simulation.SeededRandom(Environment.ProcessId, "calibrate"), cancel: stop);
            using var listener = new StageListener(bus, site, id);
            await TimeProvider.System.Sleep(length, stop);
            var profile = listener.Calibrated(ProfileFile.ReadAll(ProjectFiles.Find("hardware-profiles")), ModelFiles.OpenAll(parsed.GetValue(zoo) ?? ProjectFiles.Find("models/zoo")), name, length);
            ProfileCommand.Write(path, ProfileText.Of(profile));
            ProfileReport.Print([profile]);
            return 0;
        }));
        return command;
    }
}
