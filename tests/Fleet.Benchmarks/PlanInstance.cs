using Fleet.Contracts;
using Fleet.Controller.Planning;
using Fleet.Emulator;
using Fleet.Emulator.Simulation;

namespace Fleet.Benchmarks;

/// <summary>
/// A made-up site of any size: every device has its own speeds, radio, rate and four of a hundred edge servers in reach, with 200 routes on the model that ships
/// (4 heads alone, 49 ways across over each link). Only coefficients are stored, a few numbers a device; costs are multiplied out as they are needed.
/// </summary>
internal sealed class PlanInstance
{
    public const int Links = 4;
    private const int Edges = 100;
    private const int LocalWays = 4;
    private const int CrossingWays = 49;
    private readonly float[] slowness;
    private readonly float[] watts;
    private readonly float[] uplink;
    private readonly float[] perByte;
    private readonly float[] rate;
    private readonly short[] links;
    private readonly float[] roundTrips;
    private readonly float[] stageTimes;
    private readonly float[] payloads;
    private readonly bool[] isFeatures;

    public PlanInstance(int devices, Planned planned, Stock stock, long seed)
    {
        Columns = new OptionColumns([.. Evenly(planned.Table.Front.Where(option => option.Route is null), LocalWays), .. Evenly(planned.Table.Front.Where(option => option.Route is not null), CrossingWays)]);
        var (card, board, server) = (planned.Model.Files.Card, stock.Profiles["pi-4b"], stock.Profiles["n5105-mini-pc"]);
        stageTimes = [.. card.Stages.Select(stage => (float)board.NominalTime(stage).Value)];
        payloads = [.. Columns.Crossings.Select(crossing => (float)board.OnAir((long)crossing.Payload.Value + TensorFrame.HeaderBytes).Value)];
        isFeatures = [.. Columns.Crossings.Select(crossing => crossing.Route.Bottleneck > 0)];
        var random = new SeededRandom(seed, "million");
        (slowness, watts, uplink, perByte, rate) = (new float[devices], new float[devices], new float[devices], new float[devices], new float[devices]);
        (links, roundTrips) = (new short[devices * Links], new float[devices * Links]);
        for (var device = 0; device < devices; device++) Make(device, random);
        EdgeTerms = new EdgeTerms(
            [.. Enumerable.Range(0, Edges).SelectMany(_ =>
            {
                var factor = (float)(0.3 + random.NextDouble());
                return Columns.Tails.Select(tail => factor * (float)server.NominalTime(card.Tail(tail)).Value);
            })],
            new float[Edges]);
    }

    public OptionColumns Columns { get; }

    public EdgeTerms EdgeTerms { get; }

    public int Devices => rate.Length;

    public int Routes => LocalWays + CrossingWays * Links;

    /// <summary>Bytes that describe the devices.</summary>
    public long Bytes => Devices * (5 * sizeof(float) + Links * (sizeof(short) + sizeof(float)));

    /// <summary>Gives a device other neighbours and another rate.</summary>
    public void Make(int device, SeededRandom random)
    {
        slowness[device] = (float)Math.Exp(1.5 * (random.NextDouble() - 0.3));
        watts[device] = (float)(0.5 + 5 * random.NextDouble());
        uplink[device] = (float)(5e4 * Math.Exp(4 * random.NextDouble()));
        perByte[device] = (float)(1e-7 + 2e-6 * random.NextDouble());
        rate[device] = (float)(0.05 + 2 * random.NextDouble() * random.NextDouble());
        var first = random.Next(Edges);
        for (var link = 0; link < Links; link++)
        {
            links[device * Links + link] = (short)((first + link * (1 + device % 23)) % Edges);
            roundTrips[device * Links + link] = (float)(0.001 + 0.02 * random.NextDouble());
        }
    }

    /// <summary>Multiplies out what a device's runs cost.</summary>
    public void Fill(DeviceTerms terms, int device)
    {
        (terms.Rate, terms.Weight) = (rate[device], rate[device]);
        for (var stage = 0; stage < stageTimes.Length; stage++)
        {
            terms.StageTime[stage] = stageTimes[stage] * slowness[device];
            terms.StageEnergy[stage] = terms.StageTime[stage] * watts[device];
        }
        for (var crossing = 0; crossing < payloads.Length; crossing++)
        {
            var packing = isFeatures[crossing] ? stageTimes[0] * slowness[device] * 0.1f : 0;
            terms.EncodeTime[crossing] = packing;
            terms.CrossTime[crossing] = packing + payloads[crossing] / uplink[device];
            terms.CrossEnergy[crossing] = packing * watts[device] + payloads[crossing] * perByte[device];
        }
        for (var link = 0; link < Links; link++) terms.Links[link] = new EdgeLink(links[device * Links + link], roundTrips[device * Links + link]);
    }

    public DeviceTerms NewTerms()
    {
        var terms = new DeviceTerms(Columns) { Links = new EdgeLink[Links] };
        Array.Fill(terms.Fits, true);
        return terms;
    }

    private static IEnumerable<Option> Evenly(IEnumerable<Option> options, int count)
    {
        var all = options.ToList();
        return Enumerable.Range(0, count).Select(i => all[(int)((long)i * all.Count / count)]);
    }
}
