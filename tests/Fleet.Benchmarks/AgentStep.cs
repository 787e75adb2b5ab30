using BenchmarkDotNet.Attributes;
using Fleet.Emulator;

namespace Fleet.Benchmarks;

/// <summary>The agent's whole local path against the bare ONNX Runtime calls it is made of. Bar: ratio at most 1.20, 0 B.</summary>
public class AgentStep
{
    private BareOnnx? bare;
    private AgentPath? agent;

    /// <summary>Stages that run: a head of one, and all.</summary>
    [Params(1, 3)]
    public int Head { get; set; }

    [GlobalSetup]
    public void Load()
    {
        var stock = new Stock();
        (bare, agent) = (new BareOnnx(stock, "fmnist", Head), new AgentPath(stock, "fmnist", Head));
    }

    [GlobalCleanup]
    public void Unload()
    {
        bare?.Dispose();
        agent?.Dispose();
    }

    [Benchmark(Baseline = true)]
    public void Bare() => bare!.Infer();

    [Benchmark]
    public void Agent() => agent!.Infer();
}
