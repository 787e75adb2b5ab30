using System.CommandLine;
using Fleet.Contracts;
using Fleet.Emulator.Commands;

var root = new RootCommand("Fleet: places early-exit neural networks on fleets of small devices, real or emulated.")
{
    UpCommand.Create(),
    DevicesCommand.Create(),
    RecordCommand.Create(),
    ReplayCommand.Create(),
    RunCommand.Create(),
    MergeCommand.Create(),
    ReportCommand.Create(),
    ScenarioCommand.Create(),
    FuzzCommand.Create(),
    CompareCommand.Create(),
    ExplainCommand.Create(),
    ParetoCommand.Create(),
    WatchCommand.Create(),
    LintCommand.Create(),
    ModelsCommand.Create(),
    ProfileCommand.Create(),
    ExperimentCommand.Create(),
    DoctorCommand.Create(),
};
return ProcessEdge.Invoke(root, args);
