using Fleet.Contracts;
using Fleet.DeviceAgent;
using Fleet.Tests.Emulator;
using NUnit.Framework;

namespace Fleet.Tests.DeviceAgent;

public sealed class WindowTests
{
    [Test]
    public void Close_AfterAnswers_AddsUpAndBeginsAnew()
    {
        var window = new Window();
        for (var i = 0; i < 5; i++) window.Started();
        window.Answered(Answer(AnsweredBy.Exit, exit: 2, correct: true));
        window.Answered(Answer(AnsweredBy.Edge, exit: 0, correct: false));
        window.Answered(Answer(AnsweredBy.Fallback, exit: 2, correct: true, missed: true));
        window.Answered(Answer(AnsweredBy.Exit, exit: 1, correct: null));
        window.Spent(new Joules(2));
        window.Sent(new Bytes(100));
        var first = Close(window, skipped: 3);
        Assert.That((first.Count, first.Offloaded, first.Fallback, first.DeadlineMissed, first.Labelled, first.Correct), Is.EqualTo((4, 1, 1, 1, 3, 2)));
        Assert.That(first.Exits, Is.EqualTo(new PerExit([1, 1])));
        Assert.That((first.StartedTotal, first.AnsweredTotal, first.InFlight, first.Skipped), Is.EqualTo((5L, 4L, 1, 3)));
        Assert.That((first.Energy, first.BytesSent), Is.EqualTo((new Joules(2), new Bytes(100))));
        Assert.That(first.Faults(), Is.Empty);
        Assert.That(window.ArrivalRate.Value, Is.EqualTo(8 / 5.0), "skipped inputs arrived too");

        window.Answered(Answer(AnsweredBy.Exit, exit: 1, correct: true));
        var second = Close(window, skipped: 3);
        Assert.That((second.Sequence, second.Count, second.AnsweredTotal, second.Skipped), Is.EqualTo((first.Sequence + 1, 1, 5L, 0)));
        Assert.That(window.ArrivalRate, Is.EqualTo(Hertz.Zero));
        Assert.That(second.Faults(), Is.Empty);
    }

    [Test]
    public void Close_AnswerOfADeeperHeadThatIsGone_IsStillCounted()
    {
        var window = new Window();
        window.Started();
        window.Answered(Answer(AnsweredBy.Exit, exit: 3, correct: true));
        var report = window.Close(Seconds.Zero, new Seconds(5), looked: new Seconds(5), ran: TinyModel.Assign(1), inFlight: 0, skippedTotal: 0);
        Assert.That(report.Exits.Sum(), Is.EqualTo(1));
        Assert.That(report.Faults(), Is.Empty);
    }

    [Test]
    public void Close_NothingHappened_KnowsNoMeans()
    {
        var report = Close(new Window(), skipped: 0);
        Assert.That((report.Count, report.ConfidenceMean, report.LatencyP50), Is.EqualTo((0, (double?)null, (Seconds?)null)));
        Assert.That(report.Faults(), Is.Empty);
    }

    [Test]
    public void ArrivalRate_HeadCameLateInTheWindow_IsOfTheTimeThatInputsWereTaken()
    {
        var window = new Window();
        void Take(int inputs, double looked)
        {
            for (var i = 0; i < inputs; i++) window.Started();
            window.Close(Seconds.Zero, new Seconds(5), new Seconds(looked), ran: null, inFlight: 0, skippedTotal: 0);
        }
        window.Expect(new Hertz(4));
        Take(0, looked: 0);
        Assert.That(window.ArrivalRate.Value, Is.EqualTo(4), "nothing measured yet");
        Take(7, looked: 0.5);
        Assert.That(window.ArrivalRate.Value, Is.EqualTo(4), "too little time to tell");
        Take(9, looked: 1.5);
        Assert.That(window.ArrivalRate.Value, Is.EqualTo(8));
    }

    private static InferWindow Close(Window window, int skipped) => window.Close(new Seconds(1), new Seconds(5), looked: new Seconds(5), ran: TinyModel.Assign(2), inFlight: 1, skippedTotal: skipped);

    private static Answer Answer(AnsweredBy by, int exit, bool? correct, bool missed = false) =>
        new(0, correct is null ? -1 : 1, correct is true ? 1 : 0, 0.9, by, exit, new Seconds(0.1), missed, TinyModel.Assign(2));
}
