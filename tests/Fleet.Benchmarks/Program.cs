using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Fleet.Benchmarks;

// quick: the agent's bar in a minute. judge and planning: what `dual` promises (planning takes a number of devices, a million without). placement: INFIDA's bar. simulation: virtual time's. Anything else is BenchmarkDotNet's, such as: --filter '*'
if (args is ["quick"]) return QuickCheck.Run(Console.Out);
if (args is ["judge"]) return PlanJudge.Run(Console.Out);
if (args is ["planning"]) return PlanMillion.Run(Console.Out, 1_000_000);
if (args is ["planning", var size] && int.TryParse(size, out var devices) && devices is >= 1000 and <= 10_000_000) return PlanMillion.Run(Console.Out, devices);
if (args is ["simulation"]) return SimulationCost.Run(Console.Out);
if (args is ["placement"]) return PlacementCheck.Run(Console.Out);

// In this process: a project generated below bin/ would inherit locked restore and analyzers, and restore anew for every job.
var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance)).AddDiagnoser(MemoryDiagnoser.Default);
return BenchmarkSwitcher.FromAssembly(typeof(QuickCheck).Assembly).Run(args, config).All(summary => !summary.HasCriticalValidationErrors) ? 0 : 1;
