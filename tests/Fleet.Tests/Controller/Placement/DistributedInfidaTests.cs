using Fleet.Controller;
using Fleet.Controller.Placement;
using Fleet.Emulator.Experiments.Delivery;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Controller.Placement;

public sealed class DistributedInfidaTests
{
    /// <summary>Nodes that talk over the bus, through the wire's encoding, and the central learner take the same way.</summary>
    [Test]
    public void InfidaNodes_OnEveryTopology_IterateAsTheCentralLearner([ValueSource(typeof(Topology), nameof(Topology.Names))] string topology, [Values] bool isScaled)
    {
        var world = new DeliveryWorld(topology, Popularity.Sliding, 100, Tasks: 3, Period: 3, Seed: 1);
        var idn = world.MakeIdn();
        var options = new AscentOptions { IsScaled = isScaled, Rate = isScaled ? 1 : 1e-3 };
        var central = new MirrorAscent(idn, options);
        var distributed = new DistributedInfida(idn, options, throughWire: true);
        var requests = world.Requests(idn);
        for (var slot = 0; slot < 8; slot++)
        {
            var batch = new Batch(idn, requests.Next([]));
            central.Learn(batch);
            distributed.Learn(batch);
            Assert.That(distributed.Fractional.ToArray(), Is.EqualTo(central.Fractional.ToArray()).Within(1e-12), $"slot {slot}");
        }
        Assert.That(distributed.Messages, Is.Positive);
    }
}
