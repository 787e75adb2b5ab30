using System.CommandLine;
using Fleet.Contracts;

namespace Fleet.Emulator.Commands;

/// <summary>`fleet doctor`: what this machine, or a broker, lacks for a fleet.</summary>
public static class DoctorCommand
{
    public static Command Create()
    {
        var broker = new BrokerFlags();
        var json = new Option<bool>("--json") { Description = "Print one JSON object instead of a line a check." };
        var command = new Command("doctor", "Say what this machine lacks for a fleet; with --broker, also whether that broker loses messages. Exit code 1 when something fails.") { json };
        broker.AddTo(command);
        command.SetAction(parsed => ProcessEdge.Run((_, stop) =>
        {
            // Read first: a wrong address is a fault of the command line, and not a finding.
            var options = broker.IsGiven(parsed) ? broker.Read(parsed, $"fleet-doctor-{Environment.ProcessId}", will: null) : null;
            return Run(options, parsed.GetValue(json), stop);
        }));
        return command;
    }

    private static async Task<int> Run(MqttBusOptions? broker, bool json, CancellationToken stop)
    {
        var checks = new List<Check>();
        void Tell(Check check)
        {
            checks.Add(check);
            if (!json) Console.Out.WriteLine(check);
        }
        foreach (var check in SystemChecks.All().Concat(StockChecks.All())) Tell(check);
        if (broker is not null)
        {
            try
            {
                await new BrokerChecks(broker, Tell).Run(TryStock(), stop);
            }
            catch (OperationCanceledException)
            {
                throw new FaultsException($"{broker.Broker}", "stopped before the end; what was published there is taken away again");
            }
        }
        var all = Diagnosis.Of(checks);
        if (json) Figures.PrintJson(all);
        else Console.Out.WriteLine($"{checks.Count} checks: {all.Failed} failed, {all.Warned} warned");
        return all.Failed == 0 ? 0 : 1;
    }

    /// <summary>Null when something that ships with Fleet is broken, which has been told by then.</summary>
    private static Stock? TryStock()
    {
        try
        {
            return new Stock();
        }
        catch (FaultsException)
        {
            return null;
        }
    }
}
