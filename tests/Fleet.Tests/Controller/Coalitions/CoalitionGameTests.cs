using Fleet.Contracts;
using Fleet.Controller.Coalitions;
using Fleet.Emulator.Experiments.Lorawan;
using Fleet.Emulator.Simulation;
using NUnit.Framework;

namespace Fleet.Tests.Controller.Coalitions;

public sealed class CoalitionGameTests
{
    /// <summary>Every run ends, and ends where nobody would pay less elsewhere; that is asked anew, by looking at every seat.</summary>
    [Test]
    public void SwitchRule_AThousandRandomGames_EndsNashStable()
    {
        for (var seed = 0; seed < 1000; seed++)
        {
            var price = new[] { 0.0005, 0.002, 0.01, 0.05 }[seed % 4];
            var game = LoraField.Draw(3 + seed % 30, 1 + seed / 4 % 4, new SeededRandom(seed, "game")).Game(new GameOptions { PricePerSecond = price });
            var formed = SwitchRule.Play(game);
            Assert.That(formed.IsNashStable, Is.True, $"seed {seed}");
            for (var player = 0; player < game.Players.Count; player++)
            {
                var now = game.CostAt(player, game.Seats[player]);
                Assert.That(game.Players[player].Seats.Append(Seat.Alone).Min(seat => game.CostAt(player, seat)), Is.GreaterThanOrEqualTo(now - 1e-9), $"seed {seed}");
            }
        }
    }

    /// <summary>Alone at an empty gateway one pays for nothing: nobody moves.</summary>
    [Test]
    public void SwitchRule_AllAlone_NobodyMoves()
    {
        var field = LoraField.Draw(12, 2, new SeededRandom(4, "game"));
        var game = field.Game(new GameOptions());
        for (var player = 0; player < game.Players.Count; player++) game.Move(player, Seat.Alone);
        Assert.That(SwitchRule.Play(game).Switches, Is.Zero);
    }

    [Test]
    public void AllPartitions_SmallGames_HoldTheAnnealedAndThePlayedOne()
    {
        for (var seed = 0; seed < 6; seed++)
        {
            var game = LoraField.Draw(4, 2, new SeededRandom(seed, "game")).Game(new GameOptions { PricePerSecond = 0.01 });
            var formed = SwitchRule.Play(game);
            var played = game.SocialCost;
            var annealed = Annealing.Improve(game, 3000, new SeededRandom(seed, "annealing"));
            var all = AllPartitions.Of(game);
            Assert.That(formed.IsNashStable, Is.True);
            Assert.That(played, Is.InRange(all.BestStable - 1e-9, all.WorstStable + 1e-9));
            Assert.That(annealed, Is.InRange(all.Least - 1e-9, all.Least * 1.02));
            Assert.That(all.PriceOfAnarchy, Is.GreaterThanOrEqualTo(1 - 1e-9));
        }
    }

    /// <summary>The error's formula against a simulation of what it is the expectation of: devices' means differ by sigma, samples by mu.</summary>
    [Test]
    public void ErrorAt_ACoalition_IsTheMeanSquaredErrorOfTheSharedMean()
    {
        double[] samples = [4, 10, 25];
        var game = new CoalitionGame([.. samples.Select(n => new Player(n, [new Seat(0, 7)]))], 1, new GameOptions { Noise = 10, Spread = 0.5 });
        for (var player = 0; player < 3; player++) game.Move(player, new Seat(0, 7));
        var random = new SeededRandom(1, "error");
        const int Draws = 40_000;
        var squares = 0.0;
        for (var draw = 0; draw < Draws; draw++)
        {
            var truths = samples.Select(_ => Math.Sqrt(0.5) * random.NextNormal()).ToArray();
            var shared = samples.Select((n, i) => n * (truths[i] + Math.Sqrt(10 / n) * random.NextNormal())).Sum() / samples.Sum();
            squares += (shared - truths[0]) * (shared - truths[0]) / Draws;
        }
        Assert.That(game.ErrorAt(0, new Seat(0, 7)), Is.EqualTo(squares).Within(0.02 * squares));
    }

    /// <summary>The cost of the air is what the radios reckon with.</summary>
    [Test]
    public void AirTimeAt_MembersOfOneSpreadingFactor_IsTheEmulatorsAirtimeOverItsAloha()
    {
        var options = new GameOptions { UpdateBytes = 400, Period = 60 };
        var game = new CoalitionGame([.. Enumerable.Range(0, 3).Select(_ => new Player(10, [new Seat(0, 9), new Seat(0, 10)]))], 1, options);
        for (var player = 0; player < 3; player++) game.Move(player, new Seat(0, player == 2 ? 10 : 9));
        // 400 bytes at SF 9 are three fragments of 112 bytes and one of 64, each with three bytes of its own.
        var once = 3 * AirTime.Of(9, 115 + LoraLink.FrameOverhead).Value + AirTime.Of(9, 67 + LoraLink.FrameOverhead).Value;
        Assert.That(game.AirTimeAt(0, new Seat(0, 9)), Is.EqualTo(once * Math.Exp(2 * once / (60 * 3))).Within(1e-9));
    }
}
