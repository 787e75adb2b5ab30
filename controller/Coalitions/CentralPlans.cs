namespace Fleet.Controller.Coalitions;

/// <summary>What every partition of a small game costs.</summary>
/// <param name="Least">The social optimum.</param>
/// <param name="BestStable">The cheapest Nash-stable partition; infinite when there is none.</param>
/// <param name="WorstStable">The dearest one.</param>
/// <param name="Stable">How many there are.</param>
public readonly record struct AllPartitions(double Least, double BestStable, double WorstStable, int Stable)
{
    /// <summary>Worst stable over optimum.</summary>
    public double PriceOfAnarchy => WorstStable / Least;

    /// <summary>Looks at every choice of every player: (seats + 1) to the power of players. For small games.</summary>
    public static AllPartitions Of(CoalitionGame game)
    {
        var (least, best, worst, stable) = (double.PositiveInfinity, double.PositiveInfinity, 0.0, 0);
        Choose(0);
        return new AllPartitions(least, best, worst, stable);

        void Choose(int player)
        {
            if (player < game.Players.Count)
            {
                foreach (var seat in game.Players[player].Seats.Prepend(Seat.Alone))
                {
                    game.Move(player, seat);
                    Choose(player + 1);
                }
                return;
            }
            var cost = game.SocialCost;
            least = Math.Min(least, cost);
            if (!game.IsNashStable()) return;
            stable++;
            (best, worst) = (Math.Min(best, cost), Math.Max(worst, cost));
        }
    }
}

/// <summary>Simulated annealing on the social cost (Kirkpatrick, Gelatt, Vecchi, 1983): what a centre that could order everybody about would find.</summary>
public static class Annealing
{
    /// <summary>First and last temperature, as shares of the mean cost of a player at the start. K.</summary>
    private const double From = 0.5;
    private const double To = 1e-4;

    /// <returns>The least social cost seen; the game is left at its seats.</returns>
    public static double Improve(CoalitionGame game, int steps, Random random)
    {
        var cost = game.SocialCost;
        var (best, bestSeats) = (cost, game.Seats.ToArray());
        var scale = cost / game.Players.Count;
        for (var step = 0; step < steps; step++)
        {
            var temperature = scale * From * Math.Pow(To / From, (double)step / steps);
            var player = random.Next(game.Players.Count);
            var (before, choices) = (game.Seats[player], game.Players[player].Seats);
            var choice = random.Next(choices.Count + 1);
            game.Move(player, choice == choices.Count ? Seat.Alone : choices[choice]);
            var next = game.SocialCost;
            if (next <= cost || random.NextDouble() < Math.Exp((cost - next) / temperature)) cost = next;
            else game.Move(player, before);
            if (cost < best) (best, bestSeats) = (cost, game.Seats.ToArray());
        }
        for (var player = 0; player < bestSeats.Length; player++) game.Move(player, bestSeats[player]);
        return best;
    }
}
