using Fleet.Controller.Coalitions;
using Fleet.Emulator.Simulation;

namespace Fleet.Emulator.Experiments.Lorawan;

/// <summary>Devices and gateways drawn on a square, as a game of who federates where.</summary>
/// <param name="Nearest">The seat that each device would take first: least spreading factor, nearest gateway.</param>
public sealed record LoraField(IReadOnlyList<Player> Players, IReadOnlyList<Seat> Nearest, int Gateways)
{
    /// <summary>K: a town, as in the trial this grew from.</summary>
    private const double SideMetres = 2000;

    private const double DistanceMin = 50;

    /// <summary>Standard deviation of shadowing in decibels: that of the emulator's LoRa scenarios.</summary>
    private const double Shadowing = 7.8;

    /// <summary>Samples of a device. K.</summary>
    private static readonly (int From, int To) Samples = (5, 45);

    public static LoraField Draw(int devices, int gateways, SeededRandom random, int slower = 2)
    {
        var places = Enumerable.Range(0, gateways).Select(_ => Place(random)).ToList();
        var players = new List<Player>(devices);
        var nearest = new List<Seat>(devices);
        for (var device = 0; device < devices; device++)
        {
            var (x, y) = Place(random);
            var distances = places.Select(place => Math.Max(DistanceMin, Math.Sqrt((place.X - x) * (place.X - x) + (place.Y - y) * (place.Y - y)))).ToList();
            var seats = Field.SeatsOf(distances, [.. distances.Select(_ => Shadowing * random.NextNormal())], slower);
            players.Add(new Player(random.Next(Samples.From, Samples.To), seats));
            nearest.Add(seats.Count == 0 ? Seat.Alone : seats.OrderBy(seat => seat.Spreading).ThenBy(seat => distances[seat.Gateway]).First());
        }
        return new LoraField(players, nearest, gateways);
    }

    /// <summary>The game with everybody at the nearest gateway.</summary>
    public CoalitionGame Game(GameOptions options)
    {
        var game = new CoalitionGame(Players, Gateways, options);
        for (var player = 0; player < Players.Count; player++) game.Move(player, Nearest[player]);
        return game;
    }

    private static (double X, double Y) Place(SeededRandom random) => (SideMetres * random.NextDouble(), SideMetres * random.NextDouble());
}
