using System.Globalization;
using Fleet.Controller.Coalitions;
using Fleet.Emulator.Plots;
using Fleet.Emulator.Simulation;
using static Fleet.Emulator.Tables.Text;

namespace Fleet.Emulator.Experiments.Lorawan;

/// <summary>Edge learning as a hedonic game in LoRaWAN: stability, price of anarchy, and exit heads federated in the coalitions that devices chose.</summary>
public sealed class HedonicExperiment : IExperiment
{
    private const int Games = 1000;
    private const int SmallGames = 10;
    private const int LargeGames = 5;
    private const int Fields = 5;
    private const int LargeDevices = 40;
    private const int LargeGateways = 3;
    private const int AnnealingSteps = 30_000;

    private static readonly double[] Prices = [0.0005, 0.002, 0.01, 0.05];
    private static readonly int[] SmallSizes = [4, 6, 8];
    private readonly Report report = new();

    public string Name => "hedonic-lorawan";

    public string Subject => "who learns with whom over LoRaWAN: the switch rule, its price of anarchy, federated exit heads and their airtime";

    public IReadOnlyDictionary<string, string> Run(long seed, Action<double> progress)
    {
        Head();
        Stability(seed);
        progress(0.2);
        Anarchy(seed);
        progress(0.5);
        Size(seed);
        progress(0.7);
        Air(seed);
        progress(0.8);
        Heads(seed);
        Provenance();
        progress(1);
        return report.Files();
    }

    private static LoraField Field(long seed, string name, int devices, int gateways, int slower = 2) => LoraField.Draw(devices, gateways, new SeededRandom(seed, name), slower);

    private void Head() => report.Paragraph("# Who learns with whom over LoRaWAN").Paragraph(
        "Made by `fleet experiment hedonic-lorawan`: do not edit. Devices with few samples each can federate at a gateway that hears them, by a spreading factor of their choice, or stay alone. Together they err less, but each pays for its time on the air and for collisions with members of its "
        + "spreading factor. Each moves where it pays least, but never back into a coalition that it left, until nobody moves. Airtime, frames and ALOHA are those that the emulator's radios run on.");

    private void Stability(long seed)
    {
        report.Paragraph($"## {Games.ToString("#,0", CultureInfo.InvariantCulture)} random games").Paragraph("3 to 42 devices, 1 to 4 gateways on 2 km by 2 km. *Stable*: nobody would pay less anywhere else, history or not. *Forgotten*: games in which history alone held somebody back, so that it was forgotten and the game went on. "
            + "Costs are sums over devices, against everybody learning alone and against everybody at the nearest gateway.");
        var rows = Prices.Select((price, i) =>
        {
            var (stable, switches, most, rounds, forgotten, alone, nearest, cost) = (0, 0, 0, 0, 0, 0.0, 0.0, 0.0);
            for (var game = i; game < Games; game += Prices.Length)
            {
                var played = Field(seed + game, "stability", 3 + game % 40, 1 + game / Prices.Length % 4).Game(new GameOptions { PricePerSecond = price });
                alone += Alone(played);
                nearest += played.SocialCost;
                var formed = SwitchRule.Play(played);
                cost += played.SocialCost;
                (stable, switches, most, rounds, forgotten) = (stable + (formed.IsNashStable ? 1 : 0), switches + formed.Switches, Math.Max(most, formed.Switches), rounds + formed.Rounds, forgotten + (formed.Renewals > 0 ? 1 : 0));
            }
            var count = Games / Prices.Length;
            return (IReadOnlyList<string>)[Plain(price), Number(count), Number(stable), Fine((double)switches / count), Number(most), Fine((double)rounds / count), Number(forgotten), Percent(cost / alone), Percent(cost / nearest)];
        }).ToList();
        string[] columns = [">price of a second on the air", ">games", ">Nash-stable", ">switches", ">most", ">rounds", ">forgotten", ">cost over alone", ">cost over nearest"];
        report.Table(columns, rows).Csv("stability.csv", [.. columns.Select(column => column[1..])], rows);
    }

