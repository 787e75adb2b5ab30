using Fleet.Contracts;
using Fleet.Controller;
using Fleet.Emulator.Scenarios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator;

/// <summary>A site's controller through all lives of its process.</summary>
/// <param name="speaks">Whether it says that it is there, and the broker that it no longer is.</param>
/// <param name="start">Makes one for its n-th life, from 1, on a connection to the broker.</param>
public sealed class SiteControl(string site, SimBus bus, SimClock clock, bool speaks, Func<int, IBus, SiteController> start)
{
    private CancellationTokenSource life = new();
    private SiteController? controller;
    private int lives;

    /// <summary>Whether its process runs.</summary>
    public bool IsUp { get; private set; }

    public Line Line { get; } = new(bus, FaultSpec.Controller, speaks ? (new Topic(TopicKind.ControllerState, site), State.Lost) : null);

    /// <summary>Of the process that runs, or of the last that ran.</summary>
    public SiteController Last => controller ?? throw new InvalidOperationException("no controller has been started");

    /// <inheritdoc cref="SiteController.ExpectedAccuracy"/>
    public double? ExpectedAccuracy => controller?.ExpectedAccuracy;

    public void Start()
    {
        life = new CancellationTokenSource();
        var next = controller = start(++lives, Line.Connect());
        var stop = life.Token;
        IsUp = true;
        clock.Start(() => next.Run(stop));
    }

    /// <summary>Its process dies; what it knew that is not retained at the broker is gone.</summary>
    public void Crash()
    {
        IsUp = false;
        Line.Die();
        life.Cancel();
    }
}
