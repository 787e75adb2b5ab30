namespace Fleet.Controller.Coalitions;

/// <summary>How a partition came about.</summary>
/// <param name="Switches">Moves of a player from one coalition, or way of sending, to another.</param>
/// <param name="Rounds">Times that everybody was asked, the last one without a move included.</param>
/// <param name="Renewals">Times that history was forgotten.</param>
/// <param name="IsNashStable">Whether nobody would pay less elsewhere, history or not.</param>
public readonly record struct PartitionFormed(int Switches, int Rounds, int Renewals, bool IsNashStable);

/// <summary>
/// The switch rule with history (Saad, Han, Başar, Hjørungnes, Debbah: "Hedonic coalition formation for distributed task allocation among wireless agents", arXiv 1010.4499): a player moves
/// to the coalition where it pays least, if that is less than now and it has not left that very coalition before. There are finitely many coalitions,
/// so that it ends. Where it ends with somebody kept from a better place by history alone, history is forgotten and the players are asked in another order.
/// </summary>
public static class SwitchRule
{
    /// <summary>Times that history may be forgotten: a game need not have a stable partition. K.</summary>
    private const int Renewals = 20;

    /// <summary>Plays on from the seats that the game is in: start from nearest gateways, for an empty gateway only adds cost and all alone nobody moves.</summary>
    public static PartitionFormed Play(CoalitionGame game)
    {
        var (switches, rounds) = (0, 0);
        for (var renewal = 0; ; renewal++)
        {
            var (moved, asked) = Play(game, first: renewal);
            switches += moved;
            rounds += asked;
            var isStable = game.IsNashStable();
            if (isStable || renewal == Renewals) return new PartitionFormed(switches, rounds, renewal, isStable);
        }
    }

    private static (int Switches, int Rounds) Play(CoalitionGame game, int first)
    {
        var left = new HashSet<(int Player, ulong Coalition)>();
        var switches = 0;
        for (var rounds = 1; ; rounds++)
        {
            var before = switches;
            for (var turn = 0; turn < game.Players.Count; turn++)
            {
                var player = (turn + first) % game.Players.Count;
                if (Better(game, player, left) is not { } seat) continue;
                left.Add((player, game.KeyAt(player, game.Seats[player])));
                game.Move(player, seat);
                switches++;
            }
            if (switches == before) return (switches, rounds);
        }
    }

    private static Seat? Better(CoalitionGame game, int player, HashSet<(int, ulong)> left)
    {
        var (best, least) = ((Seat?)null, game.CostAt(player, game.Seats[player]) - CoalitionGame.Tolerance);
        foreach (var seat in game.Players[player].Seats.Prepend(Seat.Alone))
        {
            var cost = game.CostAt(player, seat);
            if (cost < least && !left.Contains((player, game.KeyAt(player, seat)))) (best, least) = (seat, cost);
        }
        return best;
    }
}
