using Fleet.Contracts;

namespace Fleet.Controller.Coalitions;

/// <summary>
/// Edge learning as a hedonic game (after Khawam et al., ICC 2023, whose text was not to be had: a reconstruction). The devices at one gateway federate. Each pays
/// the expected error of the mean that they learn together (Donahue and Kleinberg, "Model-sharing games", AAAI 2021, uniform federation),
/// err = mu / N + sigma^2 (sum over others of n^2 + (sum over others of n)^2) / N^2, or mu / n alone; and its time on air until an update arrives,
/// kappa ToA exp(2 G), with the airtime and the ALOHA that the emulator's gateways obey. G is what members of the same spreading factor offer on a channel.
/// So a device's cost depends on its own coalition alone; other gateways are taken to be out of hearing.
/// </summary>
public sealed class CoalitionGame
{
    private readonly double[] airTime;
    private readonly Seat[] seats;
    private readonly double[] samples, squares;
    private readonly int[] members;
    private readonly double[,] onAir;
    private readonly ulong[] keys;

    public CoalitionGame(IReadOnlyList<Player> players, int gateways, GameOptions options)
    {
        (Players, Gateways, Options) = (players, gateways, options);
        airTime = [.. Enumerable.Range(AirTime.SpreadingMin, Spreadings).Select(spreading => LoraLink.TimeOnAir(spreading, options.UpdateBytes).Value)];
        seats = [.. players.Select(_ => Seat.Alone)];
        (samples, squares, members, onAir, keys) = (new double[gateways], new double[gateways], new int[gateways], new double[gateways, Spreadings], new ulong[gateways]);
    }

    private const int Spreadings = AirTime.SpreadingMax - AirTime.SpreadingMin + 1;

    public IReadOnlyList<Player> Players { get; }

    public int Gateways { get; }

    public GameOptions Options { get; }

    public IReadOnlyList<Seat> Seats => seats;

    public int MembersOf(int gateway) => members[gateway];

    /// <summary>What everybody pays together.</summary>
    public double SocialCost
    {
        get
        {
            var cost = 0.0;
            for (var player = 0; player < seats.Length; player++) cost += CostAt(player, seats[player]);
            return cost;
        }
    }

    public void Move(int player, Seat to)
    {
        Count(player, seats[player], -1);
        seats[player] = to;
        Count(player, to, 1);
    }

    /// <summary>What a player would pay at a seat if nobody else moved.</summary>
    public double CostAt(int player, Seat seat) => ErrorAt(player, seat) + (seat.IsAlone ? 0 : Options.PricePerSecond * AirTimeAt(player, seat));

    /// <summary>Expected squared error of the mean that a player would learn at a seat.</summary>
    public double ErrorAt(int player, Seat seat)
    {
        var own = Players[player].Samples;
        if (seat.IsAlone) return Options.Noise / own;
        var (all, square) = Others(player, seat.Gateway);
        var total = all + own;
        return Options.Noise / total + Options.Spread * (square + all * all) / (total * total);
    }

    /// <summary>Expected seconds on the air until a player's update has arrived from a seat.</summary>
    public double AirTimeAt(int player, Seat seat)
    {
        if (seat.IsAlone) return 0;
        var mine = airTime[seat.Spreading - AirTime.SpreadingMin];
        var others = onAir[seat.Gateway, seat.Spreading - AirTime.SpreadingMin] - (seats[player] == seat ? mine : 0);
        return mine / LoraLink.Success(Math.Max(0, others) / (Options.Period * Options.Channels));
    }

    /// <summary>Names the coalition that a player would be in at a seat: who is there, and how each sends. Chance makes two coalitions alike once in 2^64.</summary>
    public ulong KeyAt(int player, Seat seat)
    {
        if (seat.IsAlone) return 0;
        var mine = Key(player, seat);
        return seats[player].Gateway == seat.Gateway ? keys[seat.Gateway] ^ Key(player, seats[player]) ^ mine : keys[seat.Gateway] ^ mine;
    }

    /// <summary>Whether nobody would pay less elsewhere.</summary>
    public bool IsNashStable()
    {
        for (var player = 0; player < seats.Length; player++)
        {
            var now = CostAt(player, seats[player]);
            if (CostAt(player, Seat.Alone) < now - Tolerance) return false;
            foreach (var seat in Players[player].Seats)
                if (CostAt(player, seat) < now - Tolerance) return false;
        }
        return true;
    }

    /// <summary>Differences below it are rounding.</summary>
    public const double Tolerance = 1e-12;

    private (double Samples, double Squares) Others(int player, int gateway)
    {
        var own = seats[player].Gateway == gateway ? Players[player].Samples : 0;
        return (samples[gateway] - own, squares[gateway] - own * own);
    }

    private void Count(int player, Seat seat, int sign)
    {
        if (seat.IsAlone) return;
        var own = Players[player].Samples;
        members[seat.Gateway] += sign;
        samples[seat.Gateway] = members[seat.Gateway] == 0 ? 0 : samples[seat.Gateway] + sign * own;
        squares[seat.Gateway] = members[seat.Gateway] == 0 ? 0 : squares[seat.Gateway] + sign * own * own;
        ref var air = ref onAir[seat.Gateway, seat.Spreading - AirTime.SpreadingMin];
        air = members[seat.Gateway] == 0 ? 0 : air + sign * airTime[seat.Spreading - AirTime.SpreadingMin];
        keys[seat.Gateway] ^= Key(player, seat);
    }

    /// <summary>Mixes all bits of player and seat (SplitMix64's finaliser).</summary>
    private static ulong Key(int player, Seat seat)
    {
        var z = ((ulong)player << 32) + ((ulong)seat.Gateway << 8) + (ulong)seat.Spreading + 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