    private void Anarchy(long seed)
    {
        var rows = new List<IReadOnlyList<string>>();
        var points = new List<(double Price, int Devices, double Played, double Anarchy)>();
        foreach (var price in Prices)
            foreach (var devices in SmallSizes)
            {
                var (played, anarchy, stability, annealed, stable) = (0.0, 0.0, 0.0, 0.0, 0);
                for (var i = 0; i < SmallGames; i++)
                {
                    var game = Field(seed + i, "anarchy", devices, 2, slower: 1).Game(new GameOptions { PricePerSecond = price });
                    SwitchRule.Play(game);
                    var cost = game.SocialCost;
                    var best = Annealing.Improve(game, 5000, new SeededRandom(seed + i, "annealing"));
                    var all = AllPartitions.Of(game);
                    played += cost / all.Least / SmallGames;
                    anarchy += all.PriceOfAnarchy / SmallGames;
                    stability += all.BestStable / all.Least / SmallGames;
                    annealed += best / all.Least / SmallGames;
                    stable += all.Stable;
                }
                points.Add((price, devices, played, anarchy));
                rows.Add([Plain(price), Number(devices), Fine((double)stable / SmallGames), Fine(stability), Fine(played), Fine(anarchy), Fine(annealed)]);
            }
        report.Paragraph("## Price of anarchy, against every partition").Paragraph($"Two gateways, two spreading factors a gateway, up to eight devices: all (seats + 1)^devices partitions are looked at. Mean of {SmallGames} games, each over the social optimum of exhaustive search. "
            + "The *worst* stable partition is mostly that in which all stay alone: nobody gains by going to an empty gateway first. The switch rule starts from nearest gateways and does not end there.");
        string[] columns = [">price", ">devices", ">stable partitions", ">best stable", ">played", ">worst stable (anarchy)", ">annealed"];
        report.Table(columns, rows).Csv("anarchy.csv", [.. columns.Select(column => column[1..])], rows);
        report.Plot("anarchy.svg", SvgPlot.Draw("cost over the social optimum against the price of airtime",
        [
            new Panel("cost over the social optimum", Scale.Logarithmic("price of a second on the air", Prices, value => Plain(value)), Scale.Logarithmic("times the optimum", points.SelectMany(point => new[] { point.Played, point.Anarchy }), Scale.Number),
                [.. SmallSizes.SelectMany(devices => new[]
                {
                    new Series($"played, {devices} devices", [.. points.Where(point => point.Devices == devices).Select(point => new PlotPoint(point.Price, point.Played))]),
                    new Series($"worst stable, {devices} devices", [.. points.Where(point => point.Devices == devices).Select(point => new PlotPoint(point.Price, point.Anarchy))], Joint.Dashed),
                })]),
        ], width: 560, height: 320), "cost over the social optimum");
    }

