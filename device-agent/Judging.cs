using Fleet.Contracts;
using Fleet.Models;
using Fleet.Models.Offloading;

namespace Fleet.DeviceAgent;

/// <summary>
/// What an assignment's decider needs of the device: the bounds within which it may decide, and what the ways on cost at the assignment's
/// prices. Made with each assignment; what has been learnt is the decider's, what the way costs is the device's.
/// </summary>
/// <param name="decider">Decides within the bounds.</param>
/// <param name="assignment">What runs.</param>
/// <param name="alarms">By what it scores.</param>
/// <param name="frame">Length of what crosses, header included, by the card.</param>
public sealed class Judging(Decider decider, Assignment assignment, AlarmCosts alarms, Bytes frame)
{
    private readonly double[] stages = new double[PerExit.Max];
    private readonly double joulePrice = assignment.JoulePrice ?? 0;
    private readonly bool sendsAll = assignment.SendsAll;

    /// <summary>Whether an input leaves before any stage has run.</summary>
    public bool SendsFirst => decider.SendsFirst(sendsAll);

    /// <summary>Length of what crosses, header included.</summary>
    public Bytes Frame => frame;

    public Verdict Verdict(int exit, ReadOnlySpan<float> logits, int label, double confidence) =>
        new(exit, label, confidence, alarms.HasAlarms ? alarms.Score(logits, assignment.Temperatures.Of(exit)) : confidence);

    public Decision Decide(in Verdict verdict, Random random)
    {
        if (verdict.Confidence >= (assignment.ThresholdsMost.Find(verdict.Exit) ?? OverAll)) return Decision.Answer;
        if (verdict.Confidence < (assignment.ThresholdsLeast.Find(verdict.Exit) ?? 0)) return Decision.GoOn;
        if (!decider.Judges(verdict.Exit)) return verdict.Confidence < assignment.Thresholds.Of(verdict.Exit) ? Decision.GoOn : Decision.Answer;
        return decider.After(verdict, random.NextDouble());
    }

    /// <summary>An input has been answered behind this device, or has not.</summary>
    public void Learn(in Verdict verdict, in Decision decision, int? better) => decider.Learn(verdict, decision, better);

    /// <summary>Works out anew what the ways on cost: as in plans, what runs and waiting add to what the device draws anyway.</summary>
    public void Follow(WayCosts way, StageTimes times, AgentOptions options)
    {
        var power = options.RunPower;
        for (var stage = 1; stage <= assignment.Head; stage++) stages[stage - 1] = Priced(times.Of(stage), power * times.Of(stage));
        var encoding = assignment.Bottleneck.Length > 0 ? times.Encoder ?? Seconds.Zero : Seconds.Zero;
        var send = Priced(way.Time + way.OthersWait + encoding, power * encoding + options.WaitPower * way.Time + frame * options.Profile.Radio.TxPerByte.Value);
        decider.Follow(new WayPrices(stages, send, way.AnsweredShare));
    }

    /// <summary>A threshold that no confidence reaches.</summary>
    private const double OverAll = 2;

    private double Priced(Seconds time, Joules energy) => time.Value + joulePrice * energy.Value;
}
