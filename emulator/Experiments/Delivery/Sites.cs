namespace Fleet.Emulator.Experiments.Delivery;

/// <summary>A place on earth, in degrees.</summary>
public readonly record struct Site(string Name, double Longitude, double Latitude);

/// <summary>
/// Two research backbones by their public definitions: instances "abilene" (12 nodes, 15 links) and "geant" (22 nodes, 36 links) of SNDlib 1.0 (Orlowski, Wessäly, Pióro,
/// Tomaszewski, Networks 55(3), 2010; sndlib.zib.de). Names are SNDlib's, places are the cities', rounded to a hundredth of a degree.
/// </summary>
public static class Sites
{
    public static readonly IReadOnlyList<Site> Abilene =
    [
        new("ATLAM5", -84.38, 33.75), new("ATLAng", -85.50, 34.50), new("CHINng", -87.62, 41.83), new("DNVRng", -105.00, 40.75), new("HSTNng", -95.52, 29.77), new("IPLSng", -86.16, 39.78),
        new("KSCYng", -96.60, 38.96), new("LOSAng", -118.25, 34.05), new("NYCMng", -73.97, 40.78), new("SNVAng", -122.03, 37.39), new("STTLng", -122.30, 47.60), new("WASHng", -77.03, 38.90),
    ];

    public static readonly IReadOnlyList<(string, string)> AbileneLinks =
    [
        ("ATLAM5", "ATLAng"), ("ATLAng", "HSTNng"), ("ATLAng", "IPLSng"), ("ATLAng", "WASHng"), ("CHINng", "IPLSng"), ("CHINng", "NYCMng"), ("DNVRng", "KSCYng"), ("DNVRng", "SNVAng"),
        ("DNVRng", "STTLng"), ("HSTNng", "KSCYng"), ("HSTNng", "LOSAng"), ("IPLSng", "KSCYng"), ("LOSAng", "SNVAng"), ("NYCMng", "WASHng"), ("SNVAng", "STTLng"),
    ];

    public static readonly IReadOnlyList<Site> Geant =
    [
        new("at1.at", 16.37, 48.21), new("be1.be", 4.35, 50.85), new("ch1.ch", 6.14, 46.20), new("cz1.cz", 14.44, 50.08), new("de1.de", 8.68, 50.11), new("es1.es", -3.70, 40.42),
        new("fr1.fr", 2.35, 48.86), new("gr1.gr", 23.58, 37.98), new("hr1.hr", 15.96, 45.81), new("hu1.hu", 19.09, 47.50), new("ie1.ie", -6.26, 53.34), new("il1.il", 34.81, 32.07),
        new("it1.it", 9.19, 45.46), new("lu1.lu", 6.13, 49.61), new("nl1.nl", 4.94, 52.32), new("ny1.ny", -73.94, 40.67), new("pl1.pl", 16.89, 52.40), new("pt1.pt", -9.14, 38.71),
        new("se1.se", 17.87, 59.36), new("si1.si", 14.51, 46.06), new("sk1.sk", 17.13, 48.15), new("uk1.uk", -0.13, 51.51),
    ];

    public static readonly IReadOnlyList<(string, string)> GeantLinks =
    [
        ("at1.at", "ch1.ch"), ("at1.at", "de1.de"), ("at1.at", "hu1.hu"), ("at1.at", "ny1.ny"), ("at1.at", "si1.si"), ("be1.be", "fr1.fr"), ("be1.be", "lu1.lu"), ("be1.be", "nl1.nl"),
        ("ch1.ch", "fr1.fr"), ("ch1.ch", "it1.it"), ("cz1.cz", "de1.de"), ("cz1.cz", "pl1.pl"), ("cz1.cz", "sk1.sk"), ("de1.de", "fr1.fr"), ("de1.de", "gr1.gr"), ("de1.de", "ie1.ie"),
        ("de1.de", "it1.it"), ("de1.de", "nl1.nl"), ("de1.de", "se1.se"), ("es1.es", "fr1.fr"), ("es1.es", "it1.it"), ("es1.es", "pt1.pt"), ("fr1.fr", "lu1.lu"), ("fr1.fr", "uk1.uk"),
        ("gr1.gr", "it1.it"), ("hr1.hr", "hu1.hu"), ("hr1.hr", "si1.si"), ("hu1.hu", "sk1.sk"), ("ie1.ie", "uk1.uk"), ("il1.il", "it1.it"), ("il1.il", "nl1.nl"), ("nl1.nl", "uk1.uk"),
        ("ny1.ny", "uk1.uk"), ("pl1.pl", "se1.se"), ("pt1.pt", "uk1.uk"), ("se1.se", "uk1.uk"),
    ];
}