    /// <summary>What grows and shrinks with the price, where nobody can look at every partition.</summary>
    private void Size(long seed)
    {
        var rows = new List<IReadOnlyList<string>>();
        var points = new List<(double Price, double Alone, double Nearest, double Played, double Annealed)>();
        foreach (var price in Prices)
        {
            var (alone, nearest, cost, annealed, members, slower) = (0.0, 0.0, 0.0, 0.0, 0, 0);
            var sizes = new List<int>();
            for (var i = 0; i < LargeGames; i++)
            {
                var field = Field(seed + i, "size", LargeDevices, LargeGateways);
                var game = field.Game(new GameOptions { PricePerSecond = price });
                alone += Alone(game);
                nearest += game.SocialCost;
                SwitchRule.Play(game);
                cost += game.SocialCost;
                var seated = Enumerable.Range(0, LargeDevices).Where(player => !game.Seats[player].IsAlone).ToList();
                members += seated.Count;
                slower += seated.Count(player => game.Seats[player].Spreading > field.Players[player].Seats.Where(seat => seat.Gateway == game.Seats[player].Gateway).Min(seat => seat.Spreading));
                sizes.AddRange(Enumerable.Range(0, LargeGateways).Select(game.MembersOf));
                annealed += Annealing.Improve(game, AnnealingSteps, new SeededRandom(seed + i, "annealing"));
            }
            points.Add((price, alone / LargeGames, nearest / LargeGames, cost / LargeGames, annealed / LargeGames));
            rows.Add([Plain(price), Fine((double)members / LargeGames), string.Join(", ", sizes.Take(LargeGateways)), Fine((double)slower / LargeGames), Fine(alone / LargeGames), Fine(nearest / LargeGames), Fine(cost / LargeGames), Fine(annealed / LargeGames), Fine(cost / annealed)]);
        }
        report.Paragraph("## Forty devices, three gateways").Paragraph($"Mean of {LargeGames} fields; simulated annealing of {Number(AnnealingSteps)} steps from what was played stands for a centre that orders everybody about.");
        string[] columns = [">price", ">federating", "coalitions of the first field", ">slower than needed", ">cost alone", ">cost nearest", ">cost played", ">cost annealed", ">played over annealed"];
        report.Table(columns, rows).Csv("forty.csv", [.. columns.Select(column => column.TrimStart('>'))], rows);
        (string Name, Func<(double Price, double Alone, double Nearest, double Played, double Annealed), double> Of, Joint Joint)[] lines =
            [("all alone", point => point.Alone, Joint.Dashed), ("nearest gateway", point => point.Nearest, Joint.Solid), ("switch rule", point => point.Played, Joint.Solid), ("annealed", point => point.Annealed, Joint.Dashed)];
        report.Plot("forty.svg", SvgPlot.Draw("social cost of forty devices against the price of airtime",
        [
            new Panel("social cost, 40 devices, 3 gateways", Scale.Logarithmic("price of a second on the air", Prices, value => Plain(value)), Scale.Logarithmic("sum of costs", points.SelectMany(point => lines.Select(line => line.Of(point))), Scale.Number),
                [.. lines.Select(line => new Series(line.Name, [.. points.Select(point => new PlotPoint(point.Price, line.Of(point)))], line.Joint))]),
        ], width: 560, height: 320), "social cost of forty devices");
    }

    private void Air(long seed)
    {
        report.Paragraph("## The air the game believes in").Paragraph("Members of one spreading factor send updates at random times through the emulator's gateway, the frames of an update one after the other, on one channel. The game reckons with single frames at random times, for which a test holds the gateway to the formula. Bursts that meet lose several frames at once and meet less often: the gateway hears more than the game believes, and more still with capture (6 dB). The game errs on the side of caution.");
        var rows = new[] { (4, 7), (10, 9), (10, 10), (20, 10), (20, 12) }.Select(pair =>
        {
            var check = AirCheck.Of(pair.Item1, pair.Item2, new GameOptions(), seed);
            return (IReadOnlyList<string>)[Number(pair.Item1), Number(pair.Item2), Fine(check.Load), Percent(check.Believed), Percent(check.Heard), Percent(check.HeardWithCapture)];
        }).ToList();
        string[] columns = [">members", ">spreading factor", ">load of the others", ">believed", ">heard", ">heard with capture"];
        report.Table(columns, rows).Csv("air.csv", [.. columns.Select(column => column[1..])], rows);
    }

