using System.Collections.Concurrent;
using Fleet.Contracts;
using Fleet.Models;

namespace Fleet.EdgeServer;

/// <summary>
/// A thread at the process's edge that computes while the event loop goes on; at most one job waits. The awaiting code resumes on
/// its loop, because it awaited there.
/// </summary>
public sealed class WorkerThread : IDisposable
{
    private readonly BlockingCollection<(IEngine Engine, TaskCompletionSource<Seconds> Done)> jobs = new(boundedCapacity: 1);
    private readonly Thread thread;

    public WorkerThread(string name)
    {
        thread = new Thread(Work) { Name = name, IsBackground = true };
        thread.Start();
    }

    public Task<Seconds> Run(IEngine engine)
    {
        var done = new TaskCompletionSource<Seconds>(TaskCreationOptions.RunContinuationsAsynchronously);
        jobs.Add((engine, done));
        return done.Task;
    }

    public void Dispose()
    {
        jobs.CompleteAdding();
        thread.Join();
        jobs.Dispose();
    }

    private void Work()
    {
        foreach (var (engine, done) in jobs.GetConsumingEnumerable())
        {
            try
            {
                var run = engine.Run();
                if (!run.IsCompletedSuccessfully) throw new InvalidOperationException("an engine on a worker thread must compute inline");
                done.SetResult(run.Result);
            }
            catch (Exception e)
            {
                // Whatever the native library throws belongs to the code that awaits.
                done.SetException(e);
            }
        }
    }
}

/// <summary>Runs another engine on a worker thread.</summary>
public sealed class WorkerEngine(IEngine inner, WorkerThread worker) : IEngine
{
    public Activations Rows => inner.Rows;

    public ValueTask<Seconds> Run() => new(worker.Run(inner));

    public void Dispose() => inner.Dispose();
}
