using Fleet.Contracts;

namespace Fleet.DeviceAgent;

/// <summary>
/// Whether a controller is there, where that changes what a device does: it is gone when the broker or it itself says so, when it has been silent for
/// three report periods, or when the device's own connection is down. A device that has never heard of it is not alone: it may be an older one, which says nothing.
/// </summary>
public sealed class ControllerWatch : IDisposable
{
    private const double SilentPeriods = 3;

    private readonly IBus bus;
    private readonly TimeProvider clock;
    private readonly IDisposable subscription;
    private State? said;
    private long heardAt;

    /// <summary>Raised on the loop when <see cref="IsAlone"/> has changed.</summary>
    public event Action? Changed;

    public bool IsAlone { get; private set; }

    /// <summary>Listens from now on.</summary>
    public ControllerWatch(string site, IBus bus, TimeProvider clock)
    {
        (this.bus, this.clock) = (bus, clock);
        subscription = bus.Subscribe(new Topic(TopicKind.ControllerState, site).Path, OnState);
        bus.ConnectionChanged += OnConnection;
    }

    /// <summary>Looks whether it has fallen silent; to be called once a report period.</summary>
    public void Look(Seconds period)
    {
        if (said is not null) Turn(said.Presence is not Presence.Ready || !bus.IsConnected || clock.Since(heardAt) > period * SilentPeriods + new Seconds(1));
    }

    public void Dispose()
    {
        subscription.Dispose();
        bus.ConnectionChanged -= OnConnection;
    }

    private void OnState(Topic topic, Message message)
    {
        if (message is not State state) return;
        (said, heardAt) = (state, clock.GetTimestamp());
        Turn(state.Presence is not Presence.Ready);
    }

    private void OnConnection(bool connected)
    {
        if (!connected && said is not null) Turn(true);
    }

    private void Turn(bool isAlone)
    {
        if (IsAlone == isAlone) return;
        IsAlone = isAlone;
        Changed?.Invoke();
    }
}
