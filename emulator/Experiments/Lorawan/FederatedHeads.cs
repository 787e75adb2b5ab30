using Fleet.Contracts;
using Fleet.Controller.Coalitions;
using Fleet.Emulator.Simulation;
using Fleet.Models.Federating;

namespace Fleet.Emulator.Experiments.Lorawan;

/// <summary>What devices learnt, and what it took.</summary>
/// <param name="Own">Mean over devices of the share of right answers on images as each of them meets them.</param>
/// <param name="All">Likewise on images of all classes alike.</param>
/// <param name="Worst">The worst device's, as it meets them.</param>
/// <param name="AirTime">Seconds on the air of all devices and rounds, repetitions included.</param>
/// <param name="Expected">The same by the game's formula.</param>
/// <param name="Sent">Frames; repetitions count.</param>
/// <param name="Lost">Updates of which a frame was not heard in eight tries.</param>
public readonly record struct FederatedOutcome(double Own, double All, double Worst, double AirTime, double Expected, long Sent, long Lost);

/// <summary>
/// Devices with few images of their own, drawn by mixtures of classes that differ from device to device, learn a linear exit head on frozen features: alone, or by federated averaging
/// in the coalition where they sit. Every frame of an update is drawn against the ALOHA of its coalition, and its time on air is booked.
/// </summary>
public sealed class FederatedHeads(FrozenFeatures features, LoraField field, GameOptions options, long seed)
{
    private const int Classes = 10;
    private const int Rounds = 20;
    private const int Passes = 5;
    private const double Rate = 0.5;

    /// <summary>Transmissions of a confirmed frame: as the emulator's devices do.</summary>
    private const int TriesMax = 8;

    private readonly List<(FeatureSet Samples, double[] Mixture)> devices = Draw(features.Learn, field, new SeededRandom(seed, "mixtures"));

    /// <param name="game">In the seats in which devices federate.</param>
    public FederatedOutcome Run(CoalitionGame game)
    {
        var heads = devices.Select(_ => new LinearHead(features.Learn.Width, Classes)).ToList();
        var (random, airTime, sent, lost) = (new SeededRandom(seed, "frames"), 0.0, 0L, 0L);
        var groups = Enumerable.Range(0, devices.Count).GroupBy(device => game.Seats[device].IsAlone ? -1 - device : game.Seats[device].Gateway).OrderBy(group => group.Key).Select(group => group.ToList()).ToList();
        for (var round = 0; round < Rounds; round++)
            foreach (var group in groups)
            {
                var received = group.Select(device => game.Seats[device].IsAlone || Send(game, device, random, ref airTime, ref sent)).ToList();
                lost += received.Count(arrived => !arrived);
                FedAvg.Round(heads[group[0]], [.. group.Select(device => devices[device].Samples)], received, Passes, Rate);
                foreach (var device in group.Skip(1)) heads[device].Set(heads[group[0]].Parameters);
            }
        var own = devices.Select((device, i) => Weighted(heads[i], device.Mixture)).ToList();
        var expected = Rounds * Enumerable.Range(0, devices.Count).Sum(device => game.AirTimeAt(device, game.Seats[device]));
        return new FederatedOutcome(own.Average(), heads.Average(head => head.Accuracy(features.Test)), own.Min(), airTime, expected, sent, lost);
    }

    private bool Send(CoalitionGame game, int device, SeededRandom random, ref double airTime, ref long sent)
    {
        var seat = game.Seats[device];
        var success = LoraLink.TimeOnAir(seat.Spreading, options.UpdateBytes).Value / game.AirTimeAt(device, seat);
        var arrived = true;
        foreach (var bytes in LoraLink.Frames(seat.Spreading, options.UpdateBytes))
        {
            var isHeard = false;
            for (var attempt = 0; attempt < TriesMax && !isHeard; attempt++)
            {
                airTime += AirTime.Of(seat.Spreading, bytes + LoraLink.FrameOverhead).Value;
                sent++;
                isHeard = random.NextDouble() < success;
            }
            arrived &= isHeard;
        }
        return arrived;
    }

    private double Weighted(LinearHead head, double[] mixture)
    {
        var accuracy = 0.0;
        for (var label = 0; label < Classes; label++)
            accuracy += mixture[label] * head.Accuracy(features.Test.Take([.. Enumerable.Range(0, features.Test.Rows).Where(row => features.Test.Labels[row] == label)]));
        return accuracy;
    }

    private static List<(FeatureSet, double[])> Draw(FeatureSet pool, LoraField field, SeededRandom random)
    {
        var byLabel = Enumerable.Range(0, Classes).Select(label => Enumerable.Range(0, pool.Rows).Where(row => pool.Labels[row] == label).ToList()).ToList();
        return [.. field.Players.Select(player =>
        {
            // Dirichlet with concentration one half (K: a device sees mostly two to four of ten classes): gamma variates of that shape are halves of squared normals.
            var weights = Enumerable.Range(0, Classes).Select(_ => Math.Pow(random.NextNormal(), 2) / 2).ToArray();
            var mixture = Array.ConvertAll(weights, weight => weight / weights.Sum());
            var rows = Enumerable.Range(0, (int)player.Samples).Select(_ => Pick(byLabel[Label(mixture, random.NextDouble())], random)).ToList();
            return (pool.Take(rows), mixture);
        })];
    }

    private static int Label(double[] mixture, double luck)
    {
        for (var label = 0; label < Classes - 1; label++)
            if ((luck -= mixture[label]) < 0) return label;
        return Classes - 1;
    }

    private static int Pick(List<int> rows, SeededRandom random) => rows[random.Next(rows.Count)];
}