    private void Heads(long seed)
    {
        var features = FrozenFeatures.Of(new Stock());
        var options = new GameOptions { PricePerSecond = 0.01, UpdateBytes = new Models.Federating.LinearHead(features.Learn.Width, 10).UpdateBytes };
        (string Name, Action<CoalitionGame> Seat)[] ways =
            [("alone", LeaveAll), ("nearest gateway", _ => { }), ("switch rule", game => SwitchRule.Play(game)), ("annealed", game => { SwitchRule.Play(game); Annealing.Improve(game, AnnealingSteps, new SeededRandom(seed, "annealing")); })];
        var outcomes = ways.Select(way => (way.Name, Runs: Enumerable.Range(0, Fields).Select(i =>
        {
            var field = Field(seed + i, "heads", 24, 2);
            var game = field.Game(options);
            way.Seat(game);
            return new FederatedHeads(features, field, options, seed + i).Run(game);
        }).ToList())).ToList();
        report.Paragraph("## Exit heads, federated").Paragraph($"24 devices, two gateways, {Fields} fields. Each device has 5 to 44 images of Fashion-MNIST by a mixture of classes of its own, and learns a linear head on the zoo's first stage, frozen and averaged over the picture ({features.Learn.Width} values): "
            + $"20 rounds of five passes, {options.UpdateBytes} bytes an update (int8), 10 minutes a round, a price of {Plain(options.PricePerSecond)}. Accuracy is on {Number(features.Test.Rows)} images that nobody learnt from, weighed as each device meets the classes (*own*) and as they come (*all*). Airtime is booked frame by frame, repetitions included; the game's formula stands beside it.");
        var rows = outcomes.Select(way => (IReadOnlyList<string>)
        [
            way.Name, Percent(way.Runs.Average(run => run.Own)), Percent(way.Runs.Average(run => run.Worst)), Percent(way.Runs.Average(run => run.All)), Fine(way.Runs.Average(run => run.AirTime)), Fine(way.Runs.Average(run => run.Expected)),
            Number(way.Runs.Average(run => (double)run.Sent)), Number(way.Runs.Average(run => (double)run.Lost)),
        ]).ToList();
        string[] columns = ["where devices learn", ">own", ">worst device", ">all", ">airtime s", ">airtime s by formula", ">frames", ">updates lost"];
        report.Table(columns, rows).Csv("heads.csv", [.. columns.Select(column => column.TrimStart('>'))], rows);
        var (alone, played) = (outcomes[0].Runs, outcomes[2].Runs);
        var better = alone.Zip(played).Count(pair => pair.Second.Own > pair.First.Own);
        report.Paragraph($"In the coalitions that they chose, devices are right {Points(played.Average(run => run.Own) - alone.Average(run => run.Own))} points more often than alone on what they meet themselves (better in {better} of {Fields} fields), and {Points(played.Average(run => run.All) - alone.Average(run => run.All))} points on all classes.");
    }

    private static void LeaveAll(CoalitionGame game)
    {
        for (var player = 0; player < game.Players.Count; player++) game.Move(player, Seat.Alone);
    }

    private static double Alone(CoalitionGame game) => Enumerable.Range(0, game.Players.Count).Sum(player => game.CostAt(player, Seat.Alone));

    private void Provenance() => report.Paragraph("## Published, same construction, our own").Paragraph(
        "* **Published**: the error of a federated mean (Donahue and Kleinberg, AAAI 2021), held here to a simulation of it by a test; the switch rule with history (Saad et al., arXiv 1010.4499), which ends; LoRa's time on air (Semtech); ALOHA (Abramson, 1970); federated averaging (McMahan et al., AISTATS 2017).\n"
        + "* **Same construction**: the game of edge learning over LoRaWAN after Khawam et al. (ICC 2023), of which only the title could be had; that work's figures are not quoted.\n"
        + "* **Our own**: all figures on this page; forgetting history where it alone holds somebody back; the choice of spreading factors; prices, noise and spread of the error, samples and the plain (K). Gateways are taken to be out of each other's hearing. Duty cycles are no part of the game: at 1 %, an update of 530 bytes takes longer than ten minutes from spreading factor 10 on.");

    private static string Fine(double value) => value.ToString("#,0.###", CultureInfo.InvariantCulture);
}
