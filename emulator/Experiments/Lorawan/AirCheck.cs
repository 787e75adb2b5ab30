using Fleet.Contracts;
using Fleet.Controller.Coalitions;
using Fleet.Emulator.Radios;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Experiments.Lorawan;

/// <summary>What the game believes of the air, and what the emulator's gateway hears.</summary>
/// <param name="Load">G of one channel and spreading factor.</param>
/// <param name="Believed">Share of frames that arrive by the game's formula.</param>
/// <param name="Heard">Share that the gateway without capture heard.</param>
/// <param name="HeardWithCapture">Share that it heard with capture, for which the game makes no allowance.</param>
public readonly record struct AirCheck(double Load, double Believed, double Heard, double HeardWithCapture)
{
    private const int Periods = 400;
    private const int Channel = 0;

    /// <summary>Members of one spreading factor send an update in each period, at a time drawn anew, its frames one after the other, on one channel.</summary>
    public static AirCheck Of(int members, int spreading, GameOptions options, long seed)
    {
        var frames = LoraLink.Frames(spreading, options.UpdateBytes).Select(bytes => AirTime.Of(spreading, bytes + LoraLink.FrameOverhead)).ToList();
        // One channel, so that the load is what a game with one channel would reckon with.
        var load = (members - 1) * frames.Sum(frame => frame.Value) / options.Period;
        return new AirCheck(load, LoraLink.Success(load), Run(frames, members, spreading, options, double.PositiveInfinity, seed), Run(frames, members, spreading, options, LoraGateway.CaptureThreshold, seed));
    }

    private static double Run(List<Seconds> frames, int members, int spreading, GameOptions options, double capture, long seed)
    {
        var clock = new SimClock();
        var gateway = new LoraGateway(clock, capture);
        var random = new SeededRandom(seed, "air");
        var (sent, heard) = (0, 0);
        for (var member = 0; member < members; member++)
        {
            var power = -110 + 12 * random.NextDouble();
            for (var period = 0; period < Periods; period++)
            {
                var at = new Seconds((period + random.NextDouble()) * options.Period);
                clock.Start(async () =>
                {
                    await clock.Delay(at);
                    foreach (var frame in frames)
                    {
                        sent++;
                        if (await gateway.Hear((0, Channel, spreading), power, frame)) heard++;
                    }
                });
            }
        }
        clock.Run(TimeSpan.FromSeconds((Periods + 1) * options.Period));
        return (double)heard / sent;
    }
}
